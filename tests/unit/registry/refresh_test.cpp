// SPDX-License-Identifier: Apache-2.0
#include "las/registry/refresh.hpp"

#include "registry_bench.hpp"
#include "support/catch.hpp"
#include "support/faulty_file_system.hpp"

#include <algorithm>

#include <fmt/format.h>

using namespace las;
using namespace las::test;

namespace {

using Names = std::vector<std::string>;

Names changes_of(const registry::Refreshed& refreshed) {
  Names out;
  for (const registry::PackageChange& change : refreshed.changes)
    out.push_back(change.name + " " + change.before + ">" + change.after);
  return out;
}

}  // namespace

TEST_CASE_METHOD(RegistryBench, "a registry is brought here and can be read", "[registry]") {
  manifest("alpha", "1.0");
  manifest("beta", "2.0");
  temp.write("manifests/gamma.yaml", manifest_text("gamma", "3.0"));
  temp.write("manifests/alpha/notes.txt", "stays with the publisher");
  build();
  const registry::Refreshed first = update();
  CHECK(first.changed);
  CHECK(changes_of(first) == Names{"alpha >1.0", "beta >2.0", "gamma >3.0"});
  CHECK(record.version == 1);
  CHECK(record.packages == 3);
  CHECK(record.snapshot == platform::digest_of(published("index.json")).to_string());
  CHECK(record.expires == "2027-02-21T15:04:05Z");
  for (const std::string name : {"alpha", "beta", "gamma"})
    CHECK_FALSE(installed(name).empty());
  const auto folder = registry::snapshot_folder(copies, record);
  CHECK(files->list_directory(folder) == Names{".index", "alpha", "beta", "gamma"});
  CHECK(files->list_directory(folder / "alpha") == Names{"manifest.yaml"});
  CHECK(registry::verify_copy(*files, copies, record).empty());
  // One pack instead of three objects.
  CHECK(first.objects_fetched == 2);
  CHECK(asked().size() == 4);
}

TEST_CASE_METHOD(RegistryBench,
                 "the next refresh asks whether anything is new, and no more",
                 "[registry]") {
  manifest("alpha", "1.0");
  build();
  update();
  const std::size_t asked_before = asked().size();
  clock.advance(std::chrono::hours(1));
  const registry::Refreshed second = update();
  CHECK_FALSE(second.changed);
  CHECK(asked().size() == asked_before + 1);
  CHECK(record.checked_at == "2026-11-23T16:04:05Z");
  CHECK(record.accepted_at == "2026-11-23T15:04:05Z");
}

TEST_CASE_METHOD(RegistryBench, "only what changed is fetched", "[registry]") {
  for (const std::string name : {"alpha", "beta", "gamma", "delta"})
    manifest(name, "1.0");
  build();
  update();
  const std::string first = record.snapshot;
  const std::size_t asked_before = asked().size();
  manifest("beta", "1.1");
  files->remove_tree(temp / "manifests/gamma");
  manifest("new", "0.1");
  manifest("delta", "1.0");
  build();
  // beta and new are less than half of the shard.
  const registry::Refreshed second = update();
  CHECK(changes_of(second) == Names{"beta 1.0>1.1", "gamma 1.0>", "new >0.1"});
  std::vector<std::string> asked_now = asked();
  asked_now.erase(asked_now.begin(), asked_now.begin() + static_cast<std::ptrdiff_t>(asked_before));
  CHECK(asked_now.size() <= 5);
  CHECK(std::count(asked_now.begin(),
                   asked_now.end(),
                   "/registry/" + registry::object_path(
                                      platform::digest_of(manifest_text("alpha", "1.0")))) == 0);
  CHECK(installed("gamma").empty());
  CHECK(installed("delta") == manifest_text("delta", "1.0"));
  // The one before stays for whoever reads it; the one before that goes.
  CHECK(record.previous_snapshot == first);
  CHECK(files->list_directory(copies / "lab").size() == 2);
  manifest("beta", "1.2");
  build();
  update();
  CHECK(files->list_directory(copies / "lab").size() == 2);
  CHECK_FALSE(files->exists(copies / "lab" / Digest::parse(first)->hex()));
}

TEST_CASE_METHOD(RegistryBench,
                 "one change among many costs one shard and one object",
                 "[registry]") {
  for (int i = 0; i < 200; ++i)
    manifest(fmt::format("tool-{:03}", i), "1.0");
  build();
  const registry::Refreshed first = update();
  CHECK(first.objects_fetched == 32);  // sixteen shards and their packs
  manifest("tool-117", "1.1");
  build();
  const registry::Refreshed second = update();
  CHECK(changes_of(second) == Names{"tool-117 1.0>1.1"});
  CHECK(second.objects_fetched == 2);
  CHECK(second.bytes_fetched < ByteSize::kib(16));
  CHECK(registry::verify_copy(*files, copies, record).empty());
}

TEST_CASE_METHOD(RegistryBench, "a folder of this machine is a registry, too", "[registry]") {
  manifest("alpha", "1.0");
  build();
  record.url = "file://" + tree.string();
  update();
  CHECK(installed("alpha") == manifest_text("alpha", "1.0"));
  CHECK_FALSE(update().changed);
  CHECK(asked().empty());
  record.url += "-not-there";
  CHECK(to_string(refusal().kind()) == "network");
}

