// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/manifest.hpp"

#include "keys.hpp"
#include "parts.hpp"
#include "values.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/document/node.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace las::catalog {

namespace {

using document::Node;

constexpr int kNewestSchema = 1;

// By language; "" is the default text: the plain string, else English, else the first.
std::map<std::string, std::string> read_description(const Node& node) {
  std::map<std::string, std::string> out;
  if (!node.is_map()) {
    if (const auto text = node.string())
      out[""] = *text;
    return out;
  }
  const auto languages = node.keys();
  for (const std::string& language : languages)
    out[language] = node[language].required_string();
  if (languages.empty())
    return out;
  out[""] = out.contains("en") ? out["en"] : out[languages.front()];
  return out;
}

Mode mode_of(const std::string& word) {
  return word == "container" ? Mode::Container : Mode::Native;
}

void read_runtime(const Node& node, Manifest& manifest) {
  node.allow_only(kKeys.at("runtime"));
  for (const std::string& word : read_words(node["modes"], kModes)) {
    const Mode mode = mode_of(word);
    if (std::find(manifest.modes.begin(), manifest.modes.end(), mode) == manifest.modes.end())
      manifest.modes.push_back(mode);
  }
  const auto preferred = node["preferred"].one_of(kModes);
  if (manifest.modes.empty())
    manifest.modes.push_back(preferred ? mode_of(*preferred) : Mode::Native);
  manifest.preferred_mode = preferred ? mode_of(*preferred) : manifest.modes.front();
  if (std::find(manifest.modes.begin(), manifest.modes.end(), manifest.preferred_mode) ==
      manifest.modes.end())
    node["preferred"].fault(_("is not one of the modes"));
}

// The head of a manifest: what LocalAIStack publishes, and a few of ours.
void read_metadata(const Node& root, Manifest& manifest) {
  const Node schema = root["schema"];
  manifest.schema = static_cast<int>(schema.integer().value_or(kNewestSchema));
  if (schema.is_scalar() && (manifest.schema < 1 || manifest.schema > kNewestSchema))
    schema.fault(fmt::format(fmt::runtime(_("schema {} is not known here")), manifest.schema),
                 fmt::format(fmt::runtime(_("this las reads up to {}")), kNewestSchema));
  manifest.name = read_name(root["name"]);
  const Node category = root["category"];
  if (!category.present())
    category.required_string();
  if (const auto word = category.one_of(kCategories)) {
    const auto position = std::find(kCategories.begin(), kCategories.end(), *word);
    manifest.category = static_cast<Category>(position - kCategories.begin());
  }
  manifest.version = read_version(root["version"]).value_or(Version());
  manifest.description = read_description(root["description"]);
  manifest.license = root["license"].string().value_or("");
  if (root["homepage"].present())
    manifest.homepage = read_url(root["homepage"], true);
  manifest.deprecated = root["deprecated"].boolean().value_or(false);
  const Node integrity = root["integrity"];
  integrity.allow_only(kKeys.at("integrity"));
  manifest.checksum = read_digest(integrity["checksum"]);
  manifest.signature = integrity["signature"].string().value_or("");
}

// The manifest's own version is the newest release's.
void settle_version(const Node& root, Manifest& manifest) {
  if (manifest.releases.empty()) {
    if (!root["version"].present())
      root["version"].required_string();
    return;
  }
  const Version& newest = manifest.releases.front().version;
  if (root["version"].is_scalar() && !manifest.version.empty() && manifest.version != newest)
    root["version"].fault(
        fmt::format(fmt::runtime(_("is not the newest release, {}")), newest.text()),
        _("leave it out"));
  manifest.version = newest;
}

// What integrity.checksum is the digest of: exactly one archive of the releases. Without releases
// (LocalAIStack's published manifests) there is nothing to compare it with.
void check_checksum(const Node& node, const Manifest& manifest) {
  if (!manifest.checksum || manifest.releases.empty())
    return;
  std::set<std::vector<std::string>> archives;
  for (const Release& release : manifest.releases)
    for (const Variant& variant : release.variants)
      for (const Source& source : variant.sources)
        if (const auto* archive = std::get_if<ArchiveSource>(&source.how))
          for (const ArchivePart& part : archive->parts)
            if (part.digest == manifest.checksum)
              archives.insert(part.urls);
  if (archives.empty())
    node.warn(_("is the digest of no archive here"), _("leave it out"));
  if (archives.size() > 1)
    node.fault(fmt::format(fmt::runtime(_("would be the digest of {} archives")), archives.size()),
               _("give each archive its own digest"));
}

Manifest read_manifest(const Node& root) {
  Manifest manifest;
  root.allow_only(kKeys.at("manifest"));
  read_metadata(root, manifest);
  manifest.needs = read_hardware(root["hardware"]);
  manifest.dependencies = read_dependencies(root["dependencies"]);
  read_runtime(root["runtime"], manifest);
  const Node interfaces = root["interfaces"];
  interfaces.allow_only(kKeys.at("interfaces"));
  manifest.provides = interfaces["provides"].strings();
  manifest.consumes = interfaces["consumes"].strings();
  manifest.system = read_system_changes(root["system"]);
  manifest.releases =
      read_releases(root["releases"], manifest.checksum, read_data_format(root["data"]));
  std::stable_sort(manifest.releases.begin(),
                   manifest.releases.end(),
                   [](const Release& a, const Release& b) { return a.version > b.version; });
  settle_version(root, manifest);
  check_checksum(root["integrity"]["checksum"], manifest);
  manifest.options = read_options(root["options"]);
  if (root["service"].present())
    manifest.service = read_service(root["service"], manifest);
  manifest.conflicts = read_modules(root["conflicts"]);
  return manifest;
}

// In the order of the document, not of the reading; what has no line comes last.
void hand_over(const Diagnostics& found, Diagnostics& diagnostics) {
  std::vector<Diagnostic> items = found.items();
  const auto place = [](const Diagnostic& item) {
    return std::make_tuple(item.line == 0, item.line, item.column);
  };
  std::stable_sort(items.begin(), items.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return place(a) < place(b);
  });
  for (Diagnostic& item : items)
    diagnostics.add(std::move(item));
}

}  // namespace

