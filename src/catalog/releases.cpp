// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"
#include "parts.hpp"
#include "values.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/catalog/npm_lock.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/format.h>

namespace las::catalog {

namespace {

using document::Node;

// `common`: integrity.checksum, of the one archive that says nothing of its own.
ArchivePart read_part(const Node& node, const std::optional<Digest>& common) {
  ArchivePart part;
  const Node checksum = node["checksum"];
  checksum.allow_only(kKeys.at("checksum"));
  part.digest = read_digest(node["digest"]);
  const bool takes_common = common && !node["digest"].present() && !checksum.present();
  if (takes_common)
    part.digest = common;
  const bool pinned = takes_common || node["digest"].present();
  if (checksum.present()) {
    part.checksum = ChecksumFile{read_url(checksum["url"], false), "sums"};
    part.checksum->format = checksum["format"].one_of(kChecksumFormats).value_or("sums");
  }
  part.urls = read_urls(node["url"], pinned);
  if (!node["url"].present())
    node["url"].required_string();
  if (!pinned && !checksum.present())
    node.fault(_("has neither a digest nor a checksum file"),
               _("give the digest that the publisher gives"));
  part.size = node["size"].size();
  part.strip = read_int(node["strip"], 0, 16).value_or(0);
  if (node["into"].present())
    part.into = read_inner_path(node["into"]);
  return part;
}

ArchiveSource read_archive(const Node& node, const std::optional<Digest>& common) {
  ArchiveSource archive;
  const Node parts = node["parts"];
  if (!parts.present()) {  // the short form: the one part's keys in place
    node.allow_only(kKeys.at("archive"));
    archive.parts.push_back(read_part(node, common));
    return archive;
  }
  node.allow_only({"parts"});
  for (const Node& item : parts.items()) {
    item.allow_only(kKeys.at("part"));
    archive.parts.push_back(read_part(item, common));
  }
  if (parts.is_sequence() && archive.parts.empty())
    parts.fault(_("is empty"));
  return archive;
}

AptSource read_apt(const Node& node) {
  node.allow_only(kKeys.at("apt"));
  AptSource apt{read_packages(node["packages"])};
  if (!node["packages"].present())
    node["packages"].required_string();
  return apt;
}

DebSource read_deb(const Node& node) {
  node.allow_only(kKeys.at("deb"));
  DebSource deb;
  deb.packages = read_packages(node["packages"]);
  if (!node["packages"].present())
    node["packages"].required_string();
  if (node["packages"].is_sequence() && node["packages"].items().empty())
    node["packages"].fault(_("is empty"));
  for (const Node& item : node["without"].items()) {
    const std::string pattern = item.required_string();
    if (pattern.empty() || pattern.find('*') < pattern.size() - 1)
      item.fault(_("not a name, nor the beginning of one with '*' at its end"));
    deb.without.push_back(pattern);
  }
  return deb;
}

ImageSource read_image(const Node& node) {
  node.allow_only(kKeys.at("image"));
  ImageSource image;
  image.name = node["name"].required_string();
  // Without its registry a name means another image on each machine.
  const auto slash = image.name.find('/');
  const std::string registry = image.name.substr(0, slash);
  const bool named = registry.find_first_of(".:") != std::string::npos || registry == "localhost";
  if (!image.name.empty() &&
      (slash == std::string::npos || !named ||
       image.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-/:") !=
           std::string::npos))
    node["name"].fault(_("not the name of an image with its registry"),
                       _("write it like ghcr.io/owner/name"));
  image.tag = node["tag"].string().value_or("");
  if (image.tag.find_first_of(" \t\n/@:") != std::string::npos)
    node["tag"].fault(_("not a tag"));
  image.digest = read_digest(node["digest"]);
  if (node["archive"].present())
    image.archive = read_inner_path(node["archive"]);
  if (!image.digest && image.tag.empty() && node["name"].present())
    node.fault(_("needs a digest or a tag"));
  return image;
}

PythonSource read_python(const Node& node) {
  node.allow_only(kKeys.at("python"));
  PythonSource python;
  const Node requirements = node["requirements"], lock = node["lock"];
  if (requirements.present() && lock.present())
    lock.fault(_("requirements are given too: one of them"));
  if (!requirements.present() && !lock.present())
    requirements.required_string();
  for (const Node& item : requirements.items()) {
    python.requirements.push_back(item.required_string());
    if (item.is_scalar() && !is_locked_requirement(python.requirements.back()))
      item.fault(_("not locked"), _("write it like name==1.2 --hash=sha256:…"));
  }
  if (lock.present())
    python.lock_file = read_inner_path(lock);
  python.python = read_range(node["python"]).value_or(VersionRange());
  return python;
}

NpmSource read_npm(const Node& node) {
  node.allow_only(kKeys.at("npm"));
  NpmSource npm;
  npm.lock_file = read_inner_path(node["lock"]);
  npm.node = read_range(node["node"]).value_or(VersionRange());
  const Node scripts = node["allow_scripts"];
  for (const std::string& package : scripts.keys()) {
    if (!is_npm_package(package))
      scripts[package].fault(
          fmt::format(fmt::runtime(_("'{}' is not the name of a package")), package.substr(0, 60)));
    npm.allow_scripts[package] = scripts[package].required_string();
  }
  return npm;
}

std::vector<ManifestFile> read_files(const Node& node) {
  std::vector<ManifestFile> files;
  for (const Node& item : node.items()) {
    item.allow_only(kKeys.at("file"));
    files.push_back({read_inner_path(item["from"]),
                     read_inner_path(item["to"]),
                     item["executable"].boolean().value_or(false)});
  }
  return files;
}

Source read_source(const Node& node, const std::optional<Digest>& common) {
  Source source;
  node.allow_only(kKeys.at("source"));
  const Node archive = node["archive"], apt = node["apt"], python = node["python"],
             npm = node["npm"], deb = node["deb"], image = node["image"];
  const int kinds = static_cast<int>(archive.present()) + static_cast<int>(apt.present()) +
                    static_cast<int>(python.present()) + static_cast<int>(npm.present()) +
                    static_cast<int>(deb.present()) + static_cast<int>(image.present());
  if (kinds != 1)
    node.fault(_("needs exactly one of archive, apt, deb, python, npm and image"));
  if (archive.present())
    source.how = read_archive(archive, common);
  if (apt.present())
    source.how = read_apt(apt);
  if (python.present())
    source.how = read_python(python);
  if (npm.present())
    source.how = read_npm(npm);
  if (deb.present())
    source.how = read_deb(deb);
  if (image.present())
    source.how = read_image(image);
  if (const auto delivers = read_version(node["delivers"]))
    source.delivers = delivers->text();
  const Node executables = node["executables"];
  for (const std::string& name : executables.keys()) {
    if (!text::is_name(name))
      executables[name].fault(_("the name of an executable must be a file name"));
    source.executables[name] =
        apt.present() ? read_absolute_path(executables[name]) : read_inner_path(executables[name]);
  }
  source.files = read_files(node["files"]);
  if (apt.present() && !source.files.empty())
    node["files"].fault(_("an apt source has no payload to put files in"));
  if (image.present() && !source.files.empty())
    node["files"].fault(_("an image has no payload to put files in"));
  if (image.present() && !source.executables.empty())
    executables.fault(_("what is in an image is not for this machine to run"));
  source.needs = read_hardware(node["hardware"]);
  source.download_size = node["download_size"].size();
  source.installed_size = node["installed_size"].size();
  source.note = node["note"].string().value_or("");
  return source;
}

Variant read_variant(const Node& node, const std::optional<Digest>& common) {
  constexpr int kMaxPriority = 1000;
  Variant variant;
  node.allow_only(kKeys.at("variant"));
  variant.name = read_name(node["name"]);
  variant.priority = read_int(node["priority"], -kMaxPriority, kMaxPriority).value_or(0);
  variant.needs = read_hardware(node["hardware"]);
  const Node sources = node["sources"];
  for (const Node& item : sources.items())
    variant.sources.push_back(read_source(item, common));
  if (!sources.present())
    sources.required_string();
  else if (sources.is_sequence() && variant.sources.empty())
    sources.fault(_("is empty"));
  return variant;
}

bool is_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-')
    return false;
  const auto number = [&](std::size_t at, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(at, count)) {
      if (c < '0' || c > '9')
        return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  return number(0, 4) >= 1970 && number(5, 2) >= 0 && number(8, 2) >= 0 && day.ok();
}

Release read_release(const Node& node,
                     const std::optional<Digest>& common,
                     const std::string& data_format) {
  Release release;
  node.allow_only(kKeys.at("release"));
  if (!node["version"].present())
    node["version"].required_string();
  release.version = read_version(node["version"]).value_or(Version());
  release.date = node["date"].string().value_or("");
  if (!release.date.empty() && !is_day(release.date))
    node["date"].fault(_("not a day"), _("write it like 2026-01-31"));
  if (node["dependencies"].present())
    release.dependencies = read_dependencies(node["dependencies"]);
  release.data_format = node["data"].present() ? read_data_format(node["data"]) : data_format;
  const Node variants = node["variants"];
  std::set<std::string> names;
  for (const Node& item : variants.items()) {
    release.variants.push_back(read_variant(item, common));
    const std::string& name = release.variants.back().name;
    if (!name.empty() && !names.insert(name).second)
      item["name"].fault(fmt::format(fmt::runtime(_("variant {} stands twice")), name));
  }
  if (!variants.present())
    variants.required_string();
  else if (variants.is_sequence() && release.variants.empty())
    variants.fault(_("is empty"));
  return release;
}

}  // namespace

Dependencies read_dependencies(const Node& node) {
  Dependencies dependencies;
  node.allow_only(kKeys.at("dependencies"));
  dependencies.system = read_packages(node["system"]);
  dependencies.modules = read_modules(node["modules"]);
  dependencies.runtime = node["runtime"].strings();
  dependencies.capabilities = node["capabilities"].strings();
  dependencies.optional = read_modules(node["optional"]);
  return dependencies;
}

std::string read_data_format(const Node& node) {
  node.allow_only(kKeys.at("data"));
  const Node format = node["format"];
  std::string word = node.present() ? format.required_string() : std::string();
  // It becomes part of a folder's name.
  if (!word.empty() && !text::is_name(word))
    format.fault(_("not a word of letters, digits, '.', '_', '+' and '-'"));
  return word;
}

SystemChanges read_system_changes(const Node& node) {
  node.allow_only(kKeys.at("system"));
  SystemChanges changes;
  const Node sysctl = node["sysctl"];
  for (const std::string& name : sysctl.keys()) {
    if (!is_sysctl_name(name))
      sysctl[name].fault(fmt::format(fmt::runtime(_("'{}' is not the name of a kernel parameter")),
                                     name.substr(0, 60)));
    const auto value = sysctl[name].integer();
    if (value && *value < 0)
      sysctl[name].fault(_("is less than 0"));
    changes.sysctl[name] = std::to_string(value.value_or(0));
  }
  changes.groups = read_accounts(node["groups"]);
  changes.users = read_accounts(node["users"]);
  return changes;
}

std::vector<Release> read_releases(const Node& node,
                                   const std::optional<Digest>& common,
                                   const std::string& data_format) {
  std::vector<Release> releases;
  for (const Node& item : node.items()) {
    Release release = read_release(item, common, data_format);
    const bool known = std::any_of(releases.begin(), releases.end(), [&](const Release& other) {
      return other.version == release.version;
    });
    if (known && !release.version.empty())
      item["version"].fault(
          fmt::format(fmt::runtime(_("release {} stands twice")), release.version.text()));
    releases.push_back(std::move(release));
  }
  return releases;
}

}  // namespace las::catalog
