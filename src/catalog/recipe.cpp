// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/recipe.hpp"

#include "las/document/node.hpp"

#include <filesystem>

namespace las::catalog {

namespace fs = std::filesystem;

namespace {

constexpr const char* kManifest = "manifest.yaml";
constexpr const char* kConfig = "config/";

fs::path file_of(const platform::FileReader& files, const Manifest& manifest) {
  const fs::path folder = manifest.directory;
  const fs::path own = folder / kManifest;
  return folder.filename() == manifest.name && files.exists(own)
             ? own
             : folder / (manifest.name + ".yaml");
}

}  // namespace

Recipe make_recipe(const platform::FileReader& files,
                   const Manifest& manifest,
                   const Version& release) {
  if (!manifest.service)
    return {};
  Recipe recipe;
  recipe[kManifest] =
      document::keep_items(files.read_file(file_of(files, manifest)),
                           "releases",
                           "version",
                           [&](const std::string& version) { return Version(version) == release; });
  for (const ConfigFile& config : manifest.service->config)
    recipe[kConfig + config.name] = config.text;
  return recipe;
}

std::optional<Manifest> read_recipe(const Recipe& recipe, Diagnostics& diagnostics) {
  const auto text = recipe.find(kManifest);
  if (text == recipe.end())
    return std::nullopt;
  auto manifest = parse_manifest(text->second, kManifest, diagnostics);
  if (!manifest || !manifest->service)
    return std::nullopt;
  for (ConfigFile& config : manifest->service->config) {
    const auto found = recipe.find(kConfig + config.name);
    if (found == recipe.end())
      return std::nullopt;
    config.text = found->second;
  }
  return manifest;
}

}  // namespace las::catalog
