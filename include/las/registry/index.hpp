// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/digest.hpp"
#include "las/registry/minisign.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The format of a registry: a tree of files that any web server can host.
///
///     index.json             the head: registry, version, created, expires, shards by digest
///     index.json.minisig     minisign's signature of it (verify: minisign -V -p KEY.pub -m
///     index.json) shards/<hex>.json      packages with their files by digest, about forty in each
///     objects/<hh>/<hex>     one file of a package, as it lies beside others of it
///     packs/<hex>            all objects of a shard, one after the other, in its order
///
/// <hex> is the SHA-256 of the file, <hh> its first two digits, so everything but the head has a
/// name that its content gives, never changes, and may be cached for ever. Only the head is signed;
/// each digest below it follows from the signature. A client asks for the head, conditionally, then
/// for the shards it has not, then for the objects it has not (or for the pack, where it lacks most
/// of a shard). One changed manifest among 10,000 costs the head (about 60 KiB), one shard (about
/// 10 KiB) and the manifest.
///
/// What is refused, after the attacks that TUF names (theupdateframework.github.io/specification,
/// 1.5.2); each leaves the last good copy in place and in use:
///   * a head that is not signed by the registry's key, or was changed after it was signed;
///   * rollback: a version lower than one accepted before, or the same with other content;
///   * freeze: a head whose `expires` is over; also one that comes from the future, which would
///     never be seen to expire;
///   * mix and match: a shard or object that is not the one whose digest the head gives;
///   * endless data: all sizes are bounded, the head's by kHeadLimit and what follows by the head;
///   * another registry's index, under the same key: `registry` is signed and must be the name;
///   * paths that lead elsewhere, and a manifest that is not the one its entry names.
/// Fast-forward (an attacker who had the key published version 2^60) is healed by a new key: the
/// versions seen under an old key do not count under a new one (`las registry trust`).
///
/// Pure: text in, values out. Whatever is wrong with a text that others sent is an Error of kind
/// Integrity; a `format` above kFormat is InvalidData (this las is too old).
namespace las::registry {

inline constexpr std::uint64_t kFormat = 1;
inline constexpr ByteSize kHeadLimit = ByteSize::mib(2);
inline constexpr ByteSize kSignatureLimit = ByteSize::kib(4);
inline constexpr ByteSize kShardLimit = ByteSize::mib(8);
inline constexpr ByteSize kPackLimit = ByteSize::mib(64);
inline constexpr ByteSize kManifestLimit = ByteSize::mib(4);
inline constexpr ByteSize kFileLimit = ByteSize::mib(16);
inline constexpr ByteSize kAllShardsLimit = ByteSize::mib(256);
inline constexpr ByteSize kAllFilesLimit = ByteSize::gib(4);
inline constexpr std::size_t kMostShards = 4096;
inline constexpr std::size_t kMostPackages = 200'000;
inline constexpr std::size_t kMostFiles = 256;  ///< of one package
inline constexpr const char* kManifestName = "manifest.yaml";

struct Blob {
  Digest digest;  ///< SHA-256
  ByteSize size;
  bool operator==(const Blob&) const = default;
};

struct ShardRef {
  Blob shard;
  std::uint64_t packages = 0;
  std::optional<Blob> pack;  ///< nothing where it would be beyond kPackLimit
  bool operator==(const ShardRef&) const = default;
};

struct Head {
  std::string registry;
  std::uint64_t version = 0;     ///< from 1, only grows
  std::string created, expires;  ///< ISO 8601 UTC
  std::vector<ShardRef> shards;

  std::uint64_t packages() const;
  bool operator==(const Head&) const = default;
};

struct PackageFile {
  std::string path;  ///< below the package's folder
  Blob content;
  bool operator==(const PackageFile&) const = default;
};

struct Package {
  std::string name;
  std::string version;             ///< newest release, for people
  std::vector<PackageFile> files;  ///< sorted by path; one is manifest.yaml
  bool operator==(const Package&) const = default;

  const PackageFile* find(std::string_view path) const;
};

std::string head_text(const Head& head);
std::string shard_text(const std::vector<Package>& packages);
Head parse_head(std::string_view text);
std::vector<Package> parse_shard(std::string_view text);

/// Where things lie below the top of the tree, with '/' between parts.
std::string shard_path(const Digest& digest);
std::string object_path(const Digest& digest);
std::string pack_path(const Digest& digest);
inline constexpr const char* kHeadPath = "index.json";
inline constexpr const char* kSignaturePath = "index.json.minisig";

/// The packages of each shard, sorted by name: by the first hex digits of the SHA-256 of the name,
/// none for up to 64 packages, one up to 1024, two beyond. A package stays in its shard when others
/// come and go.
std::vector<std::vector<Package>> divide(std::vector<Package> packages);

/// The distinct objects of a shard in the order in which its pack holds them.
std::vector<Blob> objects_of(const std::vector<Package>& packages);

/// What is known of a registry before its index is looked at.
struct Expectation {
  std::string registry;
  PublicKey key;
  std::uint64_t version = 0;     ///< highest accepted under this key; 0: none
  std::optional<Digest> digest;  ///< of the index of that version
};

enum class Expired { Refuse, Accept };

/// The head, if it may be believed: see above for what is refused. Reading what was accepted before
/// takes an expired one too.
Head check_head(std::string_view text,
                std::string_view signature_file,
                const Expectation& expected,
                std::chrono::system_clock::time_point now,
                Expired expired = Expired::Refuse);

/// Whether an index that expires at `expires` is over. What cannot be read is.
bool is_expired(const std::string& expires, std::chrono::system_clock::time_point now);

/// The packages of all shards of a head together. Integrity where two have one name, there are not
/// as many as the head says, or their files come to more than kAllFilesLimit.
void check_packages(const Head& head, const std::vector<Package>& packages);

}  // namespace las::registry