std::string_view to_string(Category category) {
  return kCategories.at(static_cast<std::size_t>(category));
}

std::string_view to_string(Mode mode) {
  return mode == Mode::Native ? "native" : "container";
}

Mode Source::mode() const {
  return std::holds_alternative<ImageSource>(how) ? Mode::Container : Mode::Native;
}

std::string Source::kind() const {
  constexpr std::array<const char*, 6> kKinds = {"archive", "apt", "python", "npm", "deb", "image"};
  return kKinds.at(how.index());
}

std::string Manifest::summary(std::string_view language) const {
  // "zh_CN.UTF-8" asks for zh_CN, then zh.
  std::string wanted(language.substr(0, language.find_first_of(".@")));
  for (; !wanted.empty(); wanted.resize(
           wanted.find_last_of("_-") == std::string::npos ? 0 : wanted.find_last_of("_-"))) {
    if (const auto found = description.find(wanted); found != description.end())
      return found->second;
  }
  const auto found = description.find("");
  return found == description.end() ? std::string() : found->second;
}

const Release* Manifest::find_release(const Version& wanted) const {
  const auto found = std::find_if(releases.begin(), releases.end(), [&](const Release& release) {
    return release.version == wanted;
  });
  return found == releases.end() ? nullptr : &*found;
}

std::optional<Manifest> parse_manifest(std::string_view yaml,
                                       const std::string& file,
                                       Diagnostics& diagnostics) {
  Diagnostics found;
  std::optional<Manifest> manifest;
  const Node root = document::parse(yaml, file, found);
  if (root.is_map())
    manifest = read_manifest(root);
  else if (!found.has_errors())
    root.fault(_("a manifest is a map of keys"));
  if (found.has_errors())
    manifest.reset();
  hand_over(found, diagnostics);
  return manifest;
}

}  // namespace las::catalog
