// SPDX-License-Identifier: Apache-2.0
// The distribution's packages below modules: who brought them, who needs them, when they go.
#include "bench.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace las;
using namespace las::test;
using Names = std::vector<std::string>;

namespace {

plan::PlannedAction bring(const std::string& name,
                          const std::string& version,
                          const Names& packages,
                          plan::Action kind = plan::Action::Install) {
  plan::PlannedAction action = install_plan(kind, version).actions.front();
  action.subject = name;
  action.system_packages = packages;
  return action;
}

plan::PlannedAction removal(const std::string& name) {
  plan::PlannedAction action = remove_plan().actions.front();
  action.subject = name;
  return action;
}

/// A distribution where "engine" and "tool" are modules over the packages libcommon (which needs
/// libdata), libengine and libtool.
struct Shop {
  World world;
  Process process{world};

  Shop() {
    world.distribution.depends = {
        {"libcommon", {"libdata"}}, {"libdata", {}}, {"libengine", {}}, {"libtool", {}}};
  }

  void run(std::vector<plan::PlannedAction> actions) {
    run_plan(process, {std::move(actions), {}});
  }

  void go_to(std::uint64_t generation) {
    process.transactor().switch_to(generation, "las rollback", process.activity());
  }

  Names packages() const { return world.distribution.names(); }
};

}  // namespace

TEST_CASE("packages that a module brought go with it, and only those", "[transaction]") {
  Shop shop;
  shop.world.distribution.installed = shop.world.distribution.manual = {"libtool"};
  shop.run({bring("engine", "1", {"libcommon", "libtool"})});
  CHECK(shop.packages() == Names{"libcommon", "libdata", "libtool"});
  shop.run({removal("engine")});
  CHECK(shop.packages() == Names{"libtool"});
}

TEST_CASE("a package that two modules need goes with the last of them, whoever brought it",
          "[transaction]") {
  for (const auto& [first, second] : {std::pair("engine", "tool"), std::pair("tool", "engine")}) {
    INFO("removed first: " << first);
    Shop shop;
    shop.run({bring("engine", "1", {"libcommon", "libengine"})});
    shop.run({bring("tool", "1", {"libcommon", "libtool"})});
    shop.run({removal(first)});
    CHECK(shop.packages() ==
          Names{"libcommon", "libdata", first == std::string("engine") ? "libtool" : "libengine"});
    shop.run({removal(second)});
    CHECK(shop.packages().empty());
  }
}

TEST_CASE("what is handed over goes on from module to module", "[transaction]") {
  Shop shop;
  shop.run({bring("a", "1", {"libcommon"})});
  shop.run({bring("b", "1", {"libcommon"})});
  shop.run({removal("a")});
  shop.run({bring("c", "1", {"libcommon"})});
  shop.run({removal("b")});
  CHECK(shop.packages() == Names{"libcommon", "libdata"});
  shop.run({removal("c")});
  CHECK(shop.packages().empty());
}

TEST_CASE("two modules that leave together leave no package behind", "[transaction]") {
  Shop shop;
  shop.run({bring("engine", "1", {"libcommon"})});
  shop.run({bring("tool", "1", {"libcommon"})});
  shop.run({removal("tool"), removal("engine")});
  CHECK(shop.packages().empty());
}

TEST_CASE("an upgrade keeps what the old version brought until the module goes", "[transaction]") {
  Shop shop;
  shop.run({bring("engine", "1", {"libcommon"})});
  shop.run({bring("engine", "2", {"libcommon", "libengine"}, plan::Action::Upgrade)});
  CHECK(shop.packages() == Names{"libcommon", "libdata", "libengine"});
  shop.run({bring("engine", "3", {}, plan::Action::Upgrade)});
  CHECK(shop.packages() == Names{"libcommon", "libdata", "libengine"});
  shop.run({removal("engine")});
  CHECK(shop.packages().empty());
}

TEST_CASE("a rollback over an upgrade takes away what the upgrade brought", "[transaction]") {
  Shop shop;
  shop.run({bring("engine", "1", {"libcommon"})});
  shop.run({bring("engine", "2", {"libcommon", "libengine"}, plan::Action::Upgrade)});
  shop.go_to(1);
  CHECK(shop.packages() == Names{"libcommon", "libdata"});
  shop.go_to(0);
  CHECK(shop.packages().empty());
}

TEST_CASE("a rollback keeps what the older generation's other modules need", "[transaction]") {
  Shop shop;
  shop.run({bring("engine", "1", {"libcommon"})});
  shop.run({bring("tool", "1", {"libcommon"})});
  shop.run({removal("engine")});
  shop.go_to(2);
  CHECK(shop.packages() == Names{"libcommon", "libdata"});
  shop.go_to(3);
  CHECK(shop.packages() == Names{"libcommon", "libdata"});
  shop.run({removal("tool")});
  CHECK(shop.packages().empty());
}

TEST_CASE("a generation whose packages were taken away since is not switched to", "[transaction]") {
  Shop shop;
  shop.run({bring("engine", "1", {"libcommon"})});
  shop.run({removal("engine")});
  const auto error = error_of([&] {
    shop.go_to(1);
    return 0;
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::CorruptState);
  CHECK(error->hint() == "install it again: las install engine");
  CHECK(shop.process.current().number == 2);
  CHECK_FALSE(shop.process.journal_open());
}

TEST_CASE("an upgrade that is rejected takes back its packages and keeps the old ones",
          "[transaction]") {
  Shop shop;
  shop.run({bring("demo", "1", {"libcommon"})});
  run_plan(shop.process, deploy_plan(shop.process.current()));
  shop.world.machine.sick.insert("tiny");
  const auto error = error_of([&] {
    shop.run({bring("demo", "2", {"libcommon", "libengine"}, plan::Action::Upgrade)});
    return 0;
  });
  REQUIRE(error);
  CHECK(error->was_rolled_back());
  CHECK(shop.packages() == Names{"libcommon", "libdata"});
}
