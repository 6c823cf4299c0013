// SPDX-License-Identifier: Apache-2.0
#include "las/registry/build.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/hasher.hpp"

#include <map>
#include <set>

#include <fmt/format.h>

namespace las::registry {

namespace fs = std::filesystem;

namespace {

/// Everything below the top of a tree that its content names.
using Tree = std::map<std::string, std::string>;

Blob blob_of(std::string_view content) {
  return {platform::digest_of(content), ByteSize(content.size())};
}

std::optional<Blob> add_pack(const std::vector<Package>& packages,
                             const Publication& publication,
                             Tree& tree) {
  ByteSize size;
  const std::vector<Blob> objects = objects_of(packages);
  for (const Blob& object : objects)
    size += object.size;
  if (size > kPackLimit)
    return std::nullopt;
  std::string pack;
  for (const Blob& object : objects)
    pack += publication.objects.at(object.digest);
  const Blob blob = blob_of(pack);
  tree.emplace(pack_path(blob.digest), std::move(pack));
  return blob;
}

Tree make_tree(const Publication& publication, Head& head) {
  Tree tree;
  for (const std::vector<Package>& packages : divide(publication.packages)) {
    std::string text = shard_text(packages);
    const Blob shard = blob_of(text);
    if (shard.size > kShardLimit)
      throw Error(ErrorKind::InvalidData, _("a shard of the index would be too large"))
          .cause(shard.size.to_string());
    tree.emplace(shard_path(shard.digest), std::move(text));
    head.shards.push_back({shard, packages.size(), add_pack(packages, publication, tree)});
  }
  for (const auto& [digest, content] : publication.objects)
    tree.emplace(object_path(digest), content);
  return tree;
}

std::optional<std::string> read_if_there(const platform::FileReader& files,
                                         const fs::path& path,
                                         ByteSize limit) {
  return files.exists(path) ? std::optional(files.read_file(path, limit)) : std::nullopt;
}

/// The tree that is there, as far as it can be read: it is the publisher's own.
struct Before {
  Head head;
  std::string text, signature;
};

std::optional<Before> read_before(const platform::FileReader& files, const fs::path& tree) {
  auto text = read_if_there(files, tree / kHeadPath, kHeadLimit);
  if (!text)
    return std::nullopt;
  try {
    Head head = parse_head(*text);
    auto signature = read_if_there(files, tree / kSignaturePath, kSignatureLimit);
    return Before{std::move(head), *std::move(text), signature.value_or("")};
  } catch (Error& error) {
    error.hint(_("move the folder away if it is not the tree of a registry"));
    throw;
  }
}

std::set<std::string> named_by(const platform::FileReader& files,
                               const fs::path& tree,
                               const Head& head) {
  std::set<std::string> names;
  for (const ShardRef& ref : head.shards) {
    names.insert(shard_path(ref.shard.digest));
    if (ref.pack)
      names.insert(pack_path(ref.pack->digest));
    const auto text = read_if_there(files, tree / shard_path(ref.shard.digest), kShardLimit);
    if (!text || platform::digest_of(*text) != ref.shard.digest)
      continue;
    for (const Blob& object : objects_of(parse_shard(*text)))
      names.insert(object_path(object.digest));
  }
  return names;
}

// Only what has the shape of our own names is ever removed.
bool is_ours(const fs::path& path) {
  return Digest::parse("sha256:" + path.stem().string()).has_value();
}

std::uint64_t remove_others(platform::FileSystem& files,
                            const fs::path& tree,
                            const std::set<std::string>& kept) {
  std::vector<fs::path> gone;
  for (const char* top : {"objects", "packs", "shards"}) {
    if (!files.exists(tree / top))
      continue;
    platform::walk(files, tree / top, [&](const fs::path& path, const platform::FileStatus& entry) {
      const fs::path name = top / path;
      if (entry.kind == platform::FileKind::Regular && is_ours(name) &&
          !kept.contains(name.generic_string()))
        gone.push_back(tree / name);
    });
  }
  for (const fs::path& path : gone)
    files.remove_file(path);
  return gone.size();
}

// A run that was killed may have left half a file under a name that promises more.
bool is_there(const platform::FileReader& files, const fs::path& path, const std::string& content) {
  const auto status = files.status(path);
  return status && status->kind == platform::FileKind::Regular && status->size == content.size() &&
         files.read_file(path, ByteSize(content.size())) == content;
}

std::uint64_t write_tree(platform::FileSystem& files, const fs::path& folder, const Tree& tree) {
  std::uint64_t written = 0;
  for (const auto& [name, content] : tree) {
    const fs::path path = folder / name;
    if (is_there(files, path, content))
      continue;
    files.remove_tree(path);
    files.make_directories(path.parent_path());
    const auto file = files.create_file(path);
    file->write(std::span<const char>(content.data(), content.size()));
    file->close();
    ++written;
  }
  if (written > 0)
    files.sync_tree(folder);
  return written;
}

std::uint64_t choose_version(const BuildRequest& request, const std::optional<Before>& before) {
  const std::uint64_t last = before ? before->head.version : 0;
  const std::uint64_t version = request.version.value_or(last + 1);
  if (version <= last)
    throw Error(
        ErrorKind::Usage, _("the version of a registry only grows"), std::to_string(version))
        .cause(fmt::format(fmt::runtime(_("{} is published")), last))
        .hint(_("leave --set-version out: it takes the next one"));
  return version;
}

std::string choose_name(const BuildRequest& request,
                        const std::optional<Before>& before,
                        const fs::path& tree) {
  const std::string name =
      request.registry.empty() && before ? before->head.registry : request.registry;
  if (before && before->head.registry != name)
    throw Error(ErrorKind::Usage, _("the tree is another registry's"), tree.string())
        .cause(before->head.registry)
        .hint(_("give each registry a folder of its own"));
  if (name.empty())
    throw Error(ErrorKind::Usage, _("a new registry needs a name"))
        .hint(_("las registry build DIR --key SECRETKEY --out TREE --name NAME"));
  if (!text::is_name(name))
    throw Error(ErrorKind::Usage, _("not a name for a registry"), name)
        .hint(_("small letters, digits, and . _ + - between them"));
  return name;
}

}  // namespace

Built build_tree(platform::FileSystem& files,
                 const Publication& publication,
                 const fs::path& tree,
                 const SecretKey& key,
                 const BuildRequest& request) {
  const std::optional<Before> before = read_before(files, tree);
  Built built;
  built.head.registry = choose_name(request, before, tree);
  built.head.version = choose_version(request, before);
  built.head.created = platform::to_iso8601(request.created);
  built.head.expires = platform::to_iso8601(request.created + request.lifetime);
  const Tree content = make_tree(publication, built.head);
  std::set<std::string> kept;
  if (before) {
    built.version_before = before->head.version;
    built.key_changed = !signature_fault(public_half(key), before->text, before->signature).empty();
    kept = named_by(files, tree, before->head);
  }
  const std::string text = head_text(built.head);
  if (ByteSize(text.size()) > kHeadLimit)
    throw Error(ErrorKind::InvalidData, _("the index would be too large"));
  if (request.only_check)
    return built;
  for (const auto& [name, bytes] : content)
    kept.insert(name);
  built.files_written = write_tree(files, tree, content);
  files.make_directories(tree);
  // Both names change one after the other; a client that comes between asks again.
  files.replace_file(tree / kHeadPath, text);
  files.replace_file(tree / kSignaturePath,
                     sign(key,
                          text,
                          fmt::format("registry:{}\tversion:{}\tcreated:{}\texpires:{}",
                                      built.head.registry,
                                      built.head.version,
                                      built.head.created,
                                      built.head.expires)));
  built.files_removed = remove_others(files, tree, kept);
  return built;
}

}  // namespace las::registry
