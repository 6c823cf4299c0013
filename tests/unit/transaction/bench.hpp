// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stand_in_distribution.hpp"
#include "support/faulty_file_system.hpp"
#include "support/manual_clock.hpp"
#include "support/no_processes.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/transaction/transaction.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

/// Transactions over a real store and real files; sources, services and the distribution's packages
/// are stand-ins that outlive a crash of las.
namespace las::test {

namespace fs = std::filesystem;

/// Stands in for the machine's programs: there are none.
class StandInPrograms : public NoProcesses {
 public:
  platform::ProcessResult run(const platform::Command&,
                              const Activity&,
                              std::optional<std::chrono::milliseconds>,
                              const std::function<void(std::string_view)>&) override {
    throw Error(ErrorKind::NotFound, "a stand-in runs nothing");
  }

  std::optional<fs::path> find_program(std::string_view, std::string_view) const override {
    return std::nullopt;
  }
};

/// Stands in for a kind of source: a payload of three files, or the failure it was told.
class StandInSource : public source::SourceKind {
 public:
  explicit StandInSource(platform::FileSystem& files) : files_(files) {}

  std::string kind() const override { return "archive"; }

  std::string unavailable(const catalog::Source& source, const Activity&) override {
    return source.note == "unavailable" ? "not on this machine" : "";
  }

  std::string describe(const catalog::Source& source) const override { return source.note; }

  source::Staged stage(const source::StageRequest& request, const Activity&) override {
    if (request.source->note == "unreachable")
      throw Error(ErrorKind::Network, "could not download").cause("connection refused");
    if (request.source->note == "hostile")
      throw Error(ErrorKind::Integrity, "a path climbs");
    source::Staged staged;
    staged.payload = request.staging / "payload";
    files_.make_directories(staged.payload / "lib");
    for (const char* name : {"tool", "lib/a", "lib/b"}) {
      const auto file = files_.create_file(staged.payload / name, 0755);
      file->write(request.version);
      file->close();
    }
    staged.store_name = request.module + "-" + request.version + "-0123456789ab";
    staged.delivered = request.version;
    staged.executables = {{"tool", "tool"}};
    return staged;
  }

 private:
  platform::FileSystem& files_;
};

/// Stands in for a supervisor. What it runs outlives the "process" of las, as real services do.
struct Machine {
  std::map<std::string, state::ServiceInstance> installed;
  std::set<std::string> running;
  std::set<std::string> sick;  ///< ids that die as soon as they are started
  /// What a service wrote into its data: the version of the program that wrote it last. It migrates
  /// what an older one wrote, and a newer one's is beyond it.
  std::vector<std::string> unreadable;  ///< starts on data of a newer program: never to happen
};

class StandInSupervisor : public service::Supervisor {
 public:
  explicit StandInSupervisor(Machine& machine) : machine_(machine) {}

  std::string name() const override { return "stand-in"; }

  std::string limits() const override { return {}; }

  std::string outside_log(const state::ServiceInstance& service) const override {
    return "cat " + service.id;
  }

  void install(const std::vector<state::ServiceInstance>& wanted,
               const std::set<std::string>&,
               const Activity&) override {
    std::map<std::string, state::ServiceInstance> now;
    for (const auto& service : wanted)
      now[service.id] = service;
    for (const auto& [id, service] : machine_.installed) {
      if (!now.contains(id))
        machine_.running.erase(id);
    }
    machine_.installed = now;
  }

  void start(const state::ServiceInstance& service, const Activity&) override {
    work_on_data(service);
    if (!machine_.sick.contains(service.id))
      machine_.running.insert(service.id);
  }

  void stop(const state::ServiceInstance& service, const Activity&) override {
    machine_.running.erase(service.id);
  }

  service::ServiceStatus status(const state::ServiceInstance& service) override {
    service::ServiceStatus status;
    if (machine_.running.contains(service.id)) {
      status.state = service::RunState::Running;
      status.pid = 0;  // not a process that /proc knows
    } else {
      status.state = machine_.installed.contains(service.id) ? service::RunState::Failed
                                                             : service::RunState::Absent;
    }
    return status;
  }

  std::vector<std::string> logs(const state::ServiceInstance&, std::size_t) override {
    return {"last words"};
  }

  std::vector<std::string> installed() override { return {}; }

