// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"
#include "progress.hpp"

#include "las/platform/journal.hpp"

#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::cli {

namespace {

using nlohmann::ordered_json;

class LogReporter : public Reporter {
 public:
  LogReporter(platform::FileSystem& files, platform::Clock& clock, LogOptions options)
      : clock_(clock), options_(std::move(options)) {
    open(files);
    write(Severity::Info, "cli", "begin: " + options_.command);
  }

  ~LogReporter() override { write(Severity::Info, "cli", "end"); }

  void report(const Event& event) override {
    if (const auto* message = std::get_if<event::Message>(&event))
      write(message->severity, message->room, message->text);
    else if (const auto* started = std::get_if<event::Started>(&event))
      write(Severity::Info, "progress", "started: " + started->id);
    else if (const auto* finished = std::get_if<event::Finished>(&event))
      write(finished->ok ? Severity::Info : Severity::Warning,
            "progress",
            (finished->ok ? "finished: " : "failed: ") + finished->id);
  }

 private:
  // Logging never fails a command: a folder that may not be written means no log file.
  void open(platform::FileSystem& files) {
    if (options_.file.empty())
      return;
    try {
      files.make_directories(options_.file.parent_path());
      const auto status = files.status(options_.file);
      if (status && status->size > options_.max_size.bytes())
        files.rename(options_.file, options_.file.string() + ".1");
      file_ = files.append_file(options_.file, 0640);
    } catch (const Error&) {
      file_.reset();
    }
  }

  void write(Severity severity, const std::string& room, const std::string& text) {
    if (severity < options_.least)
      return;
    const std::lock_guard<std::mutex> guard(mutex_);
    if (options_.journal)
      platform::send_to_journal({{"MESSAGE", text},
                                 {"PRIORITY", std::to_string(priority(severity))},
                                 {"SYSLOG_IDENTIFIER", "las"},
                                 {"LAS_OPERATION", options_.operation_id},
                                 {"LAS_ROOM", room}});
    if (!file_)
      return;
    const std::string time = platform::to_iso8601(clock_.now());
    std::string line;
    if (options_.json) {
      line = ordered_json{
          {"time", time},
          {"level", std::string(to_string(severity))},
          {"operation", options_.operation_id},
          {"room", room},
          {"text",
           text}}.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    } else {
      line = fmt::format(
          "{} {} [{}] {}: {}", time, to_string(severity), options_.operation_id, room, shown(text));
    }
    line += '\n';
    try {
      file_->write(line);
    } catch (const Error&) {
      file_.reset();
    }
  }

  // syslog(3) levels.
  static int priority(Severity severity) {
    switch (severity) {
      case Severity::Debug:
        return 7;
      case Severity::Info:
        return 6;
      case Severity::Warning:
        return 4;
      case Severity::Error:
        return 3;
    }
    return 6;
  }

  platform::Clock& clock_;
  LogOptions options_;
  std::unique_ptr<platform::FileWriter> file_;
  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Reporter> make_log_reporter(platform::FileSystem& files,
                                            platform::Clock& clock,
                                            LogOptions options) {
  return std::make_unique<LogReporter>(files, clock, std::move(options));
}

}  // namespace las::cli
