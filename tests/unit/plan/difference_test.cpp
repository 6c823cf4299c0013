// SPDX-License-Identifier: Apache-2.0
#include "las/plan/difference.hpp"

#include "support/catch.hpp"

using namespace las;

namespace {

state::InstalledModule module(const std::string& name,
                              const std::string& version,
                              std::vector<std::string> needs = {}) {
  state::InstalledModule module;
  module.name = name;
  module.version = version;
  module.variant = "cpu";
  module.mode = "native";
  module.store_name = name + "-" + version;
  module.requires_modules = std::move(needs);
  return module;
}

state::Generation generation(std::vector<state::InstalledModule> modules) {
  state::Generation generation;
  generation.modules = std::move(modules);
  return generation;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("equal generations do not differ, whenever they were made", "[plan]") {
  state::Generation a = generation({module("a", "1")}), b = a;
  b.number = 7;
  b.modules.front().installed_at = "2026-01-01T00:00:00Z";
  CHECK(plan::difference(a, b).empty());
}

TEST_CASE("what came, left and changed is told by name", "[plan]") {
  state::Generation a = generation({module("a", "1"), module("b", "1")});
  state::Generation b = generation({module("b", "2"), module("c", "1")});
  b.world = {{"c", ">=1", "", "", true, true}};
  state::ServiceInstance service;
  service.id = "tiny";
  service.module = "b";
  service.model = "m";
  a.services = {service};
  CHECK(plan::describe(plan::difference(a, b)) == Lines{"module a: 1 (cpu) -> -",
                                                        "module b: 1 (cpu) -> 2 (cpu)",
                                                        "module c: - -> 1 (cpu)",
                                                        "service tiny: b m -> -",
                                                        "wish c: - -> wished for >=1, held"});
}

TEST_CASE("an operation in the middle is taken back and the later ones stay", "[plan]") {
  const auto one = generation({module("a", "1")});
  const auto two = generation({module("a", "2")});
  const auto three = generation({module("a", "2"), module("b", "1")});
  const plan::Undo undo = plan::undo(three, one, two);
  CHECK(undo.obstacles.empty());
  CHECK(undo.result.modules == std::vector{module("a", "1"), module("b", "1")});
  CHECK(plan::describe(undo.change) == Lines{"module a: 2 (cpu) -> 1 (cpu)"});
}

TEST_CASE("what was changed again since cannot be taken back alone", "[plan]") {
  const auto one = generation({module("a", "1")});
  const auto two = generation({module("a", "2")});
  const auto three = generation({module("a", "3")});
  CHECK(plan::undo(three, one, two).obstacles ==
        Lines{"a was changed again since: it was left as 2 (cpu) and is 3 (cpu) now"});
}

TEST_CASE("what a later module or service needs cannot be taken away", "[plan]") {
  const auto none = generation({});
  const auto one = generation({module("a", "1")});
  auto two = generation({module("a", "1"), module("b", "1", {"a"})});
  state::ServiceInstance service;
  service.id = "tiny";
  service.module = "a";
  two.services = {service};
  CHECK(plan::undo(two, none, one).obstacles == Lines{"b needs a", "service tiny runs a"});
}

TEST_CASE("what differs in nothing but the command or port of a service is told all the same",
          "[plan]") {
  state::Generation a = generation({module("a", "1")}), b = a;
  state::ServiceInstance service;
  service.id = "tiny";
  service.module = "a";
  service.port = 8080;
  service.argv = {"/x/a"};
  a.services = {service};
  service.port = 8081;
  b.services = {service};
  CHECK(plan::describe(plan::difference(a, b)) ==
        Lines{"service tiny: a (127.0.0.1:8080 /x/a -> 127.0.0.1:8081 /x/a)"});
  service.port = 8080;
  service.unit_text = "[Unit]";
  b.services = {service};
  CHECK(plan::describe(plan::difference(a, b)) == Lines{"service tiny: a, made anew"});
}

TEST_CASE("taking back what is taken back already changes nothing", "[plan]") {
  const auto before = generation({module("a", "1")}), after = generation({module("a", "2")});
  CHECK(plan::undo(before, before, after).obstacles.empty());
  CHECK(plan::undo(before, before, after).change.empty());
  const auto none = generation({});
  const auto one = generation({module("a", "1")});
  const plan::Undo undo = plan::undo(one, none, none);
  CHECK(undo.obstacles.empty());
  CHECK(undo.change.empty());
}
