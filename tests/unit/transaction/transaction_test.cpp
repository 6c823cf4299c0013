// SPDX-License-Identifier: Apache-2.0
#include "las/transaction/transaction.hpp"

#include "support/catch.hpp"
#include "support/faulty_file_system.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include <algorithm>
#include <iostream>
#include <set>

using namespace las;
namespace fs = std::filesystem;

namespace {

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
};

class StandInSupervisor : public service::Supervisor {
 public:
  explicit StandInSupervisor(Machine& machine) : machine_(machine) {}

  std::string name() const override { return "stand-in"; }

  std::string limits() const override { return {}; }

  void install(const std::vector<state::ServiceInstance>& wanted, const Activity&) override {
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
      status.pid = 1;
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
  test::TempDirectory folder;
  platform::Layout layout = platform::Layout::system(folder.path());
  platform::Environment environment;
  Machine machine;
  test::ManualClock clock;
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
  }

  test::FaultyFileSystem& files() { return faulty_; }

  state::StateStore& store() { return *store_; }

  test::RecordingReporter& reporter() { return reporter_; }

  Cancellation& cancellation() { return cancellation_; }

  Machine& machine() { return world_.machine; }

  void damage(const std::string& path) {
    posix_->replace_file(world_.layout.store() / path, "damaged");
  }

