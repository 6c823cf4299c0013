// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/companions.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/catalog/catalog.hpp"

#include <fstream>

using namespace las;
using namespace las::catalog;

namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

const std::string kHash = " --hash=sha256:" + std::string(64, 'a');
const std::string kIntegrity = "sha512-" + std::string(86, 'A') + "==";
const std::string kNpmLock =
    R"({"lockfileVersion": 3, "packages": {"": {"dependencies": {"a": "1.0"}},
  "node_modules/a": {"version": "1.0", "integrity": ")" +
    kIntegrity + "\", \"hasInstallScript\": true}}}";

struct Folder {
  test::TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  Texts faults;

  void write(const std::string& path, const std::string& content) {
    fs::create_directories((folder / "m" / path).parent_path());
    std::ofstream(folder / "m" / path, std::ios::binary) << content;
  }

  /// Loads a manifest "m" with one variant of these sources; faults without the folder's name.
  std::optional<Manifest> load(const std::string& sources) {
    write("manifest.yaml",
          "name: m\ncategory: tool\nreleases:\n- version: 1\n  variants:\n  - name: a\n    "
          "sources:\n" +
              sources);
    Diagnostics diagnostics;
    const Catalog catalog = load_catalog(*files, {{"r", folder.path()}}, diagnostics);
    faults.clear();
    for (const auto& item : diagnostics.items()) {
      std::string text = item.to_string();
      for (auto at = text.find(folder.path().string()); at != std::string::npos;
           at = text.find(folder.path().string()))
        text.erase(at, folder.path().string().size());
      faults.push_back(text);
    }
    const Manifest* manifest = catalog.find("m");
    return manifest == nullptr ? std::nullopt : std::optional<Manifest>(*manifest);
  }
};

}  // namespace

TEST_CASE("locks beside a manifest are read into its sources", "[catalog]") {
  Folder folder;
  folder.write("files/lock.txt",
               "# a comment\n\na==1" + kHash + "\nb==2 ; x == 'y'" + kHash + "\n");
  folder.write("files/package-lock.json", kNpmLock);
  folder.write("run.sh", "");
  const auto manifest = folder.load(
      "    - python: {lock: files/lock.txt, python: '>=3.10'}\n"
      "      files: [{from: run.sh, to: run.sh}]\n"
      "    - npm: {lock: files/package-lock.json, node: '>=20', allow_scripts: {a: it must}}\n");
  CHECK(folder.faults == Texts{});
  REQUIRE(manifest.has_value());
  const auto& sources = manifest->releases.at(0).variants.at(0).sources;
  CHECK(std::get<PythonSource>(sources.at(0).how).requirements ==
        Texts{"a==1" + kHash, "b==2 ; x == 'y'" + kHash});
  const auto& npm = std::get<NpmSource>(sources.at(1).how);
  CHECK(npm.lock == kNpmLock);
  CHECK(npm.node.to_string() == ">=20");
  CHECK(npm.allow_scripts == std::map<std::string, std::string>{{"a", "it must"}});
  CHECK(sources.at(1).kind() == "npm");
  CHECK(companion_files(*manifest) == Texts{"files/lock.txt", "files/package-lock.json", "run.sh"});
}

TEST_CASE("a lock with faults names its own file and line", "[catalog]") {
  Folder folder;
  folder.write("lock.txt", "a==1" + kHash + "\nb>=2\n--index-url https://example.org\n");
  folder.write("empty.txt", "# nothing\n");
  folder.write("package-lock.json", "{}");
  CHECK_FALSE(
      folder.load("    - python: {lock: lock.txt}\n    - python: {lock: empty.txt}\n"
                  "    - npm: {lock: package-lock.json}\n"));
  const std::string advice = " (write it like name==1.2 --hash=sha256:…)";
  CHECK(folder.faults ==
        Texts{"/m/lock.txt:2: error: not locked" + advice,
              "/m/lock.txt:3: error: not locked" + advice,
              "/m/empty.txt: error: is empty",
              "/m/package-lock.json: error: lockfileVersion: is not 3 (npm install "
              "--package-lock-only --lockfile-version=3)",
              "/m/package-lock.json: error: packages: missing key"});
}

