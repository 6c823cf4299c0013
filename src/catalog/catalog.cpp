// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/catalog.hpp"

#include "catalog_parts.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/catalog/companions.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace las::catalog {

namespace {

// How well one word of a query meets one module; 0 is not at all. `word` is in lower case.
int word_score(const Brief& brief, std::string_view word) {
  int score = 0;
  if (brief.name == word)
    score += 100;
  else if (brief.name.starts_with(word))
    score += 60;
  else if (brief.name.find(word) != std::string_view::npos)
    score += 40;
  if (brief.searched_provides.find(word) != std::string_view::npos)
    score += 20;
  if (to_string(brief.category).find(word) != std::string_view::npos)
    score += 15;
  if (brief.searched.find(word) != std::string_view::npos)
    score += 10;
  return score;
}

}  // namespace

void Catalog::Parts::merge(std::size_t from) {
  std::vector<std::size_t> merged;
  merged.reserve(modules.size());
  const auto name = [&](std::size_t position) { return modules[position].entry->brief.name; };
  auto old = positions.begin();
  for (std::size_t position = from; position < modules.size(); ++position) {
    while (old != positions.end() && name(*old) < name(position))
      merged.push_back(*old++);
    if (old != positions.end() && name(*old) == name(position))
      ++old;
    merged.push_back(position);
  }
  merged.insert(merged.end(), old, positions.end());
  positions = std::move(merged);
  briefs.clear();
  briefs.reserve(positions.size());
  for (const std::size_t position : positions)
    briefs.push_back(modules[position].entry->brief);
}

const Manifest* Catalog::Parts::load(std::size_t index) {
  Module& module = modules[positions[index]];
  if (!module.manifest) {
    auto manifest = std::make_unique<Manifest>(module.registry->load(*module.entry));
    manifest->origin = module.registry->name;
    manifest->directory = (module.registry->directory / module.entry->file).parent_path().string();
    module.manifest = std::move(manifest);
  }
  return module.manifest.get();
}

Catalog::Catalog() : parts_(std::make_shared<Parts>()) {}

Catalog::Catalog(std::vector<Manifest> manifests) : Catalog() {
  std::map<std::string, Manifest> by_name;
  for (Manifest& manifest : manifests) {
    std::string name = manifest.name;
    by_name.insert_or_assign(std::move(name), std::move(manifest));
  }
  for (auto& [name, manifest] : by_name) {
    Parts::Module module;
    module.manifest = std::make_unique<Manifest>(std::move(manifest));
    auto texts = std::make_unique<BriefTexts>(*module.manifest);
    IndexEntry& entry = parts_->own_entries.emplace_back();
    entry.brief = texts->brief();
    entry.brief.origin = module.manifest->origin;
    module.entry = &entry;
    parts_->texts.push_back(std::move(texts));
    parts_->modules.push_back(std::move(module));
  }
  parts_->merge(0);
}

const std::vector<Brief>& Catalog::briefs() const {
  return parts_->briefs;
}

const Manifest* Catalog::find(std::string_view name) const {
  const auto& briefs = parts_->briefs;
  const auto found = std::lower_bound(
      briefs.begin(), briefs.end(), name, [](const Brief& brief, std::string_view wanted) {
        return brief.name < wanted;
      });
  return found != briefs.end() && found->name == name
             ? parts_->load(static_cast<std::size_t>(found - briefs.begin()))
             : nullptr;
}

std::vector<std::string> Catalog::names() const {
  std::vector<std::string> names;
  names.reserve(parts_->briefs.size());
  for (const Brief& brief : parts_->briefs)
    names.emplace_back(brief.name);
  return names;
}

const Manifest& Catalog::get(std::string_view name) const {
  if (const Manifest* manifest = find(name))
    return *manifest;
  Error error(ErrorKind::NotFound, _("no such module"), std::string(name));
  const std::string nearest = nearest_name(name, names());
  error.hint(nearest.empty() ? _("see the modules with: las list --available")
                             : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  throw error;
}

const std::vector<const Manifest*>& Catalog::providers(std::string_view capability) const {
  const auto known = parts_->providers.find(capability);
  if (known != parts_->providers.end())
    return known->second;
  std::vector<const Manifest*> found;
  const std::string line = std::string(capability) + "\n";
  for (std::size_t i = 0; i < parts_->briefs.size(); ++i) {
    const std::string_view provides = parts_->briefs[i].provides;
    for (std::size_t at = provides.find(line); at != std::string_view::npos;
         at = provides.find(line, at + 1)) {
      if (at == 0 || provides[at - 1] == '\n') {
        found.push_back(parts_->load(i));
        break;
      }
    }
  }
  return parts_->providers.emplace(std::string(capability), std::move(found)).first->second;
}

std::vector<Catalog::Hit> Catalog::search(std::string_view query) const {
  std::vector<std::string> words;
  for (const std::string& word : text::split(text::lower(query), ' ')) {
    if (!text::trim(word).empty())
      words.emplace_back(text::trim(word));
  }
  std::vector<Hit> hits;
  for (const Brief& brief : parts_->briefs) {
    int total = 0;
    const bool all = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
      const int score = word_score(brief, word);
      total += score;
      return score > 0;
    });
    if (all)
      hits.push_back({&brief, total});
  }
  // Briefs are sorted by name, and a stable sort keeps that among equals.
  std::stable_sort(
      hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.score > b.score; });
  return hits;
}

}  // namespace las::catalog
