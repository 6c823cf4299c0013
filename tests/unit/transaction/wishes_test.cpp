// SPDX-License-Identifier: Apache-2.0
// What the user asked for (the world) and whether services are to run, from change to change; plans
// are made by the real planner.
#include "bench.hpp"
#include "support/catch.hpp"
#include "unit/resolve/builders.hpp"

using namespace las;
using namespace las::test;

namespace {

/// "app" needs "lib"; both have the releases 1 and 2, delivered by the stand-in source.
struct Shop {
  World world;
  Process process{world};
  builders::Stage stage;

  Shop() {
    catalog::Manifest app = builders::needing(module("app"), {{"lib", ""}});
    stage.catalog = catalog::Catalog({app, module("lib")});
  }

  static catalog::Manifest module(const std::string& name) {
    catalog::Manifest made =
        builders::manifest(name, {builders::release("2"), builders::release("1")});
    for (catalog::Release& release : made.releases)
      release.variants.front().sources = {source_noted("good")};
    return made;
  }

  void run(const resolve::Request& request) {
    stage.present = process.current();
    const resolve::Outcome outcome = stage.resolve(request);
    REQUIRE(outcome.resolution);
    run_plan(process, plan::make_plan(stage.present, request, *outcome.resolution));
  }

  void install(const std::string& wish) { run(builders::install({wish})); }

  void remove(const std::string& name) {
    resolve::Request request;
    request.remove = {name};
    if (process.current().find(name) != nullptr)
      request.unhold = {name};  // else a hold would refuse it
    run(request);
  }

  void upgrade_all() {
    resolve::Request request;
    request.upgrade_all = true;
    run(request);
  }

  /// As the command that holds does: a transaction of the world alone.
  void hold(const std::string& name) {
    plan::Plan plan{{}, process.current().world};
    for (state::WorldEntry& entry : plan.world)
      entry.held = entry.held || entry.module == name;
    run_plan(process, plan);
  }

  void go_to(std::uint64_t generation) {
    process.transactor().switch_to(generation, "las rollback", process.activity());
  }

  /// "name version reason" of each module, then "wish: name range" or "held: ..." of each wish.
  std::vector<std::string> state() {
    const state::Generation now = process.current();
    std::vector<std::string> all;
    for (const state::InstalledModule& module : now.modules)
      all.push_back(module.name + " " + module.version + " " +
                    std::string(state::to_string(module.reason)));
    for (const state::WorldEntry& entry : now.world)
      all.push_back((entry.held ? "held: " : "wish: ") + entry.module + entry.range);
    return all;
  }
};

using State = std::vector<std::string>;

}  // namespace

TEST_CASE("an upgrade keeps wishes and reasons, and leaves alone what is held", "[transaction]") {
  Shop shop;
  shop.install("app=1");
  shop.install("lib=1");
  shop.hold("lib");
  CHECK(shop.state() == State{"app 1 user", "lib 1 user", "wish: app==1", "held: lib==1"});
  shop.install("app");
  CHECK(shop.state() == State{"app 1 user", "lib 1 user", "wish: app", "held: lib==1"});
  shop.upgrade_all();
  CHECK(shop.state() == State{"app 2 user", "lib 1 user", "wish: app", "held: lib==1"});
}

TEST_CASE("a dependency that is asked for becomes the user's own and survives its user",
          "[transaction]") {
  Shop shop;
  shop.install("app");
  CHECK(shop.state() == State{"app 2 user", "lib 2 dependency", "wish: app"});
  shop.install("lib");
  CHECK(shop.state() == State{"app 2 user", "lib 2 user", "wish: app", "wish: lib"});
  shop.remove("app");
  CHECK(shop.state() == State{"lib 2 user", "wish: lib"});
}

TEST_CASE("removing takes the wish along with the dependency it brought", "[transaction]") {
  Shop shop;
  shop.install("app");
  shop.remove("app");
  CHECK(shop.state().empty());
}

TEST_CASE("a rollback brings back the wishes, reasons and holds of its generation",
          "[transaction]") {
  Shop shop;
  shop.install("app=1");
  const State first = shop.state();
  shop.hold("app");
  const State held = shop.state();
  REQUIRE(held == State{"app 1 user", "lib 2 dependency", "held: app==1"});
  shop.install("lib");
  shop.remove("app");
  shop.go_to(2);
  CHECK(shop.state() == held);
  shop.upgrade_all();
  CHECK(shop.state() == held);
  shop.go_to(1);
  CHECK(shop.state() == first);
}