 private:
  void work_on_data(const state::ServiceInstance& service) {
    if (service.data_directory.empty() || !fs::exists(service.argv.front()))
      return;
    const auto files = platform::make_posix_file_system();
    const std::string version = files->read_file(service.argv.front());
    const fs::path row = fs::path(service.data_directory) / "row";
    const std::string written = files->try_read(row).value_or("0");
    if (written > version)
      machine_.unreadable.push_back(version + " on data of " + written);
    files->make_directories(service.data_directory);
    files->replace_file(row, version);
  }

  Machine& machine_;
};

/// Nothing here may use the network.
class NoFetcher : public fetch::Fetcher {
 public:
  std::vector<fetch::Fetched> fetch(const std::vector<fetch::Artifact>&,
                                    const fs::path&,
                                    const Activity&) override {
    throw Error(ErrorKind::Network, "no network in this test");
  }

  fetch::Response exchange(const fetch::Request&, const Activity&) override {
    throw Error(ErrorKind::Network, "no network in this test");
  }

  fetch::Response stream(const fetch::Request&,
                         const std::function<bool(std::string_view)>&,
                         const Activity&) override {
    throw Error(ErrorKind::Network, "no network in this test");
  }
};

/// The disk and the services: what survives a crash of las.
struct World {
  TempDirectory folder;
  platform::Layout layout = platform::Layout::system(folder.path());
  platform::Environment environment;
  Machine machine;
  StandInDistribution distribution;
  ManualClock clock;
  int runs = 0;
};

/// One process of las over that world.
class Process {
 public:
  explicit Process(World& world)
      : world_(world),
        posix_(platform::make_posix_file_system()),
        faulty_(*posix_),
        supervisor_(world.machine) {
    for (const fs::path& path :
         {world.layout.store(), world.layout.staging(), world.layout.generations()})
      posix_->make_directories(path);
    store_ = state::StateStore::open(world.layout.database(), state::StateStore::Access::ReadWrite);
    sources_["archive"] = std::make_unique<StandInSource>(faulty_);
    sources_["apt"] = source::make_apt_source(
        {faulty_, world.distribution, fetcher_, world.environment, distribution_layout_});
  }

  World& world() { return world_; }

  FaultyFileSystem& files() { return faulty_; }

  state::StateStore& store() { return *store_; }

  RecordingReporter& reporter() { return reporter_; }

  Cancellation& cancellation() { return cancellation_; }

  Machine& machine() { return world_.machine; }

  StandInDistribution& distribution() { return world_.distribution; }

  void damage(const std::string& path) {
    posix_->replace_file(world_.layout.store() / path, "damaged");
  }

  transaction::Transactor transactor() { return transaction::Transactor(surroundings()); }

  void add_step(std::unique_ptr<source::SystemStep> step) { steps_.push_back(std::move(step)); }

  transaction::Surroundings surroundings() {
    return {faulty_,
            processes_,
            world_.clock,
            world_.environment,
            world_.layout,
            *store_,
            fetcher_,
            supervisor_,
            sources_,
            steps_,
            "operation-" + std::to_string(++world_.runs),
            [](const state::ServiceInstance& old, const state::InstalledModule& module) {
              state::ServiceInstance changed = old;
              changed.argv = {module.executables.at("tool")};
              return changed;
            }};
  }

  Activity activity() { return {reporter_, cancellation_}; }

  state::Generation current() {
    state::Generation generation;
    store_->read([&](const state::ReadTransaction& t) { generation = t.current(); });
    return generation;
  }

  bool journal_open() {
    bool open = false;
    store_->read([&](const state::ReadTransaction& t) { open = t.journal().has_value(); });
    return open;
  }

  std::string last_outcome() {
    std::string outcome;
    store_->read([&](const state::ReadTransaction& t) { outcome = t.operations().back().outcome; });
    return outcome;
  }

