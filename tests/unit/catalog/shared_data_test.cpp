// SPDX-License-Identifier: Apache-2.0
// What is in share/manifests and share/schema, against the code that reads it.
#include "keys.hpp"
#include "support/catch.hpp"

#include "las/catalog/catalog.hpp"
#include "las/hardware/profile.hpp"

#include <algorithm>
#include <fstream>
#include <map>

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

std::vector<Manifest> all_of(const Catalog& catalog) {
  std::vector<Manifest> out;
  for (const std::string& name : catalog.names())
    out.push_back(catalog.get(name));
  return out;
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
  CHECK(keys_of(defs.at("hardware").at("properties").at("tools")) == sorted(kTools));
}

TEST_CASE("every tool that a manifest may need is a fact about the machine", "[catalog]") {
  Texts facts;
  for (const auto& fact : hardware::named_facts({})) {
    if (fact.kind == hardware::NamedFact::Kind::Version && fact.name.starts_with("tools."))
      facts.push_back(fact.name.substr(6));
  }
  // These two stand under hardware.gpu.
  std::erase(facts, "nvidia_driver");
  std::erase(facts, "cuda_driver");
  CHECK(sorted(facts) == sorted(kTools));
}

TEST_CASE("a source in the schema has exactly one kind", "[catalog]") {
  Texts kinds;
  const Json root = schema();
  for (const Json& choice : root.at("$defs").at("source").at("oneOf"))
    kinds.push_back(choice.at("required").at(0));
  CHECK(kinds == Texts{"archive", "apt", "python", "npm", "deb", "image"});
  Texts known;
  Source source;
  for (const decltype(Source::how)& how : std::vector<decltype(Source::how)>{
           ArchiveSource{}, AptSource{}, PythonSource{}, NpmSource{}, DebSource{}, ImageSource{}}) {
    source.how = how;
    known.push_back(source.kind());
  }
  CHECK(known == kinds);
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

TEST_CASE("every shipped module is described in English and Chinese, with licence and home page",
          "[catalog]") {
  Diagnostics diagnostics;
  Texts names;
  const Catalog catalog = built_in(diagnostics);
  for (const Manifest& manifest : all_of(catalog)) {
    INFO(manifest.name);
    names.push_back(manifest.name);
    CHECK(manifest.description.contains("en"));
    CHECK(manifest.description.contains("zh"));
    CHECK_FALSE(manifest.license.empty());
    CHECK(manifest.homepage.starts_with("https://"));
    CHECK_FALSE(manifest.releases.empty());
  }
  CHECK(names == Texts{"code-server",
                       "llama.cpp",
                       "mariadb",
                       "nginx",
                       "node",
                       "ollama",
                       "opencode",
                       "postgresql",
                       "python",
                       "redis",
                       "uv",
                       "vllm"});
}

TEST_CASE("every shipped archive has a digest, or a checksum file where that is said",
          "[catalog]") {
  Diagnostics diagnostics;
  Texts unpinned;
  const Catalog catalog = built_in(diagnostics);
  for (const Manifest& manifest : all_of(catalog))
    for (const Release& release : manifest.releases)
      for (const Variant& variant : release.variants)
        for (const Source& source : variant.sources) {
          const auto* archive = std::get_if<ArchiveSource>(&source.how);
          if (archive == nullptr)
            continue;
          for (const ArchivePart& part : archive->parts) {
            CHECK(part.urls.at(0).starts_with("https://"));
            if (!part.digest)
              unpinned.push_back(manifest.name + " " + variant.name + " " + part.checksum->url);
          }
        }
  CHECK(unpinned == Texts{"ollama rocm https://github.com/ollama/ollama/releases/download/v0.34.4/"
                          "sha256sum.txt"});
}

TEST_CASE("one file has one digest wherever it is named", "[catalog]") {
  Diagnostics diagnostics;
  std::map<std::string, std::string> digests;
  const Catalog catalog = built_in(diagnostics);
  for (const Manifest& manifest : all_of(catalog))
    for (const Release& release : manifest.releases)
      for (const Variant& variant : release.variants)
        for (const Source& source : variant.sources)
          if (const auto* archive = std::get_if<ArchiveSource>(&source.how))
            for (const ArchivePart& part : archive->parts)
              if (part.digest) {
                const auto [known, added] =
                    digests.emplace(part.urls.at(0), part.digest->to_string());
                CHECK(known->second == part.digest->to_string());
              }
  CHECK(digests.size() > 20);
}

TEST_CASE("what the distribution delivers is offered to the distributions that have it",
          "[catalog]") {
  Diagnostics diagnostics;
  const Catalog catalog = built_in(diagnostics);
  for (const char* name : {"postgresql", "mariadb", "redis", "nginx"}) {
    INFO(name);
    std::map<std::string, int> offers;
    for (const Release& release : catalog.get(name).releases)
      for (const auto& [id, range] : release.variants.at(0).needs.os)
        ++offers[id + range.to_string()];
    CHECK(offers ==
          std::map<std::string, int>{
              {"debian==12", 1}, {"debian==13", 1}, {"ubuntu==22.04", 1}, {"ubuntu==24.04", 1}});
  }
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