TEST_CASE("a stopped service stays stopped over an upgrade, its rejection and a rollback",
          "[transaction]") {
  World world;
  Process process(world);
  const auto wished = [&] {
    bool running = true;
    process.store().read([&](const state::ReadTransaction& transaction) {
      running = transaction.service_wish("tiny").value().running;
    });
    return running;
  };
  run_plan(process, install_plan(plan::Action::Install, "1"));
  run_plan(process, deploy_plan(process.current()));
  world.machine.running.clear();
  process.store().write([](state::WriteTransaction& transaction) {
    transaction.put_service_wish({"tiny", false, {}});
  });
  run_plan(process, install_plan(plan::Action::Upgrade, "2"));
  CHECK_FALSE(wished());
  process.transactor().switch_to(2, "las rollback", process.activity());
  CHECK_FALSE(wished());
  CHECK(world.machine.running.empty());
  // A way back restores the wish that the rejected deployment had overwritten.
  world.machine.sick.insert("tiny");
  state::ServiceInstance changed = process.current().services.front();
  changed.port = 11501;
  CHECK_THROWS_AS(run_plan(process, plan::make_deploy_plan(process.current(), changed)), Error);
  CHECK_FALSE(wished());
}

TEST_CASE("a module and a service of it come in one transaction", "[transaction]") {
  World world;
  Process process(world);
  plan::Plan plan = install_plan(plan::Action::Install, "1");
  plan::PlannedAction deploy;
  deploy.action = plan::Action::Deploy;
  deploy.subject = "tiny";
  deploy.requires_modules = {"demo"};
  deploy.service.emplace();
  deploy.service->id = "tiny";
  deploy.service->module = "demo";
  deploy.service->health_kind = "none";
  plan.actions.push_back(deploy);
  run_plan(process, plan);
  // Rendered for the place in the store that was not known before.
  CHECK(process.current().services.front().argv ==
        std::vector<std::string>{process.current().modules.front().executables.at("tool")});
  CHECK(world.machine.running.contains("tiny"));
  CHECK(process.current().number == 1);
}

TEST_CASE("a plan may give a module that stays another reason", "[transaction]") {
  World world;
  Process process(world);
  run_plan(process, install_plan(plan::Action::Install, "1"));
  plan::Plan plan;
  plan.reasons = {{"demo", state::Reason::Dependency}};
  run_plan(process, plan);
  CHECK(process.current().modules.front().reason == state::Reason::Dependency);
  CHECK(process.current().world.empty());
}

TEST_CASE("what a run did before its transaction is in the same line of history", "[transaction]") {
  World world;
  Process process(world);
  process.store().write([&](state::WriteTransaction& transaction) {
    state::OperationRecord operation;
    operation.id = "operation-1";
    operation.started_at = "before";
    operation.changes = {"import model tiny"};
    transaction.put_operation(operation);
  });
  run_plan(process, install_plan(plan::Action::Install, "1"));
  std::vector<state::OperationRecord> operations;
  process.store().read(
      [&](const state::ReadTransaction& transaction) { operations = transaction.operations(); });
  REQUIRE(operations.size() == 1);
  CHECK(operations[0].changes ==
        std::vector<std::string>{"import model tiny", "install demo 1 (any)"});
  CHECK(operations[0].started_at == "before");
  CHECK(operations[0].outcome == "done");
}

TEST_CASE("switching to the current generation makes the machine what the records say",
          "[transaction]") {
  World world;
  {
    Process process(world);
    run_plan(process, install_plan(plan::Action::Install, "1"));
    run_plan(process, deploy_plan(process.current()));
  }
  const std::string good = describe(world);
  state::ServiceInstance alien = world.machine.installed.at("tiny");
  alien.id = "alien";
  world.machine.installed = {{"alien", alien}};
  world.machine.running = {"alien"};
  REQUIRE(describe(world) != good);
  {
    Process process(world);
    process.transactor().switch_to(2, "las rollback 2", process.activity());
  }
  CHECK(describe(world) == good);
}
