// SPDX-License-Identifier: Apache-2.0
#include "las/registry/refresh.hpp"

#include "blobs.hpp"
#include "copy_layout.hpp"
#include "head_request.hpp"
#include "staging.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"
#include "las/registry/copy.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace las::registry {

namespace fs = std::filesystem;

namespace {

Expectation expectation_of(const state::RegistryRecord& known) {
  const auto key = parse_public_key(known.public_key);
  if (!key)
    throw Error(ErrorKind::InvalidData, _("the recorded key is none"), known.name)
        .hint(fmt::format("las registry trust {} --key KEY", known.name));
  return {known.name, *key, known.version, Digest::parse(known.snapshot)};
}

// What is here, where it is what was accepted; nothing where somebody changed it.
std::optional<Listing> usable_listing(const Surroundings& around,
                                      const state::RegistryRecord& known,
                                      const RefreshOptions& options,
                                      const Activity& activity) {
  if (options.again || known.snapshot.empty())
    return std::nullopt;
  try {
    return read_listing(around.files, around.copies, known);
  } catch (const Error& error) {
    activity.debug("registry", error.what());
    return std::nullopt;
  }
}

HeadAnswer ask(const Surroundings& around,
               const state::RegistryRecord& known,
               const PublicKey& key,
               bool conditionally,
               const Activity& activity) {
  const Validators validators =
      conditionally ? Validators{known.etag, known.last_modified} : Validators{};
  HeadAnswer answer = ask_for_head(around, known.url, validators, activity);
  if (answer.unchanged || signature_fault(key, answer.text, answer.signature).empty())
    return answer;
  // Head and signature are two files: perhaps they were replaced between the two questions.
  return ask_for_head(around, known.url, {}, activity);
}

Error expired(const state::RegistryRecord& known) {
  return Error(ErrorKind::Integrity, _("the index has expired"), known.name)
      .cause(known.expires)
      .hint(_("its keeper has to sign it anew; the copy here stays as it is"));
}

std::vector<Shard> get_shards(const Head& head, Blobs& blobs) {
  std::vector<Blobs::Wanted> missing;
  for (const ShardRef& ref : head.shards) {
    if (!blobs.find(ref.shard))
      missing.push_back({ref.shard, shard_path(ref.shard.digest)});
  }
  blobs.fetch(missing);
  std::vector<Shard> shards;
  std::vector<Package> all;
  for (const ShardRef& ref : head.shards) {
    auto text = blobs.find(ref.shard);
    if (!text)
      throw Error(
          ErrorKind::Io, _("a file that was just fetched is gone"), shard_path(ref.shard.digest));
    std::vector<Package> packages = parse_shard(*text);
    all.insert(all.end(), packages.begin(), packages.end());
    shards.push_back({ref, *std::move(text), std::move(packages)});
  }
  check_packages(head, all);
  return shards;
}

void offer_copy(const Listing& old, const fs::path& folder, Blobs& blobs) {
  for (const ShardRef& ref : old.head.shards)
    blobs.offer(ref.shard.digest, folder / kIndexFolder / shard_path(ref.shard.digest));
  for (const Package& package : old.packages) {
    for (const PackageFile& file : package.files)
      blobs.offer(file.content.digest, folder / package.name / file.path);
  }
}

std::vector<PackageChange> compare(const std::vector<Package>& before,
                                   const Snapshot& snapshot,
                                   std::set<std::string>& unchanged) {
  std::map<std::string, const Package*> old;
  for (const Package& package : before)
    old.emplace(package.name, &package);
  std::vector<PackageChange> changes;
  for (const Shard& shard : snapshot.shards) {
    for (const Package& package : shard.packages) {
      const auto found = old.find(package.name);
      if (found == old.end())
        changes.push_back({package.name, "", package.version});
      else if (*found->second != package)
        changes.push_back({package.name, found->second->version, package.version});
      else
        unchanged.insert(package.name);
      if (found != old.end())
        old.erase(found);
    }
  }
  for (const auto& [name, package] : old)
    changes.push_back({name, package->version, ""});
  std::sort(
      changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return changes;
}

Refreshed bring_here(const Surroundings& around,
                     const state::RegistryRecord& known,
                     const std::optional<Listing>& old,
                     const PublicKey& key,
                     Snapshot snapshot,
                     const Activity& activity) {
  Blobs blobs(around, known.name, known.url, activity);
  if (old)
    offer_copy(*old, snapshot_folder(around.copies, known), blobs);
  snapshot.shards = get_shards(snapshot.head, blobs);
  Refreshed result;
  std::set<std::string> unchanged;
  result.changes = compare(old ? old->packages : std::vector<Package>(), snapshot, unchanged);
  if (known.version == 0)
    unchanged.clear();  // under this key nothing was checked yet
  fetch_objects(snapshot, blobs);
  publish(around, snapshot, key, unchanged, blobs);
  around.files.remove_tree(around.cache / known.name);
  result.objects_fetched = blobs.fetched();
  result.bytes_fetched = blobs.fetched_bytes();
  return result;
}

void note_acceptance(state::RegistryRecord& record, const Snapshot& snapshot, std::string now) {
  const std::string digest = snapshot.digest.to_string();
  if (record.snapshot != digest)
    record.previous_snapshot = record.snapshot;
  record.snapshot = digest;
  record.version = snapshot.head.version;
  record.created = snapshot.head.created;
  record.expires = snapshot.head.expires;
  record.packages = snapshot.head.packages();
  record.accepted_at = std::move(now);
}

}  // namespace

Refreshed refresh(const Surroundings& around,
                  const state::RegistryRecord& known,
                  const RefreshOptions& options,
                  const Activity& activity) {
  const Expectation expected = expectation_of(known);
  const bool here = !options.again && has_snapshot(around.files, around.copies, known);
  const auto now = around.clock.now();
  HeadAnswer answer = ask(around, known, expected.key, here && known.version > 0, activity);

  state::RegistryRecord record = known;
  record.checked_at = platform::to_iso8601(now);
  if (answer.unchanged) {
    if (is_expired(known.expires, now))
      throw expired(known);
    return {record, false, {}, 0, {}};
  }
  Snapshot snapshot{answer.text, answer.signature, platform::digest_of(answer.text), {}, {}};
  snapshot.head = check_head(answer.text, answer.signature, expected, now);
  record.etag = answer.etag;
  record.last_modified = answer.last_modified;
  const bool same = snapshot.digest.to_string() == known.snapshot && known.version > 0;
  if (same && here)
    return {record, false, {}, 0, {}};
  Refreshed result;
  if (!options.only_check) {
    try {
      const auto old = usable_listing(around, known, options, activity);
      result = bring_here(around, known, old, expected.key, snapshot, activity);
    } catch (const Error& error) {
      // What was refused is not kept for another try.
      if (error.kind() == ErrorKind::Integrity)
        around.files.remove_tree(around.cache / known.name);
      throw;
    }
  }
  note_acceptance(record, snapshot, record.checked_at);
  result.record = std::move(record);
  result.changed = true;
  return result;
}

}  // namespace las::registry
