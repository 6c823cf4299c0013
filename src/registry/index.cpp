// SPDX-License-Identifier: Apache-2.0
#include "las/registry/index.hpp"

#include "json.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace las::registry {

namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson blob_json(const Blob& blob) {
  return {{"sha256", blob.digest.hex()}, {"size", blob.size.bytes()}};
}

// Two spaces, so that a person can read it and a version control system shows what changed.
std::string dump(const OrderedJson& json) {
  return json.dump(1) + "\n";
}

// A path of a package that may become one below its folder here: relative, made of plain parts. A
// part that begins with a dot is ours (".index") or hidden from people.
bool is_inner_path(std::string_view path) {
  constexpr std::size_t kLongest = 200;
  if (path.empty() || path.size() > kLongest)
    return false;
  const std::vector<std::string> parts = text::split(path, '/');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && part.front() != '.' &&
           std::all_of(part.begin(), part.end(), [](unsigned char c) {
             return c > ' ' && c != 0x7f && c != '\\';
           });
  });
}

PackageFile read_file(const Json& json, const std::string& place) {
  PackageFile file;
  file.path = read_text(json, place, "path");
  if (!is_inner_path(file.path))
    throw_malformed(place + ".path", _("not a path below the package"));
  file.content = read_blob(json, place, file.path == kManifestName ? kManifestLimit : kFileLimit);
  return file;
}

// Sorted, without repeats, and no file that is also a folder of another.
void check_files(const Package& package, const std::string& place) {
  const auto& files = package.files;
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (files[i - 1].path >= files[i].path)
      throw_malformed(place, _("the files are not sorted"));
  }
  for (const PackageFile& file : files) {
    for (std::size_t slash = file.path.find('/'); slash != std::string::npos;
         slash = file.path.find('/', slash + 1)) {
      if (package.find(std::string_view(file.path).substr(0, slash)) != nullptr)
        throw_malformed(place, _("a file is a folder, too"));
    }
  }
  if (package.find(kManifestName) == nullptr)
    throw_malformed(place, fmt::format(fmt::runtime(_("{} is missing")), kManifestName));
}

Package read_package(const Json& json, const std::string& place) {
  Package package;
  package.name = read_text(json, place, "name");
  if (!text::is_name(package.name))
    throw_malformed(place + ".name", _("not a name"));
  package.version = read_text(json, place, "version");
  const std::string within = package.name;
  for (const Json& file : read_list(json, within, "files", kMostFiles))
    package.files.push_back(
        read_file(file, fmt::format("{}.files[{}]", within, package.files.size())));
  check_files(package, within);
  return package;
}

Error refusal(std::string message, const std::string& registry) {
  return Error(ErrorKind::Integrity, std::move(message), registry);
}

std::string wait_or_ask() {
  return _(
      "a mirror may lag behind: try again later, or ask its keeper; the copy here stays as it is");
}

}  // namespace

std::uint64_t Head::packages() const {
  std::uint64_t all = 0;
  for (const ShardRef& shard : shards)
    all += shard.packages;
  return all;
}

