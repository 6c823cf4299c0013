// SPDX-License-Identifier: Apache-2.0
#include "las/app/registries.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/app/install.hpp"
#include "las/app/registry_author.hpp"

using namespace las;

namespace {

/// Runs of las below one root, and a registry in a folder of this machine.
struct Site {
  test::TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<platform::ProcessRunner> processes = platform::make_posix_process_runner();
  test::ManualClock clock;
  platform::Environment environment;
  test::RecordingReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
  int runs = 0;

  Site() {
    environment.user = "root";
    environment.home = (folder / "home").string();
    environment.executable = (folder / "las").string();
    environment.variables["LAS_DATA_DIR"] = (folder / "data").string();
    files->make_directories(folder / "data/manifests");
    files->make_directories(folder / "data/policies");
    hardware::HardwareProfile profile;
    folder.write("machine.json", hardware::to_json(profile));
    tool("1.0");
    app::Session keeper = session();
    app::make_registry_key(keeper, (folder / "lab.key").string(), false);
    build();
  }

  app::Session session() {
    app::SessionOptions options;
    options.layout = platform::Layout::system(folder / "root");
    options.hardware_file = folder / "machine.json";
    options.operation_id = "operation-" + std::to_string(++runs);
    options.command_line = "las test";
    return {{*files, *processes, clock, environment}, options};
  }

  void tool(const std::string& version) {
    folder.write("manifests/tool.yaml",
                 "name: tool\ncategory: tool\ndescription: a test tool\nreleases:\n- version: '" +
                     version +
                     "'\n  variants:\n  - name: any\n    sources:\n    - apt: {packages: [hello]}\n"
                     "      executables: {hello: /usr/bin/hello}\n");
  }

  void build() {
    app::Session keeper = session();
    app::RegistryBuildRequest request;
    request.manifests = (folder / "manifests").string();
    request.tree = (folder / "tree").string();
    request.key_file = (folder / "lab.key").string();
    request.name = "lab";
    request.days = 30;
    app::build_registry(keeper, request, false);
  }

  void add() {
    app::Session running = session();
    app::add_registry(running,
                      "lab",
                      "file://" + (folder / "tree").string(),
                      (folder / "lab.pub").string(),
                      false,
                      activity);
  }

  /// What a run of las sees; the state can be open once in a process.
  bool offers_tool() {
    app::Session reading = session();
    (void)reading.catalog(activity);
    return reading.catalog(activity).find("tool") != nullptr;
  }

  app::UpdateOutcome update() {
    app::Session running = session();
    return app::update_registries(running, {}, {}, activity).at(0);
  }

  app::PreparedPlan plan_install() {
    app::Session running = session();
    app::ChangeRequest request;
    request.install = {"tool"};
    return app::prepare_change(running, request, activity);
  }
};

}  // namespace

TEST_CASE("an expired registry is read with a warning and not installed from", "[app]") {
  Site site;
  site.add();
  CHECK(site.plan_install().plan.actions.size() == 1);
  CHECK(site.reporter.messages(Severity::Warning).empty());
  site.clock.advance(std::chrono::hours(24 * 30));

  CHECK(site.offers_tool());
  CHECK(site.reporter.messages(Severity::Warning).size() == 1);
  const auto error = test::error_of([&] { return site.plan_install(); });
  REQUIRE(error);
  CHECK(to_string(error->kind()) == "integrity");
  CHECK(error->cause() == "registry lab, expired at 2026-12-23T15:04:05Z");
  CHECK(error->hint().find("las update lab") != std::string::npos);

  SECTION("unless the site says so") {
    site.environment.variables["LAS_REGISTRY_EXPIRED"] = "warn";
    CHECK(site.plan_install().plan.actions.size() == 1);
  }
  SECTION("until it is brought up to date") {
    site.build();
    CHECK_FALSE(site.update().error);
    CHECK(site.plan_install().plan.actions.size() == 1);
  }
}

TEST_CASE("a copy that is gone is told", "[app]") {
  Site site;
  site.add();
  site.files->remove_tree(site.folder / "root/var/lib/las/registries/lab");
  CHECK_FALSE(site.offers_tool());
  const auto warnings = site.reporter.messages(Severity::Warning);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("las update lab") != std::string::npos);
  CHECK(site.update().refreshed.changed);
  CHECK(site.offers_tool());
}

TEST_CASE("a registry that cannot be had is not added, and its name stays free", "[app]") {
  Site site;
  site.files->remove_file(site.folder / "tree/index.json.minisig");
  CHECK(test::error_of([&] { return site.add(), 0; }));
  app::Session looking = site.session();
  CHECK(app::remote_registries(looking).empty());
  CHECK_FALSE(site.files->exists(site.folder / "root/var/lib/las/registries"));
}

TEST_CASE("who trusted which key is in the history", "[app]") {
  Site site;
  site.add();
  std::vector<state::OperationRecord> operations;
  app::Session looking = site.session();
  looking.store().read(
      [&](const state::ReadTransaction& transaction) { operations = transaction.operations(); });
  REQUIRE(operations.size() == 1);
  CHECK(operations[0].user == "root");
  REQUIRE(operations[0].changes.size() == 1);
  CHECK(operations[0].changes[0].starts_with("trust registry lab at file://"));
}
