// SPDX-License-Identifier: Apache-2.0
#include "las/plan/plan.hpp"

#include "support/catch.hpp"
#include "unit/resolve/builders.hpp"

using builders::install;
using builders::installed;
using builders::manifest;
using builders::release;
using builders::Stage;
using builders::variant;
using las::ByteSize;
using las::plan::Action;
using las::plan::make_deploy_plan;
using las::plan::make_plan;
using las::plan::make_undeploy_plan;
using las::plan::Plan;
using las::plan::PlannedAction;
using las::plan::summary;
using las::state::Reason;
using Lines = std::vector<std::string>;

namespace {

Plan plan_for(const Stage& stage, const las::resolve::Request& request) {
  const auto outcome = stage.resolve(request);
  REQUIRE(outcome.resolution);
  return make_plan(stage.present, request, *outcome.resolution);
}

Lines summaries(const Plan& plan) {
  Lines all;
  for (const PlannedAction& action : plan.actions)
    all.push_back(summary(action));
  return all;
}

las::catalog::ArchivePart part(std::optional<ByteSize> size, bool pinned) {
  las::catalog::ArchivePart made;
  made.urls = {"https://example.invalid/a.tar.gz"};
  made.size = size;
  if (pinned)
    made.digest = las::Digest();
  return made;
}

Stage stage_with_source(const las::catalog::Source& first) {
  auto engine = manifest("engine", {release("1")});
  auto& sources = engine.releases[0].variants[0].sources;
  sources.insert(sources.begin(), first);
  engine.directory = "/somewhere/engine";
  Stage stage;
  stage.catalog = las::catalog::Catalog({engine});
  return stage;
}

}  // namespace

TEST_CASE("a planned install carries what the transaction needs", "[plan]") {
  las::catalog::Source archive;
  archive.how = las::catalog::ArchiveSource{{part(ByteSize(100), true), part(ByteSize(20), true)}};
  archive.installed_size = ByteSize(500);
  const Stage stage = stage_with_source(archive);
  const Plan plan = plan_for(stage, install({"engine@>=1"}));
  REQUIRE(plan.actions.size() == 1);
  const PlannedAction& action = plan.actions[0];
  CHECK(action.action == Action::Install);
  CHECK(action.subject == "engine");
  CHECK(action.version == "1");
  CHECK(action.old_version.empty());
  CHECK(action.variant == "cpu");
  CHECK(action.mode == "native");
  CHECK(action.reason == Reason::User);
  CHECK(action.why == "newest release");
  CHECK(action.sources == stage.catalog.find("engine")->releases[0].variants[0].sources);
  CHECK(action.manifest_directory == "/somewhere/engine");
  CHECK_FALSE(action.unpinned);
  CHECK(action.download_size == ByteSize(120));
  CHECK(action.installed_size == ByteSize(500));
  CHECK(plan.world == std::vector<las::state::WorldEntry>{{"engine", ">=1", "", "", false}});
}

TEST_CASE("distribution packages are the release's own, else the module's", "[plan]") {
  auto engine = manifest("engine", {release("2"), release("1")});
  engine.dependencies.system = {"curl"};
  engine.releases[0].dependencies.emplace().system = {"libgomp1"};
  Stage stage;
  stage.catalog = las::catalog::Catalog({engine});
  CHECK(plan_for(stage, install({"engine"})).actions.at(0).system_packages == Lines{"libgomp1"});
  CHECK(plan_for(stage, install({"engine=1"})).actions.at(0).system_packages == Lines{"curl"});
}

TEST_CASE("one part without a digest makes a release unpinned", "[plan]") {
  las::catalog::Source archive;
  archive.how = las::catalog::ArchiveSource{{part(ByteSize(1), true), part(std::nullopt, false)}};
  PlannedAction action = plan_for(stage_with_source(archive), install({"engine"})).actions.at(0);
  CHECK(action.unpinned);
  CHECK_FALSE(action.download_size.has_value());
  archive.download_size = ByteSize(77);
  action = plan_for(stage_with_source(archive), install({"engine"})).actions.at(0);
  CHECK(action.download_size == ByteSize(77));
}

TEST_CASE("a second source without a digest does not make the preferred one unpinned", "[plan]") {
  Stage stage = stage_with_source(las::catalog::Source{});
  auto engine = *stage.catalog.find("engine");
  auto& sources = engine.releases[0].variants[0].sources;
  sources[0].how = las::catalog::ArchiveSource{{part(ByteSize(1), true)}};
  sources[1].how = las::catalog::ArchiveSource{{part(ByteSize(1), false)}};
  stage.catalog = las::catalog::Catalog({engine});
  CHECK_FALSE(plan_for(stage, install({"engine"})).actions.at(0).unpinned);
}

