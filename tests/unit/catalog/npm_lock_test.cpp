// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/npm_lock.hpp"

#include "support/catch.hpp"

using namespace las;
using namespace las::catalog;

namespace {

using Texts = std::vector<std::string>;

const std::string kIntegrity = "sha512-" + std::string(86, 'A') + "==";

/// A lock whose root asks for "a" 1.0; `more`: further entries, `a`: further keys of a's.
std::string lock_of(const std::string& more = {}, const std::string& a = {}) {
  return R"({"name": "top", "lockfileVersion": 3, "requires": true, "packages": {
    "": {"name": "top", "dependencies": {"a": "1.0"}},
    "node_modules/a": {"version": "1.0", "integrity": ")" +
         kIntegrity + "\"" + a + "}" + more + "}}";
}

Texts faults_of(const std::string& json) {
  Diagnostics diagnostics;
  const auto lock = parse_npm_lock(json, "l.json", diagnostics);
  CHECK(lock.has_value() != diagnostics.has_errors());
  Texts out;
  for (const auto& item : diagnostics.items())
    out.push_back(item.to_string());
  return out;
}

}  // namespace

TEST_CASE("a lock of npm is read with what the root wants first", "[catalog]") {
  Diagnostics diagnostics;
  const auto lock = parse_npm_lock(
      lock_of(", \"node_modules/a/node_modules/@s/b\": {\"version\": \"2.1.0-rc.1\", "
              "\"integrity\": \"" +
                  kIntegrity + "\", \"hasInstallScript\": true}",
              ", \"dependencies\": {\"@s/b\": \"^2\"}"),
      "l.json",
      diagnostics);
  REQUIRE(lock.has_value());
  const NpmPackage a{"node_modules/a", "a", "1.0", kIntegrity, false};
  const NpmPackage b{"node_modules/a/node_modules/@s/b", "@s/b", "2.1.0-rc.1", kIntegrity, true};
  CHECK(*lock == NpmLock{"top", {a, b}, {a}});
}

TEST_CASE("what comes inside another package's archive needs no digest of its own", "[catalog]") {
  CHECK(faults_of(lock_of(", \"node_modules/a/node_modules/b\": {\"version\": \"1\", \"inBundle\": "
                          "true}")) == Texts{});
  CHECK(faults_of(lock_of(", \"node_modules/b\": {\"version\": \"1\", \"inBundle\": true}")) ==
        Texts{"l.json: error: node_modules/b: is not inside another package"});
}

TEST_CASE("a lock of npm without a strong digest for every package is refused", "[catalog]") {
  const auto with = [](const std::string& integrity) {
    return faults_of(lock_of(", \"node_modules/b\": {\"version\": \"1\", \"integrity\": \"" +
                             integrity + "\"}"));
  };
  const Texts refused{"l.json: error: node_modules/b.integrity: is not one sha512"};
  CHECK(with("sha1-" + std::string(27, 'A') + "=") == refused);
  CHECK(with("sha512-AAAA") == refused);
  CHECK(with(kIntegrity + " " + kIntegrity) == refused);
  CHECK(with("") == refused);
  CHECK(with(kIntegrity) == Texts{});
}

TEST_CASE("a lock of npm that leads out of the registry or its folder is refused", "[catalog]") {
  const auto entry = [](const std::string& path, const std::string& keys) {
    return faults_of(
        lock_of(", \"" + path + "\": {\"integrity\": \"" + kIntegrity + "\", " + keys + "}"));
  };
  for (const char* path : {"../a",
                           "node_modules/../../etc",
                           "node_modules/.bin",
                           "node_modules/@s",
                           "node_modules/a/b",
                           "/node_modules/a",
                           "packages/b",
                           "node_modules/-g",
                           "node_modules/b\\u0000c"}) {
    INFO(path);
    const Texts faults = entry(path, "\"version\": \"1\"");
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].ends_with(": is not a package below node_modules"));
  }
  CHECK(
      entry("node_modules/b", "\"version\": \"1\", \"resolved\": \"https://example.org/b.tgz\"") ==
      Texts{"l.json: error: node_modules/b.resolved: names a place, and each machine has its own "
            "registry (npm install --package-lock-only --omit-lockfile-registry-resolved)"});
  CHECK(entry("node_modules/b", "\"version\": \"1\", \"link\": true") ==
        Texts{"l.json: error: node_modules/b: is not a version from the registry"});
  CHECK(entry("node_modules/b", "\"license\": \"MIT\"") ==
        Texts{"l.json: error: node_modules/b: is not a version from the registry"});
}

TEST_CASE("the root of a lock asks for versions that the lock has", "[catalog]") {
  const auto root = [](const std::string& entry) {
    return faults_of("{\"lockfileVersion\": 3, \"packages\": {\"\": " + entry +
                     ", \"node_modules/a\": {\"version\": \"1.0\", \"integrity\": \"" + kIntegrity +
                     "\"}}}");
  };
  const Texts other{
      "l.json: error: packages..dependencies.a: is not the version that the lock has "
      "of it"};
  CHECK(root("{\"dependencies\": {\"a\": \"1.0\"}}") == Texts{});
  CHECK(root("{\"dependencies\": {\"a\": \"^1.0\"}}") == other);
  CHECK(root("{\"dependencies\": {\"a\": \"git+ssh://example.org/a.git\"}}") == other);
  CHECK(root("{}") == Texts{"l.json: error: packages..dependencies: missing key"});
  CHECK(root("{\"workspaces\": [\"x\"], \"dependencies\": {\"a\": \"1.0\"}}") ==
        Texts{"l.json: error: workspaces: is not for the root of a lock (put it under "
              "dependencies)"});
}

TEST_CASE("what is no lock of npm is refused", "[catalog]") {
  const Texts no_lock{"l.json: error: not a package-lock.json"};
  CHECK(faults_of("") == no_lock);
  CHECK(faults_of("[]") == no_lock);
  CHECK(faults_of("{\"a\": \xff}") == no_lock);
  CHECK(faults_of(std::string(100'000, '[')) == no_lock);
  CHECK(faults_of("{\"lockfileVersion\": 1}") ==
        Texts{"l.json: error: lockfileVersion: is not 3 (npm install --package-lock-only "
              "--lockfile-version=3)",
              "l.json: error: packages: missing key"});
  CHECK(faults_of("{\"lockfileVersion\": 3, \"packages\": {\"\": 1}}") ==
        Texts{"l.json: error: packages: missing key"});
}
