// SPDX-License-Identifier: Apache-2.0
// What is in share/manifests and share/schema, against the code that reads it.
#include "keys.hpp"
#include "support/catch.hpp"

#include "las/catalog/catalog.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

using namespace las;
using namespace las::catalog;

namespace {

using Json = nlohmann::json;
using Texts = std::vector<std::string>;

Json schema() {
  std::ifstream file(LAS_SOURCE_DIR "/share/schema/manifest.schema.json");
  return Json::parse(file);
}

Texts sorted(Texts words) {
  std::sort(words.begin(), words.end());
  return words;
}

Texts keys_of(const Json& object) {
  Texts keys;
  for (const auto& [key, value] : object.at("properties").items())
    keys.push_back(key);
  return sorted(keys);
}

Catalog built_in(Diagnostics& diagnostics) {
  const auto files = platform::make_posix_file_system();
  return load_catalog(*files, {{"built-in", LAS_SOURCE_DIR "/share/manifests"}}, diagnostics);
}

}  // namespace

TEST_CASE("the schema has exactly the keys that the parser has", "[catalog]") {
  const Json root = schema();
  CHECK(keys_of(root) == sorted(kKeys.at("manifest")));
  Texts objects{"manifest"};
  for (const auto& [name, definition] : root.at("$defs").items()) {
    objects.push_back(name);
    INFO(name);
    REQUIRE(kKeys.contains(name));
    CHECK(keys_of(definition) == sorted(kKeys.at(name)));
    CHECK(definition.at("additionalProperties") == false);
  }
  Texts expected;
  for (const auto& [name, keys] : kKeys)
    expected.push_back(name);
  CHECK(sorted(objects) == expected);
}

TEST_CASE("the schema has exactly the words that the parser has", "[catalog]") {
  const Json root = schema();
  const Json& defs = root.at("$defs");
  const auto words = [](const Json& object, const char* key) {
    const Json& property = object.at("properties").at(key);
    return property.contains("enum") ? property.at("enum").get<Texts>()
                                     : property.at("oneOf").at(0).at("enum").get<Texts>();
  };
  CHECK(words(root, "category") == kCategories);
  CHECK(words(defs.at("runtime"), "modes") == kModes);
  CHECK(words(defs.at("runtime"), "preferred") == kModes);
  CHECK(words(defs.at("hardware.gpu"), "vendor") == kGpuVendors);
  CHECK(words(defs.at("hardware.cpu"), "architectures") == kArchitectures);
  CHECK(words(defs.at("checksum"), "format") == kChecksumFormats);
  CHECK(words(defs.at("service"), "kind") == kServiceKinds);
  CHECK(words(defs.at("service"), "stop_signal") == kStopSignals);
  CHECK(words(defs.at("option"), "type") == kOptionTypes);
}

TEST_CASE("every category word stands for its category", "[catalog]") {
  CHECK(to_string(Category::Language) == "language");
  CHECK(to_string(Category::Runtime) == "runtime");
  CHECK(to_string(Category::Framework) == "framework");
  CHECK(to_string(Category::Service) == "service");
  CHECK(to_string(Category::Application) == "application");
  CHECK(to_string(Category::Tool) == "tool");
  CHECK(to_string(Category::Model) == "model");
  CHECK(to_string(Mode::Native) == "native");
  CHECK(to_string(Mode::Container) == "container");
}

TEST_CASE("every manifest in share has no fault", "[catalog]") {
  Diagnostics diagnostics;
  const Catalog catalog = built_in(diagnostics);
  for (const auto& item : diagnostics.items())
    CHECK(item.to_string() == "");
  CHECK_FALSE(catalog.briefs().empty());
}

TEST_CASE("llama.cpp can be had on every architecture, each file with digest and size",
          "[catalog]") {
  Diagnostics diagnostics;
  const Catalog catalog = built_in(diagnostics);
  const Manifest& engine = catalog.get("llama.cpp");
  REQUIRE(engine.releases.size() == 1);
  CHECK(engine.version.text() == "b11194");
  Texts variants;
  for (const Variant& variant : engine.releases[0].variants) {
    variants.push_back(variant.name + " " + std::to_string(variant.priority));
    for (const Source& source : variant.sources) {
      CHECK(source.executables.contains("llama-server"));
      const auto* archive = std::get_if<ArchiveSource>(&source.how);
      if (archive == nullptr)
        continue;
      ByteSize total;
      for (const ArchivePart& part : archive->parts) {
        REQUIRE(part.digest.has_value());
        REQUIRE(part.size.has_value());
        CHECK(part.urls.size() == 1);
        CHECK(part.urls[0].find("/b11194/") != std::string::npos);
        total += *part.size;
      }
      CHECK(source.download_size == total);
    }
  }
  CHECK(variants == Texts{"cpu 10", "cuda13 50", "cuda12 40", "rocm 0", "vulkan 20"});
  Texts kinds;
  for (const Source& source : engine.releases[0].variants[0].sources)
    kinds.push_back(source.kind());
  CHECK(kinds == Texts{"archive", "archive", "apt", "python", "python"});
  REQUIRE(engine.service.has_value());
  CHECK(engine.service->kind == ServiceTemplate::Kind::Deployment);
  CHECK(engine.service->formats == Texts{"gguf"});
  CHECK(engine.service->health.path == "/health");
}
