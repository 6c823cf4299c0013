// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/catalog.hpp"

#include "support/catch.hpp"

#include "las/base/error.hpp"

#include <map>
#include <set>

using namespace las;
using namespace las::catalog;

namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

// A stand-in for the file system: files by path, folders implied.
class StandInFiles : public platform::FileReader {
 public:
  explicit StandInFiles(std::map<fs::path, std::string> files) : files_(std::move(files)) {}

  std::optional<platform::FileStatus> status(const fs::path& path) const override {
    platform::FileStatus status;
    if (const auto found = files_.find(path); found != files_.end()) {
      status.kind = platform::FileKind::Regular;
      status.size = found->second.size();
      return status;
    }
    for (const auto& [file, content] : files_) {
      if (file.string().starts_with(path.string() + "/")) {
        status.kind = platform::FileKind::Directory;
        return status;
      }
    }
    return std::nullopt;
  }

  std::string read_file(const fs::path& path, ByteSize) const override {
    const auto found = files_.find(path);
    if (found == files_.end() || found->second == "unreadable")
      throw Error(ErrorKind::Permission, "cannot read", path.string());
    return found->second;
  }

  std::vector<std::string> list_directory(const fs::path& path) const override {
    std::set<std::string> names;
    for (const auto& [file, content] : files_) {
      const fs::path relative = file.lexically_relative(path);
      if (!relative.empty() && *relative.begin() != "..")
        names.insert(relative.begin()->string());
    }
    return {names.begin(), names.end()};
  }

  fs::path read_symlink(const fs::path& path) const override { return path; }

 private:
  std::map<fs::path, std::string> files_;
};

std::string manifest(const std::string& name, const std::string& more = {}) {
  return "name: " + name + "\ncategory: tool\nversion: 1\n" + more;
}

Texts texts(const Diagnostics& diagnostics) {
  Texts out;
  for (const auto& item : diagnostics.items())
    out.push_back(item.to_string());
  return out;
}

Texts names(const Catalog& catalog) {
  return catalog.names();
}

Catalog searchable() {
  const StandInFiles files({
      {"/r/llama.yaml", manifest("llama", "description: Inference for GGUF\n")},
      {"/r/llama-tools.yaml", manifest("llama-tools", "description: Tools\n")},
      {"/r/serve.yaml", manifest("serve", "description: {en: Runs Llama models, zh: 推理引擎}\n")},
      {"/r/vectors.yaml", manifest("vectors", "interfaces: {provides: [llama-api]}\n")},
      {"/r/zoo.yaml", manifest("zoo", "description: Animals\n")},
  });
  Diagnostics diagnostics;
  Catalog catalog = load_catalog(files, {{"r", "/r"}}, diagnostics);
  CHECK(texts(diagnostics) == Texts{});
  return catalog;
}

Texts found(const std::string& query) {
  const Catalog catalog = searchable();
  Texts out;
  for (const auto& hit : catalog.search(query))
    out.emplace_back(hit.brief->name);
  return out;
}

}  // namespace

TEST_CASE("registries are folders of files and of folders", "[catalog]") {
  const StandInFiles files({{"/r/one.yaml", manifest("one")},
                            {"/r/dot.ted.yaml", manifest("dot.ted")},
                            {"/r/two/manifest.yaml", manifest("two")},
                            {"/r/two/files/x", "x"},
                            {"/r/.git/manifest.yaml", "no"},
                            {"/r/README.md", "no"},
                            {"/r/empty/README.md", "no"}});
  Diagnostics diagnostics;
  const Catalog catalog = load_catalog(files, {{"mine", "/r"}, {"gone", "/absent"}}, diagnostics);
  CHECK(texts(diagnostics) == Texts{});
  CHECK(names(catalog) == Texts{"dot.ted", "one", "two"});
  CHECK(catalog.get("two").origin == "mine");
  CHECK(catalog.get("two").directory == "/r/two");
  CHECK(catalog.get("one").directory == "/r");
}

TEST_CASE("of two manifests with one name the later registry's wins", "[catalog]") {
  const StandInFiles files({{"/a/x.yaml", manifest("x", "license: first\n")},
                            {"/b/x/manifest.yaml", manifest("x", "license: second\n")},
                            {"/a/y.yaml", manifest("y")}});
  Diagnostics diagnostics;
  CHECK(load_catalog(files, {{"a", "/a"}, {"b", "/b"}}, diagnostics).get("x").license == "second");
  const Catalog other = load_catalog(files, {{"b", "/b"}, {"a", "/a"}}, diagnostics);
  CHECK(other.get("x").license == "first");
  CHECK(other.get("x").origin == "a");
  CHECK(names(other) == Texts{"x", "y"});
}

TEST_CASE("a faulty manifest is left out and does not hide the others", "[catalog]") {
  const StandInFiles files(
      {{"/r/bad.yaml", "name: bad\n"},
       {"/r/good.yaml", manifest("good")},
       {"/r/locked.yaml", "unreadable"},
       {"/r/moved.yaml", manifest("other")},
       {"/r/launched/manifest.yaml",
        "name: launched\ncategory: tool\nreleases: [{version: 1, variants: [{name: a, sources: "
        "[{archive: {url: 'https://example.org/a', digest: " +
            std::string(64, 'a') + "}, files: [{from: run.sh, to: run.sh}]}]}]}]\n"}});
  Diagnostics diagnostics;
  const Catalog catalog = load_catalog(files, {{"r", "/r"}}, diagnostics);
  CHECK(names(catalog) == Texts{"good"});
  CHECK(texts(diagnostics) ==
        Texts{"/r/bad.yaml:1:1: error: category: missing key",
              "/r/bad.yaml:1:1: error: version: missing key",
              "/r/launched/manifest.yaml: error: files: run.sh is not beside the manifest",
              "/r/locked.yaml: error: cannot read: /r/locked.yaml",
              "/r/moved.yaml: error: name: the manifest of other lies under the name moved"});
}

TEST_CASE("a name that is not there gets the nearest one as hint", "[catalog]") {
  const Catalog catalog = searchable();
  CHECK(catalog.find("llama")->name == "llama");
  CHECK(catalog.find("llam") == nullptr);
  CHECK(Catalog().find("llama") == nullptr);
  try {
    catalog.get("vektors");
    FAIL("found");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::NotFound);
    CHECK(std::string(error.what()) == "no such module: vektors");
    CHECK(error.hint() == "did you mean 'vectors'?");
  }
  try {
    catalog.get("qqqqqqqqqq");
    FAIL("found");
  } catch (const Error& error) {
    CHECK(error.hint() == "see the modules with: las list --available");
  }
}

TEST_CASE("a search ranks name over provides over description", "[catalog]") {
  CHECK(found("llama") == Texts{"llama", "llama-tools", "vectors", "serve"});
  CHECK(found("LLAMA") == found("llama"));
  CHECK(found("推理") == Texts{"serve"});
  CHECK(found("  llama   models ") == Texts{"serve"});
  CHECK(found("llama zoo") == Texts{});
  CHECK(found("tool") == Texts{"llama-tools", "llama", "serve", "vectors", "zoo"});
  CHECK(found("") == Texts{"llama", "llama-tools", "serve", "vectors", "zoo"});
}
