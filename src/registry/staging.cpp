// SPDX-License-Identifier: Apache-2.0
#include "staging.hpp"

#include "copy_layout.hpp"
#include "json.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"
#include "las/registry/manifest_check.hpp"

#include <map>

#include <fmt/format.h>

namespace las::registry {

namespace fs = std::filesystem;

namespace {

/// The objects of one shard, wherever they came from.
class ShardContent {
 public:
  ShardContent(const Shard& shard, Blobs& blobs) : blobs_(blobs) {
    if (!shard.ref.pack)
      return;
    auto pack = blobs.find(*shard.ref.pack);
    if (!pack)
      return;
    pack_ = std::move(*pack);
    std::size_t at = 0;
    for (const Blob& object : objects_of(shard.packages)) {
      const std::string_view piece = std::string_view(pack_).substr(
          std::min(at, pack_.size()), static_cast<std::size_t>(object.size.bytes()));
      if (piece.size() != object.size.bytes() || platform::digest_of(piece) != object.digest)
        throw_malformed(pack_path(shard.ref.pack->digest),
                        _("it does not hold the objects of its shard"));
      pieces_.emplace(object.digest, piece);
      at += piece.size();
    }
  }

  std::string get(const PackageFile& file) {
    if (const auto piece = pieces_.find(file.content.digest); piece != pieces_.end())
      return std::string(piece->second);
    if (auto content = blobs_.find(file.content))
      return *std::move(content);
    // Somebody removes files under our hands.
    throw Error(ErrorKind::Io, _("a file that was just fetched is gone"), file.path);
  }

 private:
  Blobs& blobs_;
  std::string pack_;
  std::map<Digest, std::string_view> pieces_;
};

void write_file(platform::FileSystem& files, const fs::path& path, std::string_view content) {
  const auto file = files.create_file(path);
  file->write(std::span<const char>(content.data(), content.size()));
  file->close();  // synced with all others at the end
}

void check(const Package& package, const PublicKey& key, ShardContent& content) {
  const auto file_of = [&](std::string_view path) {
    const PackageFile* file = package.find(path);
    return file == nullptr ? std::nullopt : std::optional(content.get(*file));
  };
  const std::string fault =
      manifest_fault(file_of(kManifestName).value_or(""), package.name, key, file_of);
  if (!fault.empty())
    throw Error(
        ErrorKind::Integrity, _("a manifest of the registry is not the one it names"), package.name)
        .cause(fault)
        .hint(_("tell its keeper; the copy here stays as it is"));
}

void write_package(platform::FileSystem& files,
                   const fs::path& folder,
                   const Package& package,
                   ShardContent& content) {
  files.make_directories(folder);
  for (const PackageFile& file : package.files) {
    const fs::path path = folder / file.path;
    if (path.parent_path() != folder)
      files.make_directories(path.parent_path());
    write_file(files, path, content.get(file));
  }
}

void check_space(const Surroundings& around, const Snapshot& snapshot) {
  ByteSize needed;
  for (const Shard& shard : snapshot.shards) {
    for (const Package& package : shard.packages) {
      for (const PackageFile& file : package.files)
        needed += file.content.size;
    }
  }
  if (const ByteSize free = around.files.free_space(around.copies); free < needed)
    throw Error(ErrorKind::NoSpace, _("not enough free space for the copy of the registry"))
        .cause(fmt::format(fmt::runtime(_("{} needed, {} free in {}")),
                           needed.to_string(),
                           free.to_string(),
                           around.copies.string()));
}

void write_snapshot(const Surroundings& around,
                    const Snapshot& snapshot,
                    const PublicKey& key,
                    const std::set<std::string>& unchanged,
                    Blobs& blobs,
                    const fs::path& folder) {
  const fs::path index = folder / kIndexFolder;
  around.files.make_directories(index / "shards");
  write_file(around.files, index / kHeadPath, snapshot.head_text);
  write_file(around.files, index / kSignaturePath, snapshot.signature);
  for (const Shard& shard : snapshot.shards) {
    write_file(around.files, index / shard_path(shard.ref.shard.digest), shard.text);
    ShardContent content(shard, blobs);
    for (const Package& package : shard.packages) {
      if (!unchanged.contains(package.name))
        check(package, key, content);
      write_package(around.files, folder / package.name, package, content);
    }
  }
  around.files.sync_tree(folder);
}

}  // namespace

void fetch_objects(const Snapshot& snapshot, Blobs& blobs) {
  std::vector<Blobs::Wanted> wanted;
  for (const Shard& shard : snapshot.shards) {
    std::vector<Blob> missing;
    ByteSize bytes;
    for (const Blob& object : objects_of(shard.packages)) {
      if (blobs.find(object))
        continue;
      missing.push_back(object);
      bytes += object.size;
    }
    const auto& pack = shard.ref.pack;
    if (pack && missing.size() > 1 && bytes + bytes > pack->size) {
      wanted.push_back({*pack, pack_path(pack->digest)});
      continue;
    }
    for (const Blob& object : missing)
      wanted.push_back({object, object_path(object.digest)});
  }
  blobs.fetch(wanted);
}

void publish(const Surroundings& around,
             const Snapshot& snapshot,
             const PublicKey& key,
             const std::set<std::string>& unchanged,
             Blobs& blobs) {
  check_space(around, snapshot);
  const fs::path folder = around.copies / snapshot.head.registry;
  const bool is_first = !around.files.exists(around.copies);
  const bool is_new = is_first || !around.files.exists(folder);
  const fs::path staging = folder / kStagingFolder;
  around.files.remove_tree(staging);  // of a run that was killed
  try {
    write_snapshot(around, snapshot, key, unchanged, blobs, staging);
  } catch (const Error&) {
    around.files.remove_tree(is_first ? around.copies : is_new ? folder : staging);
    throw;
  }
  // One of this name is one that no record names, or the current one, which is to be replaced
  // because it is damaged: then there is none for the moment between two renames.
  const fs::path target = folder / snapshot.digest.hex();
  const fs::path aside = folder / kAsideFolder;
  around.files.remove_tree(aside);
  if (around.files.exists(target))
    around.files.rename(target, aside);
  around.files.rename(staging, target);
  around.files.remove_tree(aside);
}

}  // namespace las::registry
