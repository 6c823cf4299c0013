// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/catalog.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/catalog/companions.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace las::catalog {

namespace {

namespace fs = std::filesystem;

constexpr ByteSize kManifestLimit = ByteSize::mib(4);

// How well one word of a query meets one manifest; 0 is not at all.
int word_score(const Manifest& manifest, const std::string& word) {
  const auto holds = [&](const std::string& text) {
    return text::lower(text).find(word) != std::string::npos;
  };
  int score = 0;
  const std::string name = text::lower(manifest.name);
  if (name == word)
    score += 100;
  else if (name.starts_with(word))
    score += 60;
  else if (name.find(word) != std::string::npos)
    score += 40;
  if (std::any_of(manifest.provides.begin(), manifest.provides.end(), holds))
    score += 20;
  if (holds(std::string(to_string(manifest.category))))
    score += 15;
  if (std::any_of(manifest.description.begin(), manifest.description.end(), [&](const auto& entry) {
        return holds(entry.second);
      }))
    score += 10;
  return score;
}

// Name and path of every manifest in a registry, sorted.
struct Found {
  std::string name;
  fs::path file;
};

std::vector<Found> manifests_in(const platform::FileReader& files, const fs::path& directory) {
  std::vector<Found> out;
  for (const std::string& entry : files.list_directory(directory)) {
    const fs::path path = directory / entry;
    if (entry.starts_with('.'))
      continue;
    if (entry.ends_with(".yaml"))
      out.push_back({entry.substr(0, entry.size() - std::string_view(".yaml").size()), path});
    else if (files.exists(path / "manifest.yaml"))
      out.push_back({entry, path / "manifest.yaml"});
  }
  return out;
}

void check_name(const Found& found, const Manifest& manifest, Diagnostics& faults) {
  if (manifest.name != found.name)
    faults.add({Severity::Error,
                found.file.string(),
                0,
                0,
                "name",
                fmt::format(fmt::runtime(_("the manifest of {} lies under the name {}")),
                            manifest.name,
                            found.name),
                {}});
}

std::optional<Manifest> load_manifest(const platform::FileReader& files,
                                      const Registry& registry,
                                      const Found& found,
                                      Diagnostics& diagnostics) {
  Diagnostics faults;
  std::optional<Manifest> manifest;
  try {
    manifest =
        parse_manifest(files.read_file(found.file, kManifestLimit), found.file.string(), faults);
  } catch (const Error& error) {  // one file that cannot be read must not hide the others
    faults.add({Severity::Error, found.file.string(), 0, 0, {}, error.what(), {}});
  }
  if (manifest) {
    manifest->origin = registry.name;
    manifest->directory = found.file.parent_path().string();
    check_name(found, *manifest, faults);
    read_companions(files, found.file.string(), *manifest, faults);
  }
  for (const Diagnostic& item : faults.items())
    diagnostics.add(item);
  if (faults.has_errors())
    return std::nullopt;
  return manifest;
}

}  // namespace

Catalog::Catalog(std::vector<Manifest> manifests) {
  std::map<std::string, Manifest> by_name;
  for (Manifest& manifest : manifests) {
    std::string name = manifest.name;
    by_name.insert_or_assign(std::move(name), std::move(manifest));
  }
  for (auto& [name, manifest] : by_name)
    manifests_.push_back(std::move(manifest));
}

const Manifest* Catalog::find(std::string_view name) const {
  const auto found = std::lower_bound(
      manifests_.begin(), manifests_.end(), name, [](const Manifest& manifest, std::string_view n) {
        return manifest.name < n;
      });
  return found != manifests_.end() && found->name == name ? &*found : nullptr;
}

const Manifest& Catalog::get(std::string_view name) const {
  if (const Manifest* manifest = find(name))
    return *manifest;
  Error error(ErrorKind::NotFound, _("no such module"), std::string(name));
  std::vector<std::string> names;
  for (const Manifest& manifest : manifests_)
    names.push_back(manifest.name);
  const std::string nearest = nearest_name(name, names);
  error.hint(nearest.empty() ? _("see the modules with: las list --available")
                             : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  throw error;
}

std::vector<Catalog::Hit> Catalog::search(std::string_view query) const {
  std::vector<std::string> words;
  for (const std::string& word : text::split(text::lower(query), ' ')) {
    if (!text::trim(word).empty())
      words.emplace_back(text::trim(word));
  }
  std::vector<Hit> hits;
  for (const Manifest& manifest : manifests_) {
    int total = 0;
    const bool all = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
      const int score = word_score(manifest, word);
      total += score;
      return score > 0;
    });
    if (all)
      hits.push_back({&manifest, total});
  }
  // manifests_ is sorted by name, and a stable sort keeps that among equals.
  std::stable_sort(
      hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
  return hits;
}

Catalog load_catalog(const platform::FileReader& files,
                     const std::vector<Registry>& registries,
                     Diagnostics& diagnostics) {
  std::vector<Manifest> manifests;
  for (const Registry& registry : registries) {
    if (!files.exists(registry.directory))
      continue;
    for (const Found& found : manifests_in(files, registry.directory)) {
      if (auto manifest = load_manifest(files, registry, found, diagnostics))
        manifests.push_back(std::move(*manifest));
    }
  }
  return Catalog(std::move(manifests));
}

}  // namespace las::catalog
