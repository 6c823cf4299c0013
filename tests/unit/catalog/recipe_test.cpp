// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/recipe.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/temp_directory.hpp"

#include "las/catalog/catalog.hpp"

using namespace las;
using namespace las::catalog;

namespace {

struct Place {
  test::TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();

  Catalog load(const std::filesystem::path& directory) const {
    Diagnostics diagnostics;
    const Catalog catalog = load_catalog(*files, {{"here", directory}}, diagnostics);
    CHECK(diagnostics.items().empty());
    return catalog;
  }
};

constexpr const char* kTwoReleases =
    "name: two\n"
    "category: service\n"
    "description: 'a # test: \"quoted\"'\n"
    "options: [{name: depth, type: integer, default: 3}]\n"
    "releases:\n"
    "- version: '2.0'\n"
    "  variants:\n"
    "  - {name: any, sources: [{deb: {packages: [bb]}, executables: {run: r}}]}\n"
    "- version: '1.0'\n"
    "  variants:\n"
    "  - {name: any, sources: [{deb: {packages: [aa]}, executables: {run: r}}]}\n"
    "service:\n"
    "  command: ['{exe.run}', '-c', '{config}/a.conf']\n"
    "  config: {a.conf: c/a.conf}\n";

}  // namespace

TEST_CASE("a recipe is the manifest with the one release", "[catalog]") {
  const Place place;
  const Catalog catalog = place.load(LAS_SOURCE_DIR "/share/manifests");
  int services = 0;
  for (const std::string& name : catalog.names()) {
    INFO(name);
    const Manifest& whole = catalog.get(name);
    for (const Release& release : whole.releases) {
      const Recipe recipe = make_recipe(*place.files, whole, release.version);
      REQUIRE(recipe.empty() == !whole.service);
      if (recipe.empty())
        continue;
      ++services;
      Diagnostics faults;
      const auto read = read_recipe(recipe, faults);
      CHECK(faults.items().empty());
      REQUIRE(read);
      REQUIRE(read->releases.size() == 1);
      CHECK(read->releases.front().version == release.version);
      CHECK(read->service == whole.service);
      CHECK(read->options == whole.options);
      CHECK(read->description == whole.description);
      CHECK(read->modes == whole.modes);
    }
  }
  CHECK(services >= 5);
}

TEST_CASE("a recipe stays what it was when its manifest changes", "[catalog]") {
  const Place place;
  place.folder.write("two.yaml", kTwoReleases);
  place.folder.write("c/a.conf", "port = {port}\n");
  const Recipe recipe =
      make_recipe(*place.files, place.load(place.folder.path()).get("two"), Version("1.0"));
  CHECK(recipe.size() == 2);
  CHECK(recipe.at("config/a.conf") == "port = {port}\n");
  CHECK(recipe.at("manifest.yaml").find("2.0") == std::string::npos);
  place.folder.write("two.yaml", "name: two\ncategory: service\ndescription: now without\n");
  Diagnostics faults;
  const auto read = read_recipe(recipe, faults);
  REQUIRE(read);
  CHECK(read->summary() == "a # test: \"quoted\"");
  CHECK(read->options.front().default_value == "3");
  CHECK(read->service->config.front().text == "port = {port}\n");
}

TEST_CASE("what is no recipe is nothing", "[catalog]") {
  Diagnostics faults;
  CHECK_FALSE(read_recipe({}, faults));
  CHECK_FALSE(read_recipe({{"manifest.yaml", kTwoReleases}}, faults));  // without its a.conf
  CHECK(faults.items().empty());
  CHECK_FALSE(read_recipe({{"manifest.yaml", "name: [\n"}}, faults));
  CHECK(faults.has_errors());
}

TEST_CASE("a file that is no manifest any more makes no recipe", "[catalog]") {
  const Place place;
  place.folder.write("two.yaml", kTwoReleases);
  place.folder.write("c/a.conf", "");
  const Manifest manifest = place.load(place.folder.path()).get("two");
  place.folder.write("two.yaml", "a: 1\na: 2\n");
  const auto error = test::error_of([&] { make_recipe(*place.files, manifest, Version("1.0")); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::InvalidData);
}
