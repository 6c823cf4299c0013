// SPDX-License-Identifier: Apache-2.0
#include "las/registry/index.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

#include "las/platform/hasher.hpp"

#include <fmt/format.h>

using namespace las;
using namespace las::registry;

namespace {

Blob blob(const std::string& content) {
  return {platform::digest_of(content), ByteSize(content.size())};
}

Package package(const std::string& name) {
  return {name, "1.0", {{"files/x", blob("x")}, {"manifest.yaml", blob(name)}}};
}

std::string subject_of(const std::string& text, const std::string& what, const std::string& by) {
  std::string changed = text;
  const auto at = changed.find(what);
  REQUIRE(at != std::string::npos);
  changed.replace(at, what.size(), by);
  const auto error = test::error_of([&] {
    return changed.find("\"shards\"") == std::string::npos ? parse_shard(changed).size()
                                                           : parse_head(changed).shards.size();
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Integrity);
  return error->subject();
}

}  // namespace

TEST_CASE("an index is written and read back", "[registry]") {
  Head head{"lab", 7, "2026-11-26T00:00:00Z", "2026-12-26T00:00:00Z", {}};
  head.shards = {{blob("a"), 1, blob("b")}, {blob("c"), 2, {}}};
  CHECK(parse_head(head_text(head)) == head);
  CHECK(head.packages() == 3);
  const std::vector<Package> shard = {package("alpha"), package("beta")};
  CHECK(parse_shard(shard_text(shard)) == shard);
}

TEST_CASE("what is wrong in an index is named", "[registry]") {
  const Head head{"lab", 7, "2026-11-26T00:00:00Z", "2026-12-26T00:00:00Z", {{blob("a"), 1, {}}}};
  const std::string text = head_text(head);
  CHECK(subject_of(text, "\"lab\"", "\"../lab\"") == "index.registry");
  CHECK(subject_of(text, "\"version\": 7", "\"version\": 0") == "index.version");
  CHECK(subject_of(text, "\"version\": 7", "\"version\": -7") == "index.version");
  CHECK(subject_of(text, "\"version\": 7", "\"version\": 1e99") == "index.version");
  CHECK(subject_of(text, "\"created\"", "\"creator\"") == "index.created");
  CHECK(subject_of(text, "\"packages\": 1", "\"packages\": 200001") == "index.shards[0]");
  CHECK(subject_of(text, "\"size\": 1", "\"size\": 8388609") == "index.shards[0].size");
  CHECK(subject_of(text, blob("a").digest.hex(), "abc") == "index.shards[0].sha256");
  CHECK(subject_of(text, "\"format\": 1", "\"format\": \"1\"") == "index.format");
  const std::string shard = shard_text({package("alpha")});
  CHECK(subject_of(shard, "\"files/x\"", "\"manifest.yaml\"") == "alpha");
  CHECK(subject_of(shard, "\"files/x\"", "\"z\"") == "alpha");
  CHECK(subject_of(shard, "\"manifest.yaml\"", "\"manifest.yml\"") == "alpha");
  CHECK(subject_of(shard, "\"manifest.yaml\"", "\"files/x/y\"") == "alpha");
  CHECK(test::error_of([] { return parse_head("[]"); }));
  CHECK(test::error_of([] { return parse_head(std::string(100000, '[')); }));
}

TEST_CASE("the whole of an index and of its files is bounded", "[registry]") {
  Head head{"lab", 7, "2026-11-26T00:00:00Z", "2026-12-26T00:00:00Z", {}};
  const ShardRef large{{platform::digest_of("a"), kShardLimit}, 1, {}};
  head.shards.assign(32, large);
  CHECK(parse_head(head_text(head)).shards.size() == 32);
  head.shards.push_back(large);
  const auto error = test::error_of([&] { return parse_head(head_text(head)); });
  REQUIRE(error);
  CHECK(error->subject() == "index.shards[32]");

  std::vector<Package> packages = {package("alpha")};
  head.shards = {{blob("a"), 1, {}}};
  CHECK_FALSE(test::error_of([&] { return check_packages(head, packages), 0; }));
  packages[0].files[0].content.size = kAllFilesLimit;
  const auto files = test::error_of([&] { return check_packages(head, packages), 0; });
  REQUIRE(files);
  CHECK(files->kind() == ErrorKind::Integrity);
}

TEST_CASE("a package stays in its shard when others come and go", "[registry]") {
  const auto packages = [](int count) {
    std::vector<Package> all;
    for (int i = 0; i < count; ++i)
      all.push_back(package(fmt::format("p{}", i)));
    return all;
  };
  CHECK(divide({}).empty());
  CHECK(divide(packages(64)).size() == 1);
  CHECK(divide(packages(65)).size() == 16);
  CHECK(divide(packages(1025)).size() > 240);
  std::vector<Package> more = packages(600);
  const auto before = divide(more);
  more.push_back(package("another"));
  const auto after = divide(more);
  REQUIRE(before.size() == after.size());
  int different = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    different += before[i] == after[i] ? 0 : 1;
  CHECK(different == 1);
}
