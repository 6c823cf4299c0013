// SPDX-License-Identifier: Apache-2.0
// Each attack that TUF names, against a machine that has accepted version 1. RegistryBench::refusal
// checks that nothing on the disk changed.
#include "registry_bench.hpp"
#include "support/catch.hpp"

#include <fmt/format.h>

using namespace las;
using namespace las::test;
using registry::BuildRequest;
using std::chrono::hours;

namespace {

struct Attack : RegistryBench {
  Attack() {
    manifest("alpha", "1.0");
    manifest("beta", "1.0");
    build();
    update();
  }

  // The good copy is still in use, and goes on as soon as the attack is over.
  void check_good_copy() {
    CHECK(installed("alpha") == manifest_text("alpha", "1.0"));
    CHECK(registry::verify_copy(*files, copies, record).empty());
  }
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE_METHOD(Attack, "an index signed by another key is refused", "[registry]") {
  manifest("alpha", "6.6.6");
  build_with(registry::make_secret_key(), {});
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.message() == "the index is not signed by the key of this registry");
  CHECK(error.hint().find("las registry trust lab --key") != std::string::npos);
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "an index without a signature is refused", "[registry]") {
  build();
  files->remove_file(tree / "index.json.minisig");
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.message() == "the index of the registry has no signature");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "an index that was changed after it was signed is refused", "[registry]") {
  build();
  replace("index.json", replaced(published("index.json"), "\"version\": 2", "\"version\": 3"));
  const Error error = refusal();
  CHECK(error.message() == "the index is not signed by the key of this registry");
  CHECK(error.cause() == "its content is not what was signed");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "an older index that was good once is refused (rollback)", "[registry]") {
  const std::string head = published("index.json"), signature = published("index.json.minisig");
  manifest("alpha", "1.1");
  build();
  update();
  replace("index.json", head);
  replace("index.json.minisig", signature);
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.message() == "the index is older than the one that was accepted before");
  CHECK(error.cause() == "version 1, and 2 was accepted");
  CHECK(installed("alpha") == manifest_text("alpha", "1.1"));
}

TEST_CASE_METHOD(Attack, "other content under the same version is refused", "[registry]") {
  files->remove_tree(tree);
  manifest("alpha", "1.1");
  build();
  const Error error = refusal();
  CHECK(error.message() == "the index differs from the one of the same version");
  check_good_copy();
}

TEST_CASE_METHOD(Attack,
                 "an index that is shown beyond its end is refused (freeze)",
                 "[registry]") {
  BuildRequest request;
  request.lifetime = hours(24);
  build(request);
  clock.advance(hours(24));
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.message() == "the index has expired");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "\"nothing is new\" is not believed beyond the end", "[registry]") {
  clock.advance(hours(24 * 90));
  const Error error = refusal();
  CHECK(error.message() == "the index has expired");
  CHECK(server.requests("/registry/index.json").back().header("if-none-match") == record.etag);
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "an index from the future is refused", "[registry]") {
  BuildRequest request;
  request.created = clock.now() + hours(24 * 365);
  build(request);
  const Error error = refusal();
  CHECK(error.message() == "the index is from the future");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "a shard of another index is refused (mix and match)", "[registry]") {
  const auto old = registry::parse_head(published("index.json")).shards.at(0).shard.digest;
  manifest("alpha", "1.1");
  build();
  const auto now = registry::parse_head(published("index.json")).shards.at(0).shard.digest;
  replace(registry::shard_path(now), published(registry::shard_path(old)));
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "a manifest that the index does not name is refused", "[registry]") {
  manifest("alpha", "1.1");
  build();
  const Digest digest = platform::digest_of(manifest_text("alpha", "1.1"));
  // As long as the right one, so that only its digest tells.
  replace(registry::object_path(digest), manifest_text("alpha", "6.6"));
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.cause().find("wrong digest") != std::string::npos);
  check_good_copy();
}

TEST_CASE_METHOD(Attack,
                 "a pack that does not hold the objects of its shard is refused",
                 "[registry]") {
  manifest("alpha", "1.1");
  manifest("beta", "1.1");
  build();
  auto head = registry::parse_head(published("index.json"));
  const std::string pack = manifest_text("beta", "1.1") + manifest_text("alpha", "1.1");
  const Digest digest = platform::digest_of(pack);
  head.shards.at(0).pack = registry::Blob{digest, ByteSize(pack.size())};
  replace(registry::pack_path(digest), pack);
  sign_head(registry::head_text(head));
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.cause() == "it does not hold the objects of its shard");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "data without end is cut off, wherever it comes", "[registry]") {
  Answer endless;
  endless.body = std::string(64 * 1024, ' ');
  endless.endless = true;
  manifest("alpha", "1.1");
  build();
  const auto head = registry::parse_head(published("index.json"));
  const Digest changed = platform::digest_of(manifest_text("alpha", "1.1"));
  for (const std::string& path : {std::string("index.json"),
                                  std::string("index.json.minisig"),
                                  registry::shard_path(head.shards.at(0).shard.digest),
                                  registry::object_path(changed)}) {
    server.serve_once("/registry/" + path, endless);
    // The head is asked for twice where its signature is none.
    if (path == "index.json.minisig")
      server.serve_once("/registry/" + path, endless);
    const Error error = refusal();
    INFO(path);
    CHECK(to_string(error.kind()) == "integrity");
  }
  check_good_copy();
}

