// SPDX-License-Identifier: Apache-2.0
#include "las/registry/copy.hpp"

#include "copy_layout.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::registry {

namespace fs = std::filesystem;

namespace {

fs::path folder_of(const fs::path& copies, const std::string& name, const std::string& snapshot) {
  const auto digest = Digest::parse(snapshot);
  return digest ? copies / name / digest->hex() : fs::path();
}

// Of a file that should be there: its content, or nothing where it is missing or another.
std::optional<std::string> verified(const platform::FileReader& files,
                                    const fs::path& path,
                                    const Blob& blob) {
  const auto status = files.status(path);
  if (!status || status->kind != platform::FileKind::Regular || status->size != blob.size.bytes())
    return std::nullopt;
  std::string content = files.read_file(path, blob.size);
  return platform::digest_of(content) == blob.digest ? std::optional(std::move(content))
                                                     : std::nullopt;
}

Error damaged(const fs::path& path, const std::string& registry) {
  return Error(
             ErrorKind::Integrity, _("the copy of the registry is not what was accepted"), registry)
      .cause(path.string())
      .hint(fmt::format("las update --again {}", registry));
}

Head read_head(const platform::FileReader& files,
               const fs::path& folder,
               const state::RegistryRecord& record) {
  const fs::path path = folder / kIndexFolder / kHeadPath;
  const auto status = files.status(path);
  if (!status || status->kind != platform::FileKind::Regular || status->size > kHeadLimit.bytes())
    throw damaged(path, record.name);
  const std::string text = files.read_file(path, kHeadLimit);
  if (platform::digest_of(text).to_string() != record.snapshot)
    throw damaged(path, record.name);
  return parse_head(text);
}

}  // namespace

fs::path snapshot_folder(const fs::path& copies, const state::RegistryRecord& record) {
  return folder_of(copies, record.name, record.snapshot);
}

bool has_snapshot(const platform::FileReader& files,
                  const fs::path& copies,
                  const state::RegistryRecord& record) {
  const fs::path folder = snapshot_folder(copies, record);
  if (folder.empty())
    return false;
  try {
    read_head(files, folder, record);
    return true;
  } catch (const Error&) {
    return false;  // whatever is wrong with it: it is to be had anew
  }
}

Listing read_listing(const platform::FileReader& files,
                     const fs::path& copies,
                     const state::RegistryRecord& record) {
  const fs::path folder = snapshot_folder(copies, record);
  if (folder.empty())
    throw Error(ErrorKind::NotFound, _("nothing of the registry is here yet"), record.name)
        .hint("las update " + record.name);
  Listing listing{read_head(files, folder, record), {}};
  for (const ShardRef& ref : listing.head.shards) {
    const fs::path path = folder / kIndexFolder / shard_path(ref.shard.digest);
    const auto content = verified(files, path, ref.shard);
    if (!content)
      throw damaged(path, record.name);
    for (Package& package : parse_shard(*content))
      listing.packages.push_back(std::move(package));
  }
  std::sort(listing.packages.begin(),
            listing.packages.end(),
            [](const Package& a, const Package& b) { return a.name < b.name; });
  return listing;
}

std::vector<std::string> verify_copy(const platform::FileReader& files,
                                     const fs::path& copies,
                                     const state::RegistryRecord& record) {
  std::vector<std::string> faults;
  const fs::path folder = snapshot_folder(copies, record);
  Listing listing;
  try {
    listing = read_listing(files, copies, record);
    const auto key = parse_public_key(record.public_key);
    const fs::path head = folder / kIndexFolder;
    const std::string fault =
        key ? signature_fault(*key,
                              files.read_file(head / kHeadPath, kHeadLimit),
                              files.read_file(head / kSignaturePath, kSignatureLimit))
            : std::string(_("the recorded key is none"));
    if (!fault.empty())
      faults.push_back(fmt::format("{}: {}", (head / kHeadPath).string(), fault));
  } catch (const Error& error) {
    return {error.what()};
  }
  std::set<fs::path> known;
  for (const Package& package : listing.packages) {
    for (const PackageFile& file : package.files) {
      const fs::path path = folder / package.name / file.path;
      known.insert(path.lexically_relative(folder));
      if (!verified(files, path, file.content))
        faults.push_back(
            fmt::format("{}: {}", path.string(), _("missing, or not what the signed index says")));
    }
  }
  platform::walk(files, folder, [&](const fs::path& path, const platform::FileStatus& status) {
    if (status.kind != platform::FileKind::Directory && *path.begin() != kIndexFolder &&
        !known.contains(path))
      faults.push_back(fmt::format(
          "{}: {}", (folder / path).string(), _("the signed index knows nothing of it")));
  });
  return faults;
}

void sweep(platform::FileSystem& files,
           const fs::path& copies,
           const state::RegistryRecord& record) {
  const fs::path folder = copies / record.name;
  if (!files.exists(folder))
    return;
  const std::set<fs::path> kept = {folder_of(copies, record.name, record.snapshot),
                                   folder_of(copies, record.name, record.previous_snapshot)};
  for (const std::string& entry : files.list_directory(folder)) {
    if (!kept.contains(folder / entry))
      files.remove_tree(folder / entry);
  }
}

}  // namespace las::registry