  transaction::Transactor transactor() {
    return transaction::Transactor(
        {faulty_,
         world_.clock,
         world_.environment,
         world_.layout,
         *store_,
         fetcher_,
         supervisor_,
         sources_,
         "operation-" + std::to_string(++world_.runs),
         [](const state::ServiceInstance& old, const state::InstalledModule& module) {
           state::ServiceInstance changed = old;
           changed.argv = {module.executables.at("tool")};
           return changed;
         }});
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
  test::FaultyFileSystem faulty_;
  StandInSupervisor supervisor_;
  NoFetcher fetcher_;
  std::unique_ptr<state::StateStore> store_;
  std::map<std::string, std::unique_ptr<source::SourceKind>> sources_;
  test::RecordingReporter reporter_;
  Cancellation cancellation_;
};

catalog::Source source_noted(const std::string& note) {
  catalog::Source source;
  source.how = catalog::ArchiveSource{};
  source.note = note;
  return source;
}

plan::Plan install_plan(plan::Action kind,
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

plan::Plan remove_plan() {
  plan::PlannedAction action;
  action.action = plan::Action::Remove;
  action.subject = "demo";
  return {{action}, {}};
}

plan::Plan deploy_plan(const state::Generation& present) {
  state::ServiceInstance service;
  service.id = "tiny";
  service.module = "demo";
  service.port = 11500;
  service.argv = {"/bin/true"};
  service.health_kind = "none";
  return plan::make_deploy_plan(present, service);
}

/// What matters of the state, as text: equal text is equal state.
std::string describe(World& world) {
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

using Act = std::function<void(Process&)>;

struct Scenario {
  const char* name;
  Act prepare, act;
};

void run_plan(Process& process, const plan::Plan& plan) {
  process.transactor().run(plan, "las test", process.activity());
}

std::vector<Scenario> scenarios() {
  const Act nothing = [](Process&) {};
  const Act installed = [](Process& p) { run_plan(p, install_plan(plan::Action::Install, "1")); };
  const Act deployed = [=](Process& p) {
    installed(p);
    run_plan(p, deploy_plan(p.current()));
  };
  return {
      {"install", nothing, installed},
      {"upgrade under a running service",
       deployed,
       [](Process& p) { run_plan(p, install_plan(plan::Action::Upgrade, "2")); }},
      {"remove", installed, [](Process& p) { run_plan(p, remove_plan()); }},
      {"deploy", installed, [](Process& p) { run_plan(p, deploy_plan(p.current())); }},
      {"rollback of a deployment",
       deployed,
       [](Process& p) { p.transactor().switch_to(1, "las rollback", p.activity()); }},
      {"a deployment that is rejected",
       installed,
       [](Process& p) {
         p.machine().sick.insert("tiny");
         try {
           run_plan(p, deploy_plan(p.current()));
         } catch (const Error& error) {  // a Crash is none and goes on
           CHECK((error.was_rolled_back() || error.kind() == ErrorKind::NoSpace));
         }
       }},
      {"reinstall of a damaged payload",
       [=](Process& p) {
         installed(p);
         p.damage("demo-1-0123456789ab/tool");
       },
       [](Process& p) { run_plan(p, install_plan(plan::Action::Reinstall, "1")); }},
      {"rollback to nothing",
       installed,
       [](Process& p) { p.transactor().switch_to(0, "las rollback", p.activity()); }},
  };
}

void prepare(World& world, const Scenario& scenario) {
  Process process(world);
  scenario.prepare(process);
}

}  // namespace

TEST_CASE("a crash at any effect leaves the old or the new state after recovery",
          "[transaction][crash]") {
  std::size_t points = 0;
  for (const Scenario& scenario : scenarios()) {
    std::string before, after;
    std::size_t effects = 0;
    {
      World world;
      prepare(world, scenario);
      before = describe(world);
      Process process(world);
      scenario.act(process);
      effects = process.files().effect_count();
    }
    {
      World world;
      prepare(world, scenario);
      {
        Process process(world);
        scenario.act(process);
      }
      after = describe(world);
    }
    // A rejected deployment is the one transaction that ends where it began.
    REQUIRE((before == after) == (std::string(scenario.name) == "a deployment that is rejected"));
    REQUIRE(effects > 0);
    for (std::size_t k = 1; k <= effects; ++k) {
      World world;
      prepare(world, scenario);
      bool crashed = false;
      {
        Process process(world);
        process.files().crash_at(k);
        try {
          scenario.act(process);
        } catch (const test::Crash&) {
          crashed = true;
        }
      }
      INFO(scenario.name << ", crash at effect " << k << " of " << effects);
      CHECK(crashed);
      {
        Process process(world);
        process.transactor().recover(process.activity());
        CHECK_FALSE(process.transactor().recover(process.activity()).has_value());
      }
      const std::string found = describe(world);
      INFO("before: " << before << "\nafter: " << after << "\nfound: " << found);
      CHECK((found == before || found == after));
      ++points;
    }
  }
  std::cout << "crash points: " << points << "\n";
  CHECK(points > 50);
}

TEST_CASE("a recovery that is itself cut short is finished by the next one",
          "[transaction][crash]") {
  const Scenario scenario = scenarios().at(1);
  std::string before, after;
  std::size_t effects = 0;
  {
    World world;
    prepare(world, scenario);
    before = describe(world);
    {
      Process process(world);
      scenario.act(process);
      effects = process.files().effect_count();
    }
    after = describe(world);
  }
  for (std::size_t k = 1; k <= effects; k += 3) {
    for (std::size_t again = 1; again <= 4; ++again) {
      World world;
      prepare(world, scenario);
      for (const auto& [at, act] :
           {std::pair<std::size_t, Act>{k, scenario.act},
            {again, [](Process& p) { p.transactor().recover(p.activity()); }}}) {
        Process process(world);
        process.files().crash_at(at);
        try {
          act(process);
        } catch (const test::Crash&) {
          process.reporter();  // the crash is what is wanted
        }
      }
      {
        Process process(world);
        process.transactor().recover(process.activity());
      }
      const std::string found = describe(world);
      INFO("crash at " << k << ", recovery cut at " << again << "\nfound: " << found);
      CHECK((found == before || found == after));
    }
  }
}

TEST_CASE("a full disk at any effect changes nothing", "[transaction][crash]") {
  for (const Scenario& scenario : scenarios()) {
    std::size_t effects = 0;
    std::string before;
    {
      World world;
      prepare(world, scenario);
      before = describe(world);
      Process process(world);
      scenario.act(process);
      effects = process.files().effect_count();
    }
    for (std::size_t k = 1; k <= effects; ++k) {
      World world;
      prepare(world, scenario);
      bool failed = false;
      {
        Process process(world);
        process.files().fail_at(k);
        try {
          scenario.act(process);
        } catch (const Error& error) {
          failed = error.kind() == ErrorKind::NoSpace;
        }
        // The rejected deployment reports its own failure, not the disk's.
        failed = failed || process.machine().sick.contains("tiny");
      }
      {
        Process process(world);
        process.transactor().recover(process.activity());
      }
      INFO(scenario.name << ", full disk at effect " << k << " of " << effects);
      // Only sweeping up after the proof may fail without failing the whole.
      if (failed)
        CHECK(describe(world) == before);
      else
        CHECK(k == effects);
    }
  }
}

TEST_CASE("a source that cannot be reached or used gives way to the next, with a warning",
          "[transaction]") {
  World world;
  Process process(world);
  run_plan(process,
           install_plan(
               plan::Action::Install,
               "1",
               {source_noted("unreachable"), source_noted("unavailable"), source_noted("good")}));
  CHECK(process.current().modules.size() == 1);
  CHECK(
      process.reporter().messages(Severity::Warning) ==
      std::vector<std::string>{
          "demo: the archive source cannot be used (connection refused); trying the next: archive",
          "demo: the archive source cannot be used (not on this machine); trying the next: "
          "archive"});
}

TEST_CASE("hostile content ends the install instead of trying the next source", "[transaction]") {
  World world;
  const std::string before = describe(world);
  {
    Process process(world);
    try {
      run_plan(process,
               install_plan(
                   plan::Action::Install, "1", {source_noted("hostile"), source_noted("good")}));
      FAIL("it was installed");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::Integrity);
      CHECK_FALSE(error.was_rolled_back());
    }
    CHECK(process.last_outcome() == "failed");
  }
  CHECK(describe(world) == before);
}

TEST_CASE("when no source can deliver, the error lists what each said", "[transaction]") {
  World world;
  Process process(world);
  try {
    run_plan(process,
             install_plan(plan::Action::Install,
                          "1",
                          {source_noted("unreachable"), source_noted("unavailable")}));
    FAIL("it was installed");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Network);
    CHECK(error.cause() == "archive: connection refused; archive: not on this machine");
  }
}