 private:
  World& world_;
  std::unique_ptr<platform::FileSystem> posix_;
  FaultyFileSystem faulty_;
  StandInPrograms processes_;
  StandInSupervisor supervisor_;
  NoFetcher fetcher_;
  /// Packages are installed nowhere but on the machine itself.
  platform::Layout distribution_layout_ = platform::Layout::system("/");
  std::unique_ptr<state::StateStore> store_;
  std::map<std::string, std::unique_ptr<source::SourceKind>> sources_;
  std::vector<std::unique_ptr<source::SystemStep>> steps_;
  RecordingReporter reporter_;
  Cancellation cancellation_;
};

inline catalog::Source source_noted(const std::string& note) {
  catalog::Source source;
  source.how = catalog::ArchiveSource{};
  source.note = note;
  return source;
}

inline plan::Plan install_plan(plan::Action kind,
                               const std::string& version,
                               std::vector<catalog::Source> sources = {source_noted("good")}) {
  plan::PlannedAction action;
  action.action = kind;
  action.subject = "demo";
  action.version = version;
  action.variant = "any";
  action.mode = "native";
  action.sources = std::move(sources);
  return {{action}, {{"demo", "", "", "", false}}};
}

inline plan::Plan other_plan() {
  plan::Plan plan = install_plan(plan::Action::Install, "7");
  plan.actions.front().subject = "other";
  plan.world = {{"demo", "", "", "", false}, {"other", "", "", "", false}};
  return plan;
}

/// A release that writes its data in a format of its own version's name.
inline plan::Plan format_plan(plan::Action kind, const std::string& version) {
  plan::Plan plan = install_plan(kind, version);
  plan.actions.front().data_format = "f" + version;
  return plan;
}

inline plan::Plan remove_plan() {
  plan::PlannedAction action;
  action.action = plan::Action::Remove;
  action.subject = "demo";
  return {{action}, {}};
}

inline plan::Plan deploy_plan(const state::Generation& present) {
  state::ServiceInstance service;
  service.id = "tiny";
  service.module = "demo";
  service.port = 11500;
  service.argv = {"/bin/true"};
  service.health_kind = "none";
  return plan::make_deploy_plan(present, service);
}

/// The same with data, and the program of the module as it is installed.
inline plan::Plan deploy_with_data(Process& process) {
  plan::Plan plan = deploy_plan(process.current());
  state::ServiceInstance& service = *plan.actions.front().service;
  service.data_directory = process.world().layout.data("tiny").string();
  service.argv = {process.current().find("demo")->executables.at("tool")};
  return plan;
}

/// What the service wrote, and what another's did.
inline void write_data(World& world) {
  const auto files = platform::make_posix_file_system();
  for (const char* id : {"tiny", "other"}) {
    files->make_directories(world.layout.data(id) / "deep");
    files->replace_file(world.layout.data(id) / "deep/row", "of much use");
  }
}

inline plan::Plan purge_plan(const platform::Layout& layout) {
  plan::PlannedAction undeploy;
  undeploy.action = plan::Action::Undeploy;
  undeploy.subject = "tiny";
  plan::Plan plan = remove_plan();
  plan.actions.insert(plan.actions.begin(), undeploy);
  plan.purge = {layout.data("tiny").string()};
  return plan;
}

/// What matters of the state, as text: equal text is equal state.
inline std::string describe(World& world) {
  Process process(world);
  const state::Generation generation = process.current();
  std::string text = "modules:";
  for (const auto& module : generation.modules)
    text += " " + module.name + " " + module.version;
  text += "; services:";
  const std::string root = world.folder.path().string();
  for (const auto& service : generation.services) {
    const std::string& program = service.argv.front();
    text += " " + service.id + " " +
            (program.starts_with(root) ? program.substr(root.size()) : program);
  }
  text += "; running:";
  for (const std::string& id : world.machine.running)
    text += " " + id;
  text += "; installed:";
  for (const auto& [id, service] : world.machine.installed)
    text += " " + id;
  text += "; data:";
  const auto files = platform::make_posix_file_system();
  if (const fs::path data = world.layout.state / "data"; files->exists(data))
    platform::walk(*files, data, [&](const fs::path& path, const platform::FileStatus&) {
      text += " " + path.string();
      if (path.filename() == "row")
        text += "=" + process.files().read_file(data / path);
    });
  text += "; packages:";
  for (const std::string& name : world.distribution.names())
    text += " " + name;
  text += "; tool:";
  const fs::path tool = world.layout.current() / "bin" / "tool";
  if (fs::exists(tool))
    text += " " + process.files().read_file(fs::canonical(tool));
  text += "; store:";
  for (const std::string& name : process.files().list_directory(world.layout.store()))
    text += " " + name;
  text += "; staging:";
  for (const std::string& name : process.files().list_directory(world.layout.staging()))
    text += " " + name;
  text += process.journal_open() ? "; journal open" : "";
  return text;
}

inline void run_plan(Process& process, const plan::Plan& plan) {
  process.transactor().run(plan, "las test", process.activity());
}

}  // namespace las::test
