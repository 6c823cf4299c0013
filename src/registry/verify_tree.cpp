// SPDX-License-Identifier: Apache-2.0
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"
#include "las/registry/build.hpp"
#include "las/registry/manifest_check.hpp"

#include <functional>
#include <map>

#include <fmt/format.h>

namespace las::registry {

namespace fs = std::filesystem;

namespace {

class TreeCheck {
 public:
  TreeCheck(const platform::FileReader& files, fs::path tree, const PublicKey& key)
      : files_(files), tree_(std::move(tree)), key_(key) {}

  void run(const Head& head) {
    std::vector<Package> all;
    for (const ShardRef& ref : head.shards) {
      const auto text = read(shard_path(ref.shard.digest), ref.shard);
      if (ref.pack)
        read(pack_path(ref.pack->digest), *ref.pack);
      if (!text)
        continue;
      guarded(shard_path(ref.shard.digest), [&] {
        for (Package& package : parse_shard(*text))
          all.push_back(std::move(package));
      });
    }
    for (const Package& package : all)
      check(package);
    if (faults.empty())
      guarded(kHeadPath, [&] { check_packages(head, all); });
  }

  std::vector<std::string> faults;

 private:
  template <typename Body>
  void guarded(const std::string& path, Body&& body) {
    try {
      body();
    } catch (const Error& error) {
      faults.push_back(path + ": " + error.what());
    }
  }

  std::optional<std::string> read(const std::string& path, const Blob& blob) {
    const auto status = files_.status(tree_ / path);
    if (!status || status->kind != platform::FileKind::Regular) {
      faults.push_back(fmt::format("{}: {}", path, _("missing")));
      return std::nullopt;
    }
    if (status->size == blob.size.bytes()) {
      std::string content = files_.read_file(tree_ / path, blob.size);
      if (platform::digest_of(content) == blob.digest)
        return content;
    }
    faults.push_back(fmt::format("{}: {}", path, _("not what the index says")));
    return std::nullopt;
  }

  void check(const Package& package) {
    std::map<std::string, std::string, std::less<>> contents;
    for (const PackageFile& file : package.files) {
      if (auto content = read(object_path(file.content.digest), file.content))
        contents.emplace(file.path, *std::move(content));
    }
    const auto manifest = contents.find(kManifestName);
    if (manifest == contents.end())
      return;
    const std::string fault =
        manifest_fault(manifest->second, package.name, key_, [&](std::string_view path) {
          const auto found = contents.find(path);
          return found == contents.end() ? std::nullopt : std::optional(found->second);
        });
    if (!fault.empty())
      faults.push_back(fmt::format("{}: {}", package.name, fault));
  }

  const platform::FileReader& files_;
  fs::path tree_;
  const PublicKey& key_;
};

}  // namespace

TreeReport verify_tree(const platform::FileReader& files,
                       const fs::path& tree,
                       const PublicKey& key,
                       std::chrono::system_clock::time_point now) {
  if (!files.exists(tree / kHeadPath))
    throw Error(ErrorKind::NotFound, _("this is not the tree of a registry"), tree.string())
        .hint(_("make one with: las registry build"));
  const std::string text = files.read_file(tree / kHeadPath, kHeadLimit);
  const std::string signature = files.exists(tree / kSignaturePath)
                                    ? files.read_file(tree / kSignaturePath, kSignatureLimit)
                                    : std::string();
  Expectation expected{{}, key, 0, {}};
  // A tree says itself whose it is; its name binds those who added it under a name.
  if (signature_fault(key, text, signature).empty())
    expected.registry = parse_head(text).registry;
  else
    expected.registry = tree.string();
  TreeReport report{check_head(text, signature, expected, now), {}};
  TreeCheck check(files, tree, key);
  check.run(report.head);
  report.faults = std::move(check.faults);
  return report;
}

}  // namespace las::registry
