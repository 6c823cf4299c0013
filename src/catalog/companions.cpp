// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/companions.hpp"

#include "parts.hpp"
#include "values.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/catalog/npm_lock.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include <fmt/format.h>

namespace las::catalog {

namespace {

namespace fs = std::filesystem;

constexpr ByteSize kLockLimit = ByteSize::mib(16);
constexpr ByteSize kConfigLimit = ByteSize::mib(1);

template <typename Visit>
void for_each_source(Manifest& manifest, Visit&& visit) {
  for (Release& release : manifest.releases)
    for (Variant& variant : release.variants)
      for (Source& source : variant.sources)
        visit(source);
}

std::string lock_of(const Source& source) {
  if (const auto* python = std::get_if<PythonSource>(&source.how))
    return python->lock_file;
  if (const auto* npm = std::get_if<NpmSource>(&source.how))
    return npm->lock_file;
  return {};
}

// Lines of pip, one a line; "#" begins a comment line.
std::vector<std::string> read_requirements(const std::string& text,
                                           const std::string& file,
                                           Diagnostics& diagnostics) {
  constexpr int kMaxFaults = 100;
  std::vector<std::string> requirements;
  int number = 0, faults = 0;
  for (const std::string& line : text::lines(text)) {
    ++number;
    const std::string_view trimmed = text::trim(line);
    if (trimmed.empty() || trimmed[0] == '#')
      continue;
    if (!is_locked_requirement(trimmed) && ++faults <= kMaxFaults)
      diagnostics.add({Severity::Error,
                       file,
                       number,
                       0,
                       {},
                       _("not locked"),
                       _("write it like name==1.2 --hash=sha256:…")});
    requirements.emplace_back(trimmed);
  }
  if (requirements.empty())
    diagnostics.add({Severity::Error, file, 0, 0, {}, _("is empty"), {}});
  return requirements;
}

}  // namespace

std::vector<std::string> companion_files(const Manifest& manifest) {
  std::set<std::string> paths;
  for (const Release& release : manifest.releases)
    for (const Variant& variant : release.variants)
      for (const Source& source : variant.sources) {
        for (const ManifestFile& file : source.files)
          paths.insert(file.from);
        paths.insert(lock_of(source));
        if (const auto* image = std::get_if<ImageSource>(&source.how))
          paths.insert(image->archive);
      }
  if (manifest.service)
    for (const ConfigFile& file : manifest.service->config)
      paths.insert(file.from);
  paths.erase("");
  return {paths.begin(), paths.end()};
}

void read_companions(const platform::FileReader& files,
                     const std::string& file,
                     Manifest& manifest,
                     Diagnostics& diagnostics) {
  std::set<std::string> missing;
  for (const std::string& path : companion_files(manifest)) {
    std::string fault;
    fs::path reached = manifest.directory;
    for (const std::string& part : text::split(path, '/')) {
      reached /= part;
      const auto status = files.status(reached);
      if (!status)
        fault = fmt::format(fmt::runtime(_("{} is not beside the manifest")), path);
      else if (status->kind == platform::FileKind::Symlink)
        fault = fmt::format(fmt::runtime(_("{} is a symlink or lies behind one")), path);
      if (!fault.empty())
        break;
    }
    if (fault.empty())
      continue;
    missing.insert(path);
    diagnostics.add({Severity::Error, file, 0, 0, "files", std::move(fault), {}});
  }
  const auto read = [&](const std::string& path, ByteSize limit) -> std::optional<std::string> {
    const fs::path at = fs::path(manifest.directory) / path;
    try {
      return files.read_file(at, limit);
    } catch (const Error& error) {
      diagnostics.add({Severity::Error, at.string(), 0, 0, {}, error.what(), {}});
      return std::nullopt;
    }
  };
  if (manifest.service) {
    for (ConfigFile& config : manifest.service->config) {
      if (missing.contains(config.from))
        continue;
      if (auto text = read(config.from, kConfigLimit)) {
        config.text = *std::move(text);
        check_config_template(config, manifest, diagnostics);
      }
    }
  }
  for_each_source(manifest, [&](Source& source) {
    const std::string path = lock_of(source);
    if (path.empty() || missing.contains(path))
      return;
    const fs::path lock = fs::path(manifest.directory) / path;
    auto found = read(path, kLockLimit);
    if (!found)
      return;
    std::string text = *std::move(found);
    if (auto* python = std::get_if<PythonSource>(&source.how)) {
      python->requirements = read_requirements(text, lock.string(), diagnostics);
      return;
    }
    auto& npm = std::get<NpmSource>(source.how);
    const auto parsed = parse_npm_lock(text, lock.string(), diagnostics);
    if (!parsed)
      return;
    npm.lock = std::move(text);
    for (const auto& [name, why] : npm.allow_scripts) {
      if (std::none_of(parsed->packages.begin(), parsed->packages.end(), [&](const auto& package) {
            return package.name == name && package.has_install_scripts;
          }))
        diagnostics.add({Severity::Error,
                         file,
                         0,
                         0,
                         "allow_scripts." + name,
                         _("no package of the lock has install scripts under this name"),
                         {}});
    }
  });
}

}  // namespace las::catalog