TEST_CASE("a service that dies is taken back with the generation that brought it",
          "[transaction]") {
  World world;
  prepare(world, scenarios().at(3));
  const std::string before = describe(world);
  world.machine.sick.insert("tiny");
  {
    Process process(world);
    try {
      run_plan(process, deploy_plan(process.current()));
      FAIL("it was accepted");
    } catch (const Error& error) {
      CHECK(error.was_rolled_back());
      CHECK(error.message() == "the service did not become healthy");
    }
    CHECK(process.last_outcome() == "rolled-back");
  }
  CHECK(describe(world) == before);
}

TEST_CASE("an interruption before the commit leaves nothing and is recorded as such",
          "[transaction]") {
  World world;
  const std::string before = describe(world);
  {
    Process process(world);
    process.cancellation().request(2);
    CHECK_THROWS_AS(run_plan(process, install_plan(plan::Action::Install, "1")), Error);
    CHECK(process.last_outcome() == "interrupted");
  }
  CHECK(describe(world) == before);
}

TEST_CASE("a generation whose payload is gone is not switched to", "[transaction]") {
  World world;
  {
    Process process(world);
    run_plan(process, install_plan(plan::Action::Install, "1"));
    run_plan(process, remove_plan());
  }
  fs::remove_all(world.layout.store() / "demo-1-0123456789ab");
  Process process(world);
  try {
    process.transactor().switch_to(1, "las rollback 1", process.activity());
    FAIL("it was switched to");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::CorruptState);
    CHECK(error.subject() == "demo-1-0123456789ab");
  }
  CHECK(process.current().number == 2);
}

TEST_CASE("a number that is no generation is not found", "[transaction]") {
  World world;
  Process process(world);
  try {
    process.transactor().switch_to(7, "las rollback 7", process.activity());
    FAIL("it was switched to");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::NotFound);
  }
}

TEST_CASE("a plan that is known not to fit is refused before anything is begun", "[transaction]") {
  World world;
  Process process(world);
  plan::Plan plan = install_plan(plan::Action::Install, "1");
  plan.actions.front().download_size = ByteSize(UINT64_MAX / 2);
  try {
    run_plan(process, plan);
    FAIL("it was begun");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::NoSpace);
  }
  CHECK(process.files().effects().empty());
  CHECK_FALSE(process.journal_open());
}