const PackageFile* Package::find(std::string_view path) const {
  const auto found = std::lower_bound(
      files.begin(), files.end(), path, [](const PackageFile& file, std::string_view wanted) {
        return file.path < wanted;
      });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

std::string head_text(const Head& head) {
  OrderedJson shards = OrderedJson::array();
  for (const ShardRef& ref : head.shards) {
    OrderedJson json = blob_json(ref.shard);
    json["packages"] = ref.packages;
    if (ref.pack)
      json["pack"] = blob_json(*ref.pack);
    shards.push_back(std::move(json));
  }
  return dump({{"format", kFormat},
               {"registry", head.registry},
               {"version", head.version},
               {"created", head.created},
               {"expires", head.expires},
               {"shards", std::move(shards)}});
}

std::string shard_text(const std::vector<Package>& packages) {
  OrderedJson all = OrderedJson::array();
  for (const Package& package : packages) {
    OrderedJson files = OrderedJson::array();
    for (const PackageFile& file : package.files) {
      OrderedJson json = {{"path", file.path}};
      json.update(blob_json(file.content));
      files.push_back(std::move(json));
    }
    all.push_back(
        {{"name", package.name}, {"version", package.version}, {"files", std::move(files)}});
  }
  return dump({{"format", kFormat}, {"packages", std::move(all)}});
}

Head parse_head(std::string_view text) {
  const std::string place = "index";
  const Json json = read_document(text, place);
  Head head;
  head.registry = read_text(json, place, "registry");
  if (!text::is_name(head.registry))
    throw_malformed(place + ".registry", _("not a name"));
  head.version = read_number(json, place, "version");
  if (head.version == 0)
    throw_malformed(place + ".version", _("versions begin with 1"));
  head.created = read_text(json, place, "created");
  head.expires = read_text(json, place, "expires");
  ByteSize all;
  for (const Json& item : read_list(json, place, "shards", kMostShards)) {
    const std::string where = fmt::format("{}.shards[{}]", place, head.shards.size());
    ShardRef ref{read_blob(item, where, kShardLimit), read_number(item, where, "packages"), {}};
    if (item.contains("pack"))
      ref.pack = read_blob(item["pack"], where + ".pack", kPackLimit);
    if (ref.packages > kMostPackages || head.packages() + ref.packages > kMostPackages)
      throw_malformed(where, fmt::format(fmt::runtime(_("more than {} packages")), kMostPackages));
    all += ref.shard.size;
    if (all > kAllShardsLimit)
      throw_malformed(
          where,
          fmt::format(fmt::runtime(_("more than {} in all shards")), kAllShardsLimit.to_string()));
    head.shards.push_back(std::move(ref));
  }
  return head;
}

std::vector<Package> parse_shard(std::string_view text) {
  const std::string place = "shard";
  const Json json = read_document(text, place);
  std::vector<Package> packages;
  for (const Json& item : read_list(json, place, "packages", kMostPackages))
    packages.push_back(read_package(item, fmt::format("{}.packages[{}]", place, packages.size())));
  return packages;
}

std::string shard_path(const Digest& digest) {
  return "shards/" + digest.hex() + ".json";
}

std::string object_path(const Digest& digest) {
  return "objects/" + digest.hex().substr(0, 2) + "/" + digest.hex();
}

std::string pack_path(const Digest& digest) {
  return "packs/" + digest.hex();
}

std::vector<std::vector<Package>> divide(std::vector<Package> packages) {
  constexpr std::size_t kOneShard = 64;
  const std::size_t digits = packages.size() <= kOneShard        ? 0
                             : packages.size() <= 16 * kOneShard ? 1
                                                                 : 2;
  std::sort(packages.begin(), packages.end(), [](const Package& a, const Package& b) {
    return a.name < b.name;
  });
  std::map<std::string, std::vector<Package>> shards;
  for (Package& package : packages)
    shards[platform::digest_of(package.name).hex().substr(0, digits)].push_back(std::move(package));
  std::vector<std::vector<Package>> out;
  for (auto& [key, shard] : shards)
    out.push_back(std::move(shard));
  return out;
}

std::vector<Blob> objects_of(const std::vector<Package>& packages) {
  std::vector<Blob> objects;
  std::set<Digest> seen;
  for (const Package& package : packages) {
    for (const PackageFile& file : package.files) {
      if (seen.insert(file.content.digest).second)
        objects.push_back(file.content);
    }
  }
  return objects;
}

bool is_expired(const std::string& expires, std::chrono::system_clock::time_point now) {
  const auto end = platform::from_iso8601(expires);
  return !end || *end <= now;
}

Head check_head(std::string_view text,
                std::string_view signature_file,
                const Expectation& expected,
                std::chrono::system_clock::time_point now,
                Expired expired) {
  // Clocks differ a little; a day of difference is a wrong one.
  constexpr std::chrono::hours kClockSlack{1};
  const std::string& name = expected.registry;
  // Nothing of it is looked at before this.
  if (const std::string fault = signature_fault(expected.key, text, signature_file); !fault.empty())
    throw refusal(_("the index is not signed by the key of this registry"), name)
        .cause(fault)
        .hint(fmt::format(
            fmt::runtime(_("if its keeper announced a new key: las registry trust {} --key KEY")),
            name));
  Head head = parse_head(text);
  if (head.registry != name)
    throw refusal(_("this is the index of another registry"), name)
        .cause(fmt::format(fmt::runtime(_("it calls itself {}")), head.registry))
        .hint(_("a registry is added under its own name: las registry add NAME URL --key KEY"));
  if (head.version < expected.version)
    throw refusal(_("the index is older than the one that was accepted before"), name)
        .cause(fmt::format(
            fmt::runtime(_("version {}, and {} was accepted")), head.version, expected.version))
        .hint(wait_or_ask());
  if (head.version == expected.version && expected.digest &&
      platform::digest_of(text) != *expected.digest)
    throw refusal(_("the index differs from the one of the same version"), name)
        .cause(fmt::format(fmt::runtime(_("version {}")), head.version))
        .hint(wait_or_ask());
  const auto created = platform::from_iso8601(head.created);
  if (!created || *created > now + kClockSlack)
    throw refusal(_("the index is from the future"), name)
        .cause(head.created)
        .hint(_("is the clock of this machine right?"));
  if (expired == Expired::Refuse && is_expired(head.expires, now))
    throw refusal(_("the index has expired"), name).cause(head.expires).hint(wait_or_ask());
  return head;
}

void check_packages(const Head& head, const std::vector<Package>& packages) {
  std::set<std::string_view> names;
  ByteSize all;
  for (const Package& package : packages) {
    if (!names.insert(package.name).second)
      throw_malformed(package.name, _("it is there twice"));
    for (const PackageFile& file : package.files)
      all += file.content.size;
  }
  if (all > kAllFilesLimit)
    throw_malformed(
        "index.shards",
        fmt::format(fmt::runtime(_("more than {} in all files")), kAllFilesLimit.to_string()));
  if (packages.size() != head.packages())
    throw_malformed("index.shards",
                    fmt::format(fmt::runtime(_("{} packages, and the index says {}")),
                                packages.size(),
                                head.packages()));
}

}  // namespace las::registry