TEST_CASE_METHOD(Attack,
                 "a size that nobody may have is refused before anything comes",
                 "[registry]") {
  auto head = registry::parse_head(published("index.json"));
  ++head.version;
  head.shards.at(0).shard.size = ByteSize::gib(4000);
  sign_head(registry::head_text(head));
  const std::size_t asked_before = asked().size();
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.subject() == "index.shards[0].size");
  CHECK(asked().size() == asked_before + 2);
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "a version from far ahead is healed by a new key", "[registry]") {
  // Somebody had the key.
  BuildRequest request;
  request.version = std::uint64_t{1} << 60U;
  build(request);
  update();
  CHECK(record.version == request.version);
  // The keeper begins again with a new one, and users trust that.
  files->remove_tree(tree);
  key = registry::make_secret_key();
  manifest("alpha", "1.1");
  request.version = 2;
  build(request);
  CHECK(refusal().message() == "the index is not signed by the key of this registry");
  record.public_key = registry::key_line(registry::public_half(key));
  record.version = 0;
  update();
  CHECK(record.version == 2);
  CHECK(installed("alpha") == manifest_text("alpha", "1.1"));
}

TEST_CASE_METHOD(Attack,
                 "under a new key every manifest's own signature counts anew",
                 "[registry]") {
  const std::string manifest =
      manifest_text("alpha", "1.1") + "integrity:\n  signature: alpha.minisig\n";
  temp.write("manifests/alpha/manifest.yaml", manifest);
  temp.write("manifests/alpha/alpha.minisig", registry::sign(key, manifest, ""));
  build();
  update();
  // The same packages under the new key: nothing of them changed.
  key = registry::make_secret_key();
  sign_head(published("index.json"));
  record.public_key = registry::key_line(registry::public_half(key));
  record.version = 0;
  record.etag.clear();
  const Error error = refusal();
  CHECK(error.message() == "a manifest of the registry is not the one it names");
  CHECK(error.cause().starts_with("it is signed with key "));
}

TEST_CASE_METHOD(Attack, "another registry's index under the same key is refused", "[registry]") {
  files->remove_tree(tree);
  BuildRequest request;
  request.registry = "testing";
  request.version = 5;
  build(request);
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.message() == "this is the index of another registry");
  CHECK(error.cause() == "it calls itself testing");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "a path that leads elsewhere is refused", "[registry]") {
  const std::string shard = published(
      registry::shard_path(registry::parse_head(published("index.json")).shards[0].shard.digest));
  const std::string good = published("index.json");
  for (const std::string path : {"/etc/cron.d/x",
                                 "../beta/manifest.yaml",
                                 "a/../../x",
                                 ".index/index.json",
                                 "a//b",
                                 "",
                                 "a\\\\b",
                                 "a\\u0000b",
                                 "a\\nb"}) {
    replace("index.json", good);
    sign_shard(replaced(shard, "manifest.yaml", path));
    const Error error = refusal();
    INFO(path);
    CHECK(to_string(error.kind()) == "integrity");
    CHECK(error.subject() == "alpha.files[0].path");
  }
  for (const std::string name : {"..", "../beta", "/etc", "a/b", ".index", ""}) {
    replace("index.json", good);
    sign_shard(replaced(shard, "\"name\": \"alpha\"", "\"name\": \"" + name + "\""));
    INFO(name);
    CHECK(refusal().subject() == "shard.packages[0].name");
  }
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "a manifest that is not its entry's is refused", "[registry]") {
  const auto head = registry::parse_head(published("index.json"));
  auto packages =
      registry::parse_shard(published(registry::shard_path(head.shards[0].shard.digest)));
  std::swap(packages[0].files, packages[1].files);
  sign_shard(registry::shard_text(packages));
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.cause() == "it is the manifest of beta");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "two packages of one name are refused", "[registry]") {
  const auto head = registry::parse_head(published("index.json"));
  auto packages =
      registry::parse_shard(published(registry::shard_path(head.shards[0].shard.digest)));
  packages[1] = packages[0];
  sign_shard(registry::shard_text(packages));
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "integrity");
  CHECK(error.cause() == "it is there twice");
  check_good_copy();
}

TEST_CASE_METHOD(Attack, "an index of a newer format asks for a newer las", "[registry]") {
  sign_head(replaced(published("index.json"), "\"format\": 1", "\"format\": 2"));
  const Error error = refusal();
  CHECK(to_string(error.kind()) == "invalid-data");
  CHECK(error.hint() == "upgrade las");
  check_good_copy();
}

TEST_CASE_METHOD(Attack,
                 "head and signature replaced between the two questions is no attack",
                 "[registry]") {
  Answer old;
  old.body = published("index.json");
  manifest("alpha", "1.1");
  build();
  server.serve_once("/registry/index.json", old);
  update();
  CHECK(installed("alpha") == manifest_text("alpha", "1.1"));
}
