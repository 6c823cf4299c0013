// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/no_processes.hpp"

#include "las/base/error.hpp"
#include "las/base/text.hpp"
#include "las/service/supervisor.hpp"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

/// Moves only when somebody waits.
class ManualClock : public las::platform::Clock {
 public:
  std::chrono::system_clock::time_point now() const override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1790000000) + passed_);
  }

  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(passed_);
  }

  void wait(std::chrono::milliseconds duration) override {
    waits.push_back(duration.count());
    passed_ += duration;
  }

  std::vector<std::int64_t> waits;  ///< milliseconds

 private:
  std::chrono::milliseconds passed_{0};
};

/// Keeps what was reported.
class KeepingReporter : public las::Reporter {
 public:
  void report(const las::Event& event) override {
    if (const auto* message = std::get_if<las::event::Message>(&event))
      messages.push_back(message->text);
    if (const auto* finished = std::get_if<las::event::Finished>(&event))
      finished_notes.push_back(finished->note);
  }

  std::vector<std::string> messages, finished_notes;
};

/// systemd's manager as seen over the bus: logs its calls, answers as told.
class StandInSystemdBus : public las::platform::SystemdBus {
 public:
  struct Answers {
    std::vector<std::string> calls;
    std::map<std::string, las::platform::UnitProperties> units;
    std::string start_result = "done";
    /// Called within start(), for what the unit is like afterwards.
    std::function<void()> on_start;
  };

  explicit StandInSystemdBus(Answers& answers) : answers_(answers) {}

  void reload() override { answers_.calls.emplace_back("reload"); }

  void start(const std::string& unit, const las::Activity&) override {
    answers_.calls.push_back("start " + unit);
    if (answers_.on_start)
      answers_.on_start();
    if (answers_.start_result == "permission")
      throw las::Error(las::ErrorKind::Permission, "refused", unit);
    if (answers_.start_result != "done")
      throw las::Error(las::ErrorKind::Io, "the job failed", unit).cause(answers_.start_result);
  }

  void stop(const std::string& unit, const las::Activity&) override { known("stop ", unit); }

  void restart(const std::string& unit, const las::Activity&) override { known("restart ", unit); }

  void enable(const std::vector<std::string>& units) override {
    for (const auto& unit : units)
      answers_.calls.push_back("enable " + unit);
  }

  void disable(const std::vector<std::string>& units) override {
    for (const auto& unit : units)
      answers_.calls.push_back("disable " + unit);
  }

  void reset_failed(const std::string& unit) override { known("reset-failed ", unit); }

  las::platform::UnitProperties properties(const std::string& unit) override {
    const auto found = answers_.units.find(unit);
    if (found == answers_.units.end())
      throw las::Error(las::ErrorKind::NotFound, "no such unit", unit);
    return found->second;
  }

  std::string version() override { return "252"; }

 private:
  void known(const std::string& verb, const std::string& unit) {
    answers_.calls.push_back(verb + unit);
    if (!answers_.units.contains(unit))
      throw las::Error(las::ErrorKind::NotFound, "no such unit", unit);
  }

  Answers& answers_;
};

/// Runs nothing: remembers what it was to run and answers as told.
class StandInProcessRunner : public las::test::NoProcesses {
 public:
  las::platform::ProcessResult run(const las::platform::Command& command,
                                   const las::Activity&,
                                   std::optional<std::chrono::milliseconds> timeout,
                                   const std::function<void(std::string_view)>& on_line) override {
    commands.push_back(command);
    timeouts.push_back(timeout);
    if (missing)
      throw las::Error(las::ErrorKind::NotFound, "the program does not exist", command.argv[0]);
    for (const std::string& text : {result.out, result.err}) {
      for (const std::string& line : las::text::lines(text)) {
        if (on_line)
          on_line(line);
      }
    }
    return result;
  }

  std::optional<std::filesystem::path> find_program(std::string_view,
                                                    std::string_view) const override {
    return {};
  }

  std::vector<las::platform::Command> commands;
  std::vector<std::optional<std::chrono::milliseconds>> timeouts;
  las::platform::ProcessResult result;
  bool missing = false;
};

/// A service whose life was written down before: one status per look, the last one for ever.
class StandInSupervisor : public las::service::Supervisor {
 public:
  std::string name() const override { return "stand-in"; }

  std::string limits() const override { return {}; }

  void install(const std::vector<las::state::ServiceInstance>&,
               const std::set<std::string>&,
               const las::Activity&) override {}

  void start(const las::state::ServiceInstance&, const las::Activity&) override {}

  void stop(const las::state::ServiceInstance&, const las::Activity&) override {}

  las::service::ServiceStatus status(const las::state::ServiceInstance&) override {
    const auto now = life.front();
    if (life.size() > 1)
      life.pop_front();
    return now;
  }

  std::vector<std::string> logs(const las::state::ServiceInstance&, std::size_t count) override {
    if (logs_unreadable)
      throw las::Error(las::ErrorKind::NotFound, "no journal");
    return {lines.end() - static_cast<std::ptrdiff_t>(std::min(count, lines.size())), lines.end()};
  }

  std::string outside_log(const las::state::ServiceInstance&) const override { return {}; }

  std::vector<std::string> installed() override { return {}; }

  std::string impostor(const las::state::ServiceInstance&) override { return other_listener; }

  las::platform::ProcessResult run_check(const las::state::ServiceInstance&,
                                         std::chrono::milliseconds timeout,
                                         const las::Activity&) override {
    check_timeouts.push_back(timeout.count());
    if (!check_fault.empty())
      throw las::Error(las::ErrorKind::Io, check_fault);
    return check;
  }

  std::deque<las::service::ServiceStatus> life;
  las::platform::ProcessResult check;  ///< what the command of its health check gives
  std::string check_fault;             ///< why that cannot be run
  std::vector<std::int64_t> check_timeouts;
  std::string other_listener;
  std::vector<std::string> lines;
  bool logs_unreadable = false;
};

/// An engine's HTTP side: one answer per question, the last one for ever; 0 refuses the connection.
class StandInFetcher : public las::fetch::Fetcher {
 public:
  explicit StandInFetcher(std::deque<int> statuses) : statuses_(std::move(statuses)) {}

  std::vector<las::fetch::Fetched> fetch(const std::vector<las::fetch::Artifact>&,
                                         const std::filesystem::path&,
                                         const las::Activity&) override {
    throw las::Error(las::ErrorKind::Network, "a stand-in fetches nothing");
  }

  las::fetch::Response exchange(const las::fetch::Request& request, const las::Activity&) override {
    urls.push_back(request.url);
    const int status = statuses_.front();
    if (statuses_.size() > 1)
      statuses_.pop_front();
    if (status == 0)
      throw las::Error(las::ErrorKind::Network, "no answer", request.url)
          .cause("connection refused");
    last = request;
    return {status, {}, body};
  }

  las::fetch::Response stream(const las::fetch::Request& request,
                              const std::function<bool(std::string_view)>&,
                              const las::Activity& activity) override {
    return exchange(request, activity);
  }

  std::vector<std::string> urls;
  std::string body;  ///< of every answer
  las::fetch::Request last;

 private:
  std::deque<int> statuses_;
};