TEST_CASE_METHOD(RegistryBench,
                 "a registry that does not answer leaves its copy in use",
                 "[registry]") {
  manifest("alpha", "1.0");
  build();
  update();
  const std::string url = record.url;
  record.url = server.url("/elsewhere");
  CHECK(to_string(refusal().kind()) == "network");
  record.url = "http://127.0.0.1:1/registry";
  CHECK(to_string(refusal().kind()) == "network");
  CHECK(installed("alpha") == manifest_text("alpha", "1.0"));
}

TEST_CASE_METHOD(RegistryBench,
                 "what was fetched before the line broke is not fetched again",
                 "[registry]") {
  manifest("alpha", "1.0");
  build();
  const auto head = registry::parse_head(published("index.json"));
  const std::string object =
      registry::object_path(platform::digest_of(manifest_text("alpha", "1.0")));
  const std::string content = published(object);
  files->remove_file(tree / object);
  CHECK(to_string(refusal().kind()) == "network");
  replace(object, content);
  update();
  const std::string shard = "/registry/" + registry::shard_path(head.shards[0].shard.digest);
  CHECK(server.requests(shard).size() == 1);
  CHECK_FALSE(files->exists(temp / "cache/lab"));
}

TEST_CASE_METHOD(RegistryBench,
                 "a copy that somebody changed is named and made anew",
                 "[registry]") {
  manifest("alpha", "1.0");
  manifest("beta", "1.0");
  build();
  update();
  const auto folder = registry::snapshot_folder(copies, record);
  files->replace_file(folder / "alpha/manifest.yaml", manifest_text("alpha", "6.6"));
  files->replace_file(folder / "stray.yaml", "name: stray\n");
  CHECK(registry::verify_copy(*files, copies, record) ==
        Names{(folder / "alpha/manifest.yaml").string() +
                  ": missing, or not what the signed index says",
              (folder / "stray.yaml").string() + ": the signed index knows nothing of it"});
  SECTION("when it is asked for") {
    CHECK(update({false, true}).changed);
  }
  SECTION("what is wrong is never taken into the next snapshot") {
    manifest("beta", "1.1");
    build();
    update();
  }
  CHECK(installed("alpha") == manifest_text("alpha", "1.0"));
  CHECK(registry::verify_copy(*files, copies, record).empty());
}

TEST_CASE_METHOD(RegistryBench, "only looking changes nothing", "[registry]") {
  manifest("alpha", "1.0");
  build();
  const registry::Refreshed seen = refresh({true, false});
  CHECK(seen.changed);
  CHECK(seen.record.version == 1);
  CHECK(files->list_directory(copies).empty());
  CHECK(asked() == Names{"/registry/index.json", "/registry/index.json.minisig"});
}

TEST_CASE_METHOD(RegistryBench,
                 "a death at any moment leaves the old copy or the new one",
                 "[registry]") {
  manifest("alpha", "1.0");
  build();
  update();
  manifest("alpha", "1.1");
  build();
  const auto attempt = [&](platform::FileSystem& through) {
    return registry::refresh({through, *fetcher, clock, copies, temp / "cache"},
                             record,
                             {},
                             Activity{reporter, cancellation});
  };
  std::size_t deaths = 0;
  for (std::size_t effect = 1;; ++effect) {
    FaultyFileSystem dying(*files);
    dying.crash_at(effect);
    try {
      attempt(dying);
      break;
    } catch (const Crash&) {
      ++deaths;
    }
    REQUIRE(registry::verify_copy(*files, copies, record).empty());
    CHECK(installed("alpha") == manifest_text("alpha", "1.0"));
  }
  CHECK(deaths > 8);
  update();
  CHECK(installed("alpha") == manifest_text("alpha", "1.1"));
  CHECK(files->list_directory(copies / "lab").size() == 2);
}

TEST_CASE("addresses that are no registry's are refused, and credentials are not shown",
          "[registry]") {
  for (const std::string url : {"https://example.test",
                                "https://example.test:8443/a/b/",
                                "http://127.0.0.1:80/x",
                                "http://localhost/x",
                                "http://[::1]:8080/x",
                                "file:///srv/registry"})
    CHECK_FALSE(registry::check_url(url).ends_with('/'));
  for (const std::string url : {"http://example.test/x",
                                "http://127.0.0.1.example.test/x",
                                "http://[::1].example.test/x",
                                "ftp://example.test/x",
                                "example.test",
                                "/srv/registry",
                                "file://host/srv",
                                "file:///a%2",
                                "https://",
                                "https:///x",
                                "https://example.test/a?b=c",
                                "https://example.test/#a",
                                "https://example.test/a b",
                                ""}) {
    INFO(url);
    const auto error = error_of([&] { return registry::check_url(url); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Usage);
  }
  const auto error =
      error_of([] { return registry::check_url("https://me:secret@example.test/"); });
  REQUIRE(error);
  CHECK(std::string(error->what()).find("secret") == std::string::npos);
}