TEST_CASE("a file of a manifest is beside it, itself and not by a symlink", "[catalog]") {
  Folder folder;
  folder.write("secret.txt", "a==1" + kHash + "\n");
  fs::create_symlink("secret.txt", folder.folder / "m/lock.txt");
  fs::create_directory_symlink("/etc", folder.folder / "m/etc");
  CHECK_FALSE(
      folder.load("    - python: {lock: lock.txt}\n    - npm: {lock: gone.json}\n"
                  "    - archive: {url: 'https://example.org/a', digest: " +
                  std::string(64, 'a') + "}\n      files: [{from: etc/passwd, to: x}]\n"));
  CHECK(folder.faults ==
        Texts{"/m/manifest.yaml: error: files: etc/passwd is a symlink or lies behind one",
              "/m/manifest.yaml: error: files: gone.json is not beside the manifest",
              "/m/manifest.yaml: error: files: lock.txt is a symlink or lies behind one"});
}

TEST_CASE("scripts are allowed only for packages that have some", "[catalog]") {
  Folder folder;
  folder.write("l.json", kNpmLock);
  CHECK_FALSE(folder.load("    - npm: {lock: l.json, allow_scripts: {b: why not}}\n"));
  CHECK(folder.faults == Texts{"/m/manifest.yaml: error: allow_scripts.b: no package of the lock "
                               "has install scripts under this name"});
}

namespace {

// A source and a service with these configuration files.
std::string with_config(const std::string& config) {
  return "    - deb: {packages: [aa]}\n      executables: {aa: usr/bin/aa}\n"
         "service: {command: ['{exe.aa}'], secrets: {key: '{word}'}, config: {" +
         config + "}}\n";
}

}  // namespace

TEST_CASE("configuration files of a service are read and may name what a template may",
          "[catalog]") {
  Folder folder;
  const std::string text =
      "port = {port}\nkey = {secret.key}\nhere = {config}\nprogram = {exe.aa}\nbrace = {{\n";
  folder.write("files/aa.conf", text);
  folder.write("files/empty", "");
  const auto manifest = folder.load(with_config("aa.conf: files/aa.conf, empty: files/empty"));
  CHECK(folder.faults == Texts{});
  REQUIRE(manifest.has_value());
  CHECK(manifest->service->config ==
        std::vector<ConfigFile>{{"aa.conf", "files/aa.conf", text}, {"empty", "files/empty", ""}});
  CHECK(companion_files(*manifest) == Texts{"files/aa.conf", "files/empty"});
}

TEST_CASE("faults of configuration files name the file", "[catalog]") {
  Folder folder;
  folder.write("a", "port = {prot}\n");
  folder.write("b", "{ never closed\n");
  folder.write("c", std::string((std::size_t{1} << 20U) + 1, ' '));
  folder.write("d", "{word}");
  fs::create_symlink("a", folder.folder / "m/e");
  CHECK_FALSE(folder.load(with_config("a: a, b: b, c: c, d: d, e: e, f: gone")));
  REQUIRE(folder.faults.size() == 6);
  CHECK(folder.faults[0] == "/m/manifest.yaml: error: files: e is a symlink or lies behind one");
  CHECK(folder.faults[1] == "/m/manifest.yaml: error: files: gone is not beside the manifest");
  CHECK(folder.faults[2] ==
        "/m/a: error: unknown placeholder in a template: {prot} (did you mean '{port}'?)");
  CHECK(folder.faults[3].starts_with("/m/b: error: unclosed '{' in a template: { never closed"));
  CHECK(folder.faults[4].starts_with("/m/c: error: the file is too large: "));
  CHECK(folder.faults[5].starts_with("/m/d: error: unknown placeholder in a template: {word}"));
}

TEST_CASE("a manifest of 100 MB is left out, unread, and named", "[catalog]") {
  Folder folder;
  folder.write("manifest.yaml", "name: m\n");
  fs::resize_file(folder.folder / "m/manifest.yaml", 100'000'000);
  Diagnostics diagnostics;
  const Catalog catalog = load_catalog(*folder.files, {{"r", folder.folder.path()}}, diagnostics);
  CHECK(catalog.briefs().empty());
  REQUIRE(diagnostics.items().size() == 1);
  CHECK(diagnostics.items()[0].file == (folder.folder / "m/manifest.yaml").string());
  CHECK(diagnostics.items()[0].message.starts_with("the file is too large: "));
}
