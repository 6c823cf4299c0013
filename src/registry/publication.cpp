// SPDX-License-Identifier: Apache-2.0
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/catalog/companions.hpp"
#include "las/catalog/manifest.hpp"
#include "las/platform/hasher.hpp"
#include "las/registry/build.hpp"
#include "las/registry/manifest_check.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::registry {

namespace fs = std::filesystem;

namespace {

struct Found {
  std::string name;
  fs::path file;
};

std::vector<Found> manifests_in(const platform::FileReader& files, const fs::path& folder) {
  constexpr std::string_view kYaml = ".yaml";
  std::vector<Found> out;
  for (const std::string& entry : files.list_directory(folder)) {
    if (entry.starts_with('.'))
      continue;
    if (entry.ends_with(kYaml))
      out.push_back({entry.substr(0, entry.size() - kYaml.size()), folder / entry});
    else if (files.exists(folder / entry / kManifestName))
      out.push_back({entry, folder / entry / kManifestName});
  }
  return out;
}

std::vector<std::string> files_named_by(const catalog::Manifest& manifest, std::string_view text) {
  std::vector<std::string> paths = catalog::companion_files(manifest);
  if (std::string signature = signature_file_of(text); !signature.empty())
    paths.push_back(std::move(signature));
  return paths;
}

/// Reads one manifest and what belongs to it.
class Reading {
 public:
  Reading(const platform::FileReader& files,
          const Found& found,
          Publication& publication,
          Diagnostics& diagnostics)
      : files_(files), found_(found), publication_(publication), diagnostics_(diagnostics) {}

  void read(const PublicKey& key) {
    const std::string text = files_.read_file(found_.file, kManifestLimit);
    const auto manifest = catalog::parse_manifest(text, found_.file.string(), diagnostics_);
    if (!manifest)
      return;
    package_.name = manifest->name;
    package_.version = manifest->version.text();
    add(kManifestName, text);
    for (const std::string& path : files_named_by(*manifest, text))
      add_file(path);
    if (package_.files.size() > kMostFiles)
      fault("files", fmt::format(fmt::runtime(_("more than {} files")), kMostFiles));
    const std::string wrong = manifest_fault(text, found_.name, key, [&](std::string_view path) {
      const PackageFile* file = package_.find(path);
      return file == nullptr ? std::nullopt
                             : std::optional(publication_.objects.at(file->content.digest));
    });
    if (!wrong.empty())
      fault("", wrong);
    publication_.packages.push_back(std::move(package_));
  }

 private:
  void fault(std::string key, std::string message) {
    diagnostics_.add(
        {Severity::Error, found_.file.string(), 0, 0, std::move(key), std::move(message), {}});
  }

  void add_file(const std::string& path) {
    const fs::path file = found_.file.parent_path() / path;
    const auto status = files_.status(file);
    if (!status || status->kind != platform::FileKind::Regular)
      fault("files", fmt::format(fmt::runtime(_("{} is not a file beside the manifest")), path));
    else if (status->size > kFileLimit.bytes())
      fault("files",
            fmt::format(fmt::runtime(_("{} is larger than {}")), path, kFileLimit.to_string()));
    else
      add(path, files_.read_file(file, kFileLimit));
  }

  void add(const std::string& path, std::string content) {
    const Digest digest = platform::digest_of(content);
    const PackageFile file{path, {digest, ByteSize(content.size())}};
    publication_.objects.emplace(digest, std::move(content));
    const auto place = std::lower_bound(
        package_.files.begin(), package_.files.end(), file, [](const auto& a, const auto& b) {
          return a.path < b.path;
        });
    if (place == package_.files.end() || place->path != path)
      package_.files.insert(place, file);
  }

  const platform::FileReader& files_;
  const Found& found_;
  Publication& publication_;
  Diagnostics& diagnostics_;
  Package package_;
};

}  // namespace

Publication read_publication(const platform::FileReader& files,
                             const fs::path& folder,
                             const PublicKey& key,
                             Diagnostics& diagnostics) {
  Publication publication;
  for (const Found& found : manifests_in(files, folder)) {
    try {
      Reading(files, found, publication, diagnostics).read(key);
    } catch (const Error& error) {  // one file that cannot be read must not hide the others
      diagnostics.add({Severity::Error, found.file.string(), 0, 0, {}, error.what(), {}});
    }
  }
  // "foo.yaml" beside "foo/manifest.yaml".
  std::set<std::string> names;
  for (const Package& package : publication.packages) {
    if (!names.insert(package.name).second)
      diagnostics.add({Severity::Error,
                       (folder / package.name).string(),
                       0,
                       0,
                       "name",
                       _("there are two manifests of this name"),
                       {}});
  }
  if (publication.packages.size() > kMostPackages)
    diagnostics.add({Severity::Error,
                     folder.string(),
                     0,
                     0,
                     {},
                     fmt::format(fmt::runtime(_("more than {} packages")), kMostPackages),
                     {}});
  return publication;
}

}  // namespace las::registry
