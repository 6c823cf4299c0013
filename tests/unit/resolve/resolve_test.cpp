// SPDX-License-Identifier: Apache-2.0
// What scenario files (tests/scenario) cannot say: sizes, broken states, order of inputs.
#include "las/resolve/resolve.hpp"

#include "support/catch.hpp"
#include "unit/resolve/builders.hpp"

#include <algorithm>

#include <fmt/format.h>

using builders::install;
using builders::installed;
using builders::lines;
using builders::manifest;
using builders::needing;
using builders::release;
using builders::Stage;
using las::catalog::Catalog;
using las::catalog::Manifest;
using las::state::Reason;
using Lines = std::vector<std::string>;

namespace {

std::string link(int number) {
  return fmt::format("m{:05}", number);
}

// m00000 needs m00001 needs … needs m<count - 1>
std::vector<Manifest> chain(int count) {
  std::vector<Manifest> manifests;
  for (int i = 0; i < count; ++i) {
    manifests.push_back(manifest(link(i), {release("1")}));
    if (i + 1 < count)
      manifests.back().dependencies.modules.push_back({link(i + 1), {}});
  }
  return manifests;
}

}  // namespace

TEST_CASE("a chain of 10,000 modules resolves without recursion", "[resolve]") {
  Stage stage;
  stage.catalog = Catalog(chain(10000));
  const auto outcome = stage.resolve(install({link(0)}));
  REQUIRE(outcome.resolution);
  CHECK(outcome.resolution->choices.size() == 10000);
  CHECK(outcome.resolution->choices.back().why == "needed by m09998; newest release");
}

TEST_CASE("a chain of 10,000 modules that ends in nothing is explained by its ends", "[resolve]") {
  auto manifests = chain(10000);
  manifests.back().dependencies.modules.push_back({"absent", {}});
  Stage stage;
  stage.catalog = Catalog(std::move(manifests));
  const Lines told = lines(stage.resolve(install({link(0)})));
  REQUIRE(told.size() == 14);
  CHECK(told[0] == "not: m00000");
  CHECK(told[1] == "m00000 1: needs m00001");
  CHECK(told[7] == "…: 9989 steps more");
  CHECK(told[12] == "m09999 1: needs absent, which is not in the catalog");
}

TEST_CASE("10,000 installed modules are kept and the removal of the last is refused", "[resolve]") {
  Stage stage;
  stage.catalog = Catalog(chain(10000));
  for (int i = 0; i < 10000; ++i)
    stage.present.modules.push_back(installed(link(i),
                                              "1",
                                              i == 0 ? Reason::User : Reason::Dependency,
                                              i + 1 < 10000 ? Lines{link(i + 1)} : Lines{}));
  las::resolve::Request request;
  request.remove = {link(9999)};
  const Lines told = lines(stage.resolve(request));
  CHECK(told.back() == "try: las remove m09999 m00000");
  CHECK(told.size() == 14);
  CHECK(told[1] == "m09998 1: needs m09999");
  request.remove = {link(0)};
  CHECK(lines(stage.resolve(request)).empty());
}

TEST_CASE("the order of the catalog's input does not change the outcome", "[resolve]") {
  const auto at_work = [](bool reversed) {
    std::vector<Manifest> manifests;
    for (const char* name : {"zeta", "beta", "alpha"}) {
      manifests.push_back(manifest(name, {release("1"), release("2")}));
      manifests.back().provides = {"thing"};
    }
    manifests.push_back(manifest("user", {release("1")}));
    manifests.back().dependencies.capabilities = {"thing"};
    if (reversed)
      std::reverse(manifests.begin(), manifests.end());
    Stage stage;
    stage.catalog = Catalog(std::move(manifests));
    return lines(stage.resolve(install({"user"})));
  };
  CHECK(at_work(false) == Lines{"alpha 2 (cpu) dependency", "user 1 (cpu) user"});
  CHECK(at_work(true) == at_work(false));
}

TEST_CASE("versions compare as las compares them, not as libsolv would", "[resolve]") {
  Stage stage;
  stage.catalog =
      Catalog({manifest("a", {release("b9"), release("b11194"), release("v2.0")}),
               manifest("b", {release("1.0"), release("1.0-rc1"), release("1.0.dev3")})});
  CHECK(lines(stage.resolve(install({"a", "b"}))) ==
        Lines{"a b11194 (cpu) user", "b 1.0 (cpu) user"});
  CHECK(lines(stage.resolve(install({"a@<10", "b@<1.0"}))) ==
        Lines{"a b9 (cpu) user", "b 1.0-rc1 (cpu) user"});
}

TEST_CASE("what is installed stays although the catalog no longer has it", "[resolve]") {
  Stage stage;
  stage.catalog = Catalog({manifest("other", {release("1")})});
  stage.present.modules = {installed("gone", "3", Reason::User, {"lib"}),
                           installed("lib", "1", Reason::Dependency)};
  const auto outcome = stage.resolve(install({"other"}));
  CHECK(lines(outcome) ==
        Lines{"gone 3 (cpu) user", "lib 1 (cpu) dependency", "other 1 (cpu) user"});
  CHECK(outcome.resolution->choices[0].manifest == nullptr);
  CHECK(outcome.resolution->choices[0].variant == nullptr);
  CHECK(outcome.resolution->choices[0].requires_modules == Lines{"lib"});
}