TEST_CASE("a plan goes from users to dependencies down and from dependencies to users up",
          "[plan]") {
  Stage stage;
  auto app = builders::needing(manifest("app", {release("2")}), {{"middle", ""}});
  auto middle = builders::needing(manifest("middle", {release("1")}), {{"zbase", ""}});
  stage.catalog = las::catalog::Catalog({app, middle, manifest("zbase", {release("1")})});
  stage.present.modules = {installed("a-dep", "1", Reason::Dependency),
                           installed("old", "1", Reason::User, {"a-dep", "z-dep"}),
                           installed("z-dep", "1", Reason::Dependency, {"a-dep"})};
  stage.present.world = {{"old", "", "", "", false}};
  auto request = install({"app"});
  request.remove = {"old"};
  const Plan plan = plan_for(stage, request);
  CHECK(summaries(plan) == Lines{"remove old 1 (cpu)",
                                 "remove z-dep 1 (cpu)",
                                 "remove a-dep 1 (cpu)",
                                 "install zbase 1 (cpu)",
                                 "install middle 1 (cpu)",
                                 "install app 2 (cpu)"});
  CHECK(plan.actions[0].why == "asked for");
  CHECK(plan.actions[1].why == "no longer needed");
  CHECK(plan.world == std::vector<las::state::WorldEntry>{{"app", "", "", "", false}});
}

TEST_CASE("a change of version, direction or variant has its own word", "[plan]") {
  Stage stage;
  stage.catalog = las::catalog::Catalog(
      {manifest("down", {release("2"), release("1")}),
       manifest("same", {release("1", {variant("cpu", 1), variant("slow", 0)})}),
       manifest("up", {release("2"), release("1")})});
  stage.present.modules = {installed("down", "2"), installed("same", "1"), installed("up", "1")};
  stage.present.world = {{"up", "", "", "", true}, {"zz", "", "", "", false}};
  auto request = install({"down=1", "same"});
  request.install[1].variant = "slow";
  CHECK(summaries(plan_for(stage, request)) ==
        Lines{"downgrade down 2 -> 1 (cpu)", "reinstall same 1 (slow)"});
  stage.present.world = {{"up", "", "", "", false}};
  request = {};
  request.upgrade = {"up"};
  const Plan plan = plan_for(stage, request);
  CHECK(summaries(plan) == Lines{"upgrade up 1 -> 2 (cpu)"});
  CHECK(plan.actions[0].old_version == "1");
  CHECK(plan.world == stage.present.world);
}

TEST_CASE("asking again changes the wish but neither the hold nor the installation", "[plan]") {
  Stage stage;
  stage.catalog = las::catalog::Catalog({manifest("up", {release("2"), release("1")})});
  stage.present.modules = {installed("up", "1")};
  stage.present.world = {{"up", "==1", "cpu", "native", true}};
  const Plan plan = plan_for(stage, install({"up@<2"}));
  CHECK(plan.empty());
  CHECK(plan.world == std::vector<las::state::WorldEntry>{{"up", "<2", "", "", true}});
}

TEST_CASE("a service is deployed on an installed module only", "[plan]") {
  las::state::Generation present;
  present.modules = {installed("engine", "3")};
  present.world = {{"engine", "", "", "", false}};
  las::state::ServiceInstance service;
  service.id = "tiny";
  service.module = "engine";
  service.model = "tiny-model";
  const Plan plan = make_deploy_plan(present, service);
  REQUIRE(plan.actions.size() == 1);
  CHECK(summary(plan.actions[0]) == "deploy tiny (engine)");
  CHECK(plan.actions[0].why == "serves tiny-model with engine");
  CHECK(plan.actions[0].version == "3");
  CHECK(plan.actions[0].service == service);
  CHECK(plan.world == present.world);

  service.module = "absent";
  CHECK_THROWS_WITH(make_deploy_plan(present, service),
                    "the module that would serve it is not installed: absent");
}

TEST_CASE("a service that is there can be taken away", "[plan]") {
  las::state::Generation present;
  present.services.emplace_back();
  present.services[0].id = "tiny";
  present.services[0].module = "engine";
  const Plan plan = make_undeploy_plan(present, "tiny");
  REQUIRE(plan.actions.size() == 1);
  CHECK(plan.actions[0].action == Action::Undeploy);
  CHECK(summary(plan.actions[0]) == "undeploy tiny (engine)");
  try {
    make_undeploy_plan(present, "tinny");
    FAIL("accepted");
  } catch (const las::Error& error) {
    CHECK(error.kind() == las::ErrorKind::NotFound);
    CHECK(std::string(error.what()) == "unknown service: tinny");
    CHECK(error.hint() == "did you mean tiny?");
  }
}
