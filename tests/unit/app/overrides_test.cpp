// SPDX-License-Identifier: Apache-2.0
#include "las/app/overrides.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/app/policies.hpp"

#include <fstream>

using namespace las;

namespace {

/// Runs of las below one root whose policies deny "engine" to everybody and "big" without a GPU.
struct House {
  test::TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<platform::ProcessRunner> processes = platform::make_posix_process_runner();
  test::ManualClock clock;
  platform::Environment environment;
  int runs = 0;

  House() {
    environment.user = "root";
    environment.home = (folder / "home").string();
    environment.variables["LAS_DATA_DIR"] = (folder / "data").string();
    write("data/policies/shipped.yaml",
          "policies:\n"
          "  - {name: no-engine, deny: [engine]}\n"
          "  - {name: fine, allow: {runtimes: [allowed]}}\n");
    files->make_directories(folder / "data/manifests");
    hardware::HardwareProfile profile;
    write("machine.json", hardware::to_json(profile));
  }

  void write(const std::string& name, const std::string& text) {
    files->make_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }

  app::Session session() {
    app::SessionOptions options;
    options.layout = platform::Layout::system(folder.path());
    options.hardware_file = folder / "machine.json";
    options.operation_id = "operation-" + std::to_string(++runs);
    options.command_line = "las test";
    return {{*files, *processes, clock, environment}, options};
  }

  app::AddedOverride add(const app::OverrideRequest& request) {
    app::Session running = session();
    return app::add_override(running, request, false, test::test_activity());
  }

  bool revert(const std::string& id) {
    app::Session running = session();
    return app::revert_override(running, id, false, test::test_activity()).changed;
  }

  policy::Decision decide(const std::string& capability) {
    return session().verdict(test::test_activity()).decide(capability);
  }

  std::vector<std::string> states() {
    app::Session looking = session();
    std::vector<std::string> out;
    for (const app::OverrideView& view : app::overrides(looking))
      out.push_back(view.id + " " + view.capability + " " + std::string(to_string(view.state)));
    return out;
  }
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an override admits what the policy denies until it is reverted", "[app]") {
  House house;
  CHECK_FALSE(house.decide("engine").allowed);
  const app::AddedOverride added = house.add({"engine", " we patched it ", ""});
  CHECK(added.added);
  CHECK(added.view.id == "ov-1");
  CHECK(added.view.reason == "we patched it");
  CHECK(house.decide("engine").allowed);
  CHECK(house.decide("engine").override_id == "ov-1");
  CHECK(house.revert("ov-1"));
  CHECK_FALSE(house.decide("engine").allowed);
  CHECK_FALSE(house.revert("ov-1"));
  CHECK(house.add({"engine", "again", ""}).view.id == "ov-3");
  CHECK(house.states() == Lines{"ov-1 engine reverted", "ov-3 engine in-force"});
}

TEST_CASE("an override holds through its last day and not beyond", "[app]") {
  House house;
  const std::string today = platform::to_iso8601(house.clock.now()).substr(0, 10);
  const auto end = platform::end_of_local_day(today);
  REQUIRE(end);
  house.add({"engine", "only today", today});
  house.clock.advance(std::chrono::duration_cast<std::chrono::seconds>(*end - house.clock.now()) -
                      std::chrono::seconds(1));
  CHECK(house.decide("engine").allowed);
  house.clock.advance(std::chrono::seconds(1));
  CHECK_FALSE(house.decide("engine").allowed);
  CHECK(house.states() == Lines{"ov-1 engine expired"});
  const auto over = test::error_of([&] { return house.add({"engine", "too late", today}); });
  REQUIRE(over);
  CHECK(over->kind() == ErrorKind::Usage);
}

TEST_CASE("an override that is not needed is not recorded", "[app]") {
  House house;
  CHECK_FALSE(house.add({"allowed", "just so", ""}).added);
  house.add({"engine", "once", ""});
  const app::AddedOverride again = house.add({"engine", "once", ""});
  CHECK_FALSE(again.added);
  CHECK(again.view.id == "ov-1");
  CHECK(house.states() == Lines{"ov-1 engine in-force"});
}

TEST_CASE("what cannot be overridden says what to type instead", "[app]") {
  House house;
  const auto error = [&](const app::OverrideRequest& request) {
    const auto found = test::error_of([&] { return house.add(request); });
    REQUIRE(found);
    return std::string(to_string(found->kind())) + ": " + found->hint();
  };
  CHECK(error({"engin", "x", ""}) == "not-found: did you mean 'engine'?");
  CHECK(error({"zzz", "x", ""}) ==
        "not-found: see what policies decide about with: las policy show");
  CHECK(error({"engine", "  ", ""}) == "usage: las override add engine --reason \"...\"");
  CHECK(error({"engine", "x", "31.12.2026"}) ==
        "usage: las override add NAME --reason \"...\" --until YYYY-MM-DD");
  house.add({"engine", "first", ""});
  CHECK(error({"engine", "second", ""}) == "usage: las override revert ov-1");
  CHECK(house.states().size() == 1);
}

TEST_CASE("who added and who reverted an override is kept, sudo's user too", "[app]") {
  House house;
  house.environment.variables["SUDO_USER"] = "anna";
  house.add({"engine", "x", ""});
  house.environment.variables["SUDO_USER"] = "bert";
  house.revert("ov-1");
  app::Session looking = house.session();
  const app::OverrideView view = app::overrides(looking).at(0);
  CHECK(view.added_by == "root (sudo by anna)");
  CHECK(view.reverted_by == "root (sudo by bert)");
  CHECK(view.reverted_at == platform::to_iso8601(house.clock.now()));
}

TEST_CASE("only checking an override writes nothing", "[app]") {
  House house;
  app::Session looking = house.session();
  CHECK(app::add_override(looking, {"engine", "x", ""}, true, test::test_activity()).added);
  CHECK(house.states().empty());
  CHECK_FALSE(house.files->exists(house.folder / "var"));
}

TEST_CASE("a site's policy counts, and a broken one is an error with all its faults", "[app]") {
  House house;
  house.write("etc/las/policies.d/site.yaml", "policies: [{name: house, deny: [allowed]}]\n");
  CHECK_FALSE(house.decide("allowed").allowed);
  house.write("etc/las/policies.d/site.yaml", "policies: [{name: house, den: [x], extends: y}]\n");
  const auto error = test::error_of([&] { return house.decide("allowed"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::InvalidData);
  CHECK(error->contexts().size() == 2);
}

TEST_CASE("policy files are checked together with the rules in force", "[app]") {
  House house;
  house.write("mine.yaml", "policies: [{name: more, extends: no-engine}]\n");
  house.write("bad.yaml", "policies: [{name: fine}]\n");
  house.write("copy/shipped.yaml",
              "policies: [{name: no-engine, tier: 1}, {name: new-here, extends: no-engine}]\n");
  const auto faults = [&](const std::string& file) {
    app::Session looking = house.session();
    const app::LintResult result = app::lint_policies(looking, {(house.folder / file).string()});
    Lines out;
    for (const Diagnostic& item : result.diagnostics.items())
      out.push_back(item.message.substr(0, item.message.find(':')));
    return out;
  };
  CHECK(faults("mine.yaml") == Lines{"a machine lands in no tier"});
  REQUIRE(faults("bad.yaml").size() == 1);
  CHECK(faults("bad.yaml")[0].starts_with("there are two rules named 'fine'"));
  CHECK(faults("copy/shipped.yaml") == Lines{});
}
