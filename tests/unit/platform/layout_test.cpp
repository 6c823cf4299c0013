// SPDX-License-Identifier: Apache-2.0
#include "las/platform/layout.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace las::platform;

TEST_CASE("the system layout follows the file system hierarchy", "[platform]") {
  const Layout layout = Layout::system("/");
  CHECK(layout.scope == Scope::System);
  CHECK(layout.root == "/");
  CHECK(layout.state == "/var/lib/las");
  CHECK(layout.cache == "/var/cache/las");
  CHECK(layout.config == "/etc/las");
  CHECK(layout.logs == "/var/log/las");
  CHECK(layout.run == "/run/las");
  CHECK(layout.units == "/etc/systemd/system");
  CHECK(layout.database() == "/var/lib/las/db");
  CHECK(layout.staging() == "/var/lib/las/store/.staging");
  CHECK(layout.generation(7) == "/var/lib/las/generations/7");
  CHECK(layout.data("foo") == "/var/lib/las/data/foo");
  CHECK(layout.downloads() == "/var/cache/las/downloads");
  CHECK(layout.lock_file() == "/var/lib/las/lock");
}

TEST_CASE("another root carries the same tree", "[platform]") {
  for (const char* root : {"/srv/test", "/srv/test/", "/srv/./test", "/srv/other/../test//"}) {
    CAPTURE(root);
    const Layout layout = Layout::system(root);
    CHECK(layout.root == "/srv/test");
    CHECK(layout.state == "/srv/test/var/lib/las");
    CHECK(layout.config == "/srv/test/etc/las");
    CHECK(layout.run == "/srv/test/run/las");
    CHECK(layout.units == "/srv/test/etc/systemd/system");
  }
}

TEST_CASE("a relative root is taken from the current folder", "[platform]") {
  const Layout layout = Layout::system("some/root");
  CHECK(layout.root == std::filesystem::current_path() / "some/root");
}

TEST_CASE("the user layout follows the XDG base directories", "[platform]") {
  Environment environment;
  environment.home = "/home/ann";
  const Layout plain = Layout::user(environment);
  CHECK(plain.scope == Scope::User);
  CHECK(plain.state == "/home/ann/.local/share/las");
  CHECK(plain.cache == "/home/ann/.cache/las");
  CHECK(plain.config == "/home/ann/.config/las");
  CHECK(plain.logs == "/home/ann/.local/state/las/log");
  CHECK(plain.run == "/home/ann/.local/share/las/run");
  CHECK(plain.units == "/home/ann/.config/systemd/user");

  environment.variables = {{"XDG_DATA_HOME", "/d"},
                           {"XDG_STATE_HOME", "/s"},
                           {"XDG_CACHE_HOME", "/c"},
                           {"XDG_CONFIG_HOME", "/e"},
                           {"XDG_RUNTIME_DIR", "/run/user/1000"}};
  const Layout moved = Layout::user(environment);
  CHECK(moved.state == "/d/las");
  CHECK(moved.cache == "/c/las");
  CHECK(moved.config == "/e/las");
  CHECK(moved.logs == "/s/las/log");
  CHECK(moved.run == "/run/user/1000/las");
  CHECK(moved.units == "/e/systemd/user");
}

TEST_CASE("a relative XDG folder is ignored, as the specification says", "[platform]") {
  Environment environment;
  environment.home = "/home/ann";
  environment.variables = {{"XDG_CACHE_HOME", "cache"}};
  CHECK(Layout::user(environment).cache == "/home/ann/.cache/las");
}

TEST_CASE("without a home folder there is no user layout", "[platform]") {
  Environment environment;
  environment.user = "ghost";
  const auto error = las::test::error_of([&] { return Layout::user(environment); });
  REQUIRE(error);
  CHECK(error->kind() == las::ErrorKind::NotFound);
  CHECK(std::string(error->what()) == "cannot find the home directory: ghost");
  CHECK(error->hint() == "set HOME to an absolute path");
}