TEST_CASE("a manifest that changed under an installed module disturbs no other request",
          "[resolve]") {
  Stage stage;
  // Today's manifest of "old" wants more than it did when it was installed.
  auto old = needing(manifest("old", {release("1")}), {{"lib", ">=2"}, {"absent", ""}});
  old.conflicts.push_back({"lib", {}});
  stage.catalog =
      Catalog({old, manifest("lib", {release("1")}), manifest("other", {release("1")})});
  stage.present.modules = {installed("lib", "1", Reason::Dependency),
                           installed("old", "1", Reason::User, {"lib", "vanished"})};
  CHECK(lines(stage.resolve(install({"other"}))) ==
        Lines{"lib 1 (cpu) dependency", "old 1 (cpu) user", "other 1 (cpu) user"});
}

TEST_CASE("a world entry makes a dependency the user's own, whatever its record says",
          "[resolve]") {
  Stage stage;
  stage.catalog = Catalog(
      {manifest("lib", {release("1")}), needing(manifest("app", {release("1")}), {{"lib", ""}})});
  stage.present.modules = {installed("app", "1", Reason::User, {"lib"}),
                           installed("lib", "1", Reason::Dependency)};
  stage.present.world = {{"app", "", "", "", false}, {"lib", "", "", "", false}};
  las::resolve::Request request;
  request.remove = {"app"};
  CHECK(lines(stage.resolve(request)) == Lines{"lib 1 (cpu) user"});
}

TEST_CASE("optional companions are never brought in, but stay while their module does",
          "[resolve]") {
  auto app = manifest("app", {release("1")});
  app.dependencies.optional.push_back({"extra", {}});
  Stage stage;
  stage.catalog = Catalog({app, manifest("extra", {release("1")})});
  CHECK(lines(stage.resolve(install({"app"}))) == Lines{"app 1 (cpu) user"});
  stage.present.modules = {installed("app", "1"), installed("extra", "1", Reason::Optional)};
  las::resolve::Request request;
  request.upgrade_all = true;
  CHECK(lines(stage.resolve(request)) == Lines{"app 1 (cpu) user", "extra 1 (cpu) optional"});
  request = {};
  request.remove = {"app"};
  CHECK(lines(stage.resolve(request)).empty());
}

TEST_CASE("modules that need each other in a circle are installed together", "[resolve]") {
  Stage stage;
  stage.catalog = Catalog({needing(manifest("a", {release("1")}), {{"b", ""}}),
                           needing(manifest("b", {release("1")}), {{"a", ""}})});
  CHECK(lines(stage.resolve(install({"a"}))) == Lines{"a 1 (cpu) user", "b 1 (cpu) dependency"});
}

TEST_CASE("a container mode that no source delivers is no way to install", "[resolve]") {
  auto boxed = manifest("boxed", {release("1")});
  boxed.modes = {las::catalog::Mode::Container};
  auto both = manifest("both", {release("1")});
  both.modes = {las::catalog::Mode::Container, las::catalog::Mode::Native};
  both.preferred_mode = las::catalog::Mode::Container;
  Stage stage;
  stage.catalog = Catalog({boxed, both});
  CHECK(lines(stage.resolve(install({"boxed"}))) ==
        Lines{"not: boxed", "boxed 1 (cpu): no source delivers it in container mode", "try: "});
  CHECK(stage.resolve(install({"both"})).resolution->choices.at(0).mode ==
        las::catalog::Mode::Native);
  auto request = install({"both"});
  request.install[0].mode = "container";
  CHECK(lines(stage.resolve(request)) ==
        Lines{"not: both",
              "both 1 (cpu): no source delivers it in container mode",
              "try: las install both"});
}

TEST_CASE("an explanation becomes an error of its kind that says what to type", "[resolve]") {
  using las::resolve::Explanation;
  Explanation explanation;
  explanation.wanted = "engine";
  explanation.reasons = {{"engine 2 (cuda)", "needs an NVIDIA GPU; this machine has none"},
                         {"engine 2 (rocm)", "needs an AMD GPU; this machine has none"}};
  explanation.suggestion = "las install other";
  const las::Error error = to_error(explanation);
  CHECK(error.kind() == las::ErrorKind::Unsatisfiable);
  CHECK(std::string(error.what()) ==
        "cannot be done: engine: engine 2 (cuda) needs an NVIDIA GPU; this machine has none. "
        "engine 2 (rocm) needs an AMD GPU; this machine has none");
  CHECK(error.hint() == "try: las install other");

  explanation.reasons = {{"engine", "no release is 9.9"}, {"other 1", "needs engine"}};
  CHECK(std::string(to_error(explanation).what()) ==
        "cannot be done: engine: no release is 9.9. other 1 needs engine");

  explanation = {};
  explanation.kind = Explanation::Kind::UnknownName;
  explanation.wanted = "enigne";
  CHECK(to_error(explanation).kind() == las::ErrorKind::NotFound);
  CHECK(std::string(to_error(explanation).what()) == "unknown module: enigne");
  CHECK(to_error(explanation).hint().empty());
  explanation.kind = Explanation::Kind::PolicyDenied;
  CHECK(to_error(explanation).kind() == las::ErrorKind::PolicyDenied);
}
