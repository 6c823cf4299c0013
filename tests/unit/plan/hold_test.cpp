// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "unit/resolve/builders.hpp"

#include "las/plan/plan.hpp"

using builders::installed;
using las::plan::make_hold_plan;
using las::plan::Plan;
using las::plan::world_changes;
using las::state::Generation;
using las::state::Reason;
using las::state::WorldEntry;
using Lines = std::vector<std::string>;

namespace {

Generation present() {
  Generation generation;
  generation.modules = {installed("app", "1"), installed("lib", "1", Reason::Dependency)};
  WorldEntry wish;
  wish.module = "app";
  wish.range = "<2";
  generation.world = {wish};
  return generation;
}

las::resolve::Request hold(Lines names) {
  las::resolve::Request request;
  request.hold = std::move(names);
  return request;
}

las::resolve::Request unhold(Lines names) {
  las::resolve::Request request;
  request.unhold = std::move(names);
  return request;
}

}  // namespace

TEST_CASE("a hold keeps the wish and makes a dependency no wish", "[plan]") {
  const Plan plan = make_hold_plan(present(), hold({"lib", "app"}));
  CHECK(plan.empty());
  REQUIRE(plan.world.size() == 2);
  CHECK(plan.world[0] == WorldEntry{"app", "<2", "", "", true, true});
  CHECK(plan.world[1] == WorldEntry{"lib", "", "", "", true, false});
  CHECK(world_changes(present().world, plan) == Lines{"hold app", "hold lib"});
}

TEST_CASE("lifting a hold leaves the wish, and nothing of what was only held", "[plan]") {
  Generation generation = present();
  generation.world = make_hold_plan(generation, hold({"app", "lib"})).world;
  const Plan plan = make_hold_plan(generation, unhold({"app", "lib"}));
  CHECK(plan.world == present().world);
  CHECK(world_changes(generation.world, plan) == Lines{"unhold app", "unhold lib"});
}

TEST_CASE("lifting a hold that is not there changes nothing", "[plan]") {
  CHECK(make_hold_plan(present(), unhold({"app"})).world == present().world);
}

TEST_CASE("a held dependency that is asked for becomes a wish and stays held", "[plan]") {
  builders::Stage stage;
  stage.catalog = las::catalog::Catalog({builders::manifest("lib", {builders::release("1")}),
                                         builders::manifest("app", {builders::release("1")})});
  stage.present = present();
  stage.present.world = make_hold_plan(stage.present, hold({"lib"})).world;
  const auto request = builders::install({"lib"});
  const auto outcome = stage.resolve(request);
  REQUIRE(outcome.resolution);
  const Plan plan = las::plan::make_plan(stage.present, request, *outcome.resolution);
  CHECK(plan.world.back() == WorldEntry{"lib", "", "", "", true, true});
  CHECK(world_changes(stage.present.world, plan) == Lines{"wish for lib"});
}

TEST_CASE("what differs between wishes is told for history, removals apart", "[plan]") {
  const WorldEntry any{"app", "", "", "", false, true};
  WorldEntry ranged = any;
  ranged.range = ">=2";
  const auto to = [](std::vector<WorldEntry> world) {
    Plan plan;
    plan.world = std::move(world);
    return plan;
  };
  CHECK(world_changes({}, to({any})) == Lines{"wish for app"});
  CHECK(world_changes({any}, to({ranged})) == Lines{"wish for app >=2"});
  CHECK(world_changes({any}, to({any})).empty());
  CHECK(world_changes({any}, to({})).empty());
  // That what is installed was wished for goes without saying; its range does not.
  Plan installing = to({any});
  installing.actions.emplace_back().subject = "app";
  CHECK(world_changes({}, installing).empty());
  installing.world = {ranged};
  CHECK(world_changes({}, installing) == Lines{"wish for app >=2"});
}

TEST_CASE("a module that works with another provider now has that recorded", "[plan]") {
  builders::Stage stage;
  auto user = builders::manifest("user", {builders::release("1")});
  user.dependencies.capabilities = {"thing"};
  auto alpha = builders::manifest("alpha", {builders::release("1")});
  auto beta = builders::manifest("beta", {builders::release("1")});
  alpha.provides = beta.provides = {"thing"};
  stage.catalog = las::catalog::Catalog({user, alpha, beta});
  stage.present.modules = {installed("alpha", "1", Reason::Dependency),
                           installed("beta", "1"),
                           installed("user", "1", Reason::User, {"alpha"})};
  auto request = builders::install({"user"});
  request.prefer = {"beta"};
  const auto outcome = stage.resolve(request);
  REQUIRE(outcome.resolution);
  const Plan plan = las::plan::make_plan(stage.present, request, *outcome.resolution);
  REQUIRE(plan.requirements.count("user") == 1);
  CHECK(plan.requirements.at("user") == Lines{"beta"});
}
