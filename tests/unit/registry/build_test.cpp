// SPDX-License-Identifier: Apache-2.0
#include "las/registry/build.hpp"

#include "registry_bench.hpp"
#include "support/catch.hpp"

#include <fmt/format.h>

using namespace las;
using namespace las::test;
using registry::BuildRequest;

TEST_CASE_METHOD(RegistryBench,
                 "the same manifests, version and dates give the same bytes",
                 "[registry]") {
  for (int i = 0; i < 200; ++i)
    manifest(fmt::format("tool-{}", i), "1.0");
  build();
  const Digest first = platform::digest_of_tree(*files, tree);
  CHECK(registry::parse_head(published("index.json")).shards.size() == 16);
  tree = temp / "again";
  build();
  CHECK(platform::digest_of_tree(*files, tree) == first);
  BuildRequest request;
  request.version = 7;
  tree = temp / "other";
  build(request);
  CHECK_FALSE(platform::digest_of_tree(*files, tree) == first);
}

TEST_CASE_METHOD(RegistryBench, "the version grows by itself and never falls", "[registry]") {
  manifest("alpha", "1.0");
  CHECK(build().head.version == 1);
  const registry::Built second = build();
  CHECK(second.head.version == 2);
  CHECK(second.version_before == 1);
  CHECK(second.files_written == 0);
  for (const std::uint64_t version : {std::uint64_t{1}, std::uint64_t{2}}) {
    BuildRequest request;
    request.version = version;
    const Digest before = platform::digest_of_tree(*files, tree);
    const auto error = error_of([&] { return build(request); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Usage);
    CHECK(platform::digest_of_tree(*files, tree) == before);
  }
  BuildRequest request;
  request.version = 10;
  CHECK(build(request).head.version == 10);
}

TEST_CASE_METHOD(RegistryBench,
                 "what a client may be fetching stays for one version more",
                 "[registry]") {
  temp.write("tree/README.txt", "somebody's");
  temp.write("tree/objects/notes.txt", "somebody's");
  manifest("alpha", "1.0");
  build();
  const std::string first =
      registry::object_path(platform::digest_of(manifest_text("alpha", "1.0")));
  manifest("alpha", "1.1");
  CHECK(build().files_removed == 0);
  CHECK(files->exists(tree / first));
  manifest("alpha", "1.2");
  CHECK(build().files_removed == 3);  // its object, its shard, and their pack
  CHECK_FALSE(files->exists(tree / first));
  CHECK(files->exists(tree / "README.txt"));
  CHECK(files->exists(tree / "objects/notes.txt"));
}

TEST_CASE_METHOD(RegistryBench,
                 "half a file that a killed run left is written anew",
                 "[registry]") {
  manifest("alpha", "1.0");
  const std::string object =
      registry::object_path(platform::digest_of(manifest_text("alpha", "1.0")));
  temp.write("tree/" + object, "name: al");
  build();
  CHECK(published(object) == manifest_text("alpha", "1.0"));
}

TEST_CASE_METHOD(RegistryBench, "every fault of every manifest is told at once", "[registry]") {
  manifest("alpha", "1.0");
  temp.write("manifests/broken.yaml", "name: broken\ncategory: nonsense\n");
  temp.write("manifests/other/manifest.yaml", manifest_text("somebody", "1.0"));
  temp.write("manifests/alpha.yaml", manifest_text("alpha", "1.0"));
  temp.write("manifests/signed.yaml",
             manifest_text("signed", "1.0") + "integrity: {signature: signed.minisig}\n");
  Diagnostics diagnostics;
  registry::read_publication(*files, temp / "manifests", registry::public_half(key), diagnostics);
  std::string all;
  for (const Diagnostic& item : diagnostics.items())
    all += item.to_string() + "\n";
  for (const char* part : {"broken.yaml:2",
                           "it is the manifest of somebody",
                           "there are two manifests of this name",
                           "signed.minisig is not a file beside the manifest"}) {
    INFO(all);
    CHECK(all.find(part) != std::string::npos);
  }
}

TEST_CASE_METHOD(RegistryBench, "a tree is another registry's or a new key's", "[registry]") {
  manifest("alpha", "1.0");
  build();
  BuildRequest request;
  request.registry = "testing";
  const auto error = error_of([&] { return build(request); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Usage);
  CHECK(build_with(registry::make_secret_key(), {}).key_changed);
}

TEST_CASE_METHOD(RegistryBench, "a whole tree is verified as a client would", "[registry]") {
  manifest("alpha", "1.0");
  manifest("beta", "1.0");
  build();
  const auto report = [&] {
    return registry::verify_tree(*files, tree, registry::public_half(key), clock.now());
  };
  CHECK(report().faults.empty());
  CHECK(report().head.packages() == 2);
  const std::string object =
      registry::object_path(platform::digest_of(manifest_text("beta", "1.0")));
  replace(object, "name: x");
  CHECK(report().faults == std::vector<std::string>{object + ": not what the index says"});
  files->remove_file(tree / object);
  CHECK(report().faults == std::vector<std::string>{object + ": missing"});
  clock.advance(std::chrono::hours(24 * 90));
  CHECK(error_of(report)->message() == "the index has expired");
  replace("index.json", published("index.json") + " ");
  CHECK(error_of(report)->message() == "the index is not signed by the key of this registry");
}

TEST_CASE_METHOD(RegistryBench, "a manifest takes along every file that it names", "[registry]") {
  const std::string folder = "manifests/web/";
  temp.write(folder + "manifest.yaml",
             manifest_text("web", "1") +
                 "releases:\n- version: '1'\n  variants:\n  - name: any\n    sources:\n"
                 "    - python: {lock: files/requirements.lock}\n"
                 "      executables: {web: bin/web}\n"
                 "service:\n  command: ['{exe.web}']\n"
                 "  config: {web.conf: files/web.conf}\n");
  temp.write(folder + "files/requirements.lock", "web==1 --hash=sha256:" + std::string(64, '0'));
  temp.write(folder + "files/web.conf", "port {port}\n");
  Diagnostics diagnostics;
  const auto publication = registry::read_publication(
      *files, temp / "manifests", registry::public_half(key), diagnostics);
  diagnostics.throw_if_errors("the manifests have faults");
  std::vector<std::string> names;
  for (const auto& file : publication.packages.at(0).files)
    names.push_back(file.path);
  CHECK(names ==
        std::vector<std::string>{"files/requirements.lock", "files/web.conf", "manifest.yaml"});
}
