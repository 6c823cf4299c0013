// SPDX-License-Identifier: Apache-2.0
#include "catalog_parts.hpp"
#include "codec.hpp"
#include "listing.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/catalog/catalog.hpp"
#include "las/catalog/companions.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace las::catalog {

namespace {

namespace fs = std::filesystem;

constexpr ByteSize kManifestLimit = ByteSize::mib(4);
constexpr std::string_view kSuffix = ".yaml";
constexpr std::string_view kInFolder = "/manifest.yaml";

// A manifest in a registry's folder.
struct Found {
  std::string file;  // relative: "name.yaml" or "name/manifest.yaml"
  platform::FileStamp stamp;

  std::string_view name() const {
    const std::string_view all = file;
    return all.substr(0, all.size() - (all.ends_with(kInFolder) ? kInFolder : kSuffix).size());
  }
};

std::vector<Found> manifests_in(const platform::FileReader& files, const fs::path& directory) {
  std::vector<platform::StampedName> entries = files.list_stamped(directory);
  std::vector<Found> out;
  out.reserve(entries.size());
  std::vector<std::string> candidates;  // in folders of their own
  for (const platform::StampedName& entry : entries) {
    if (!entry.name.starts_with('.') && !entry.name.ends_with(kSuffix))
      candidates.push_back(entry.name + std::string(kInFolder));
  }
  const auto stamps = files.stamps(directory, candidates);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (stamps[i])
      out.push_back({std::move(candidates[i]), *stamps[i]});
  }
  for (platform::StampedName& entry : entries) {
    if (!entry.name.starts_with('.') && entry.name.ends_with(kSuffix) && entry.stamp)
      out.push_back({std::move(entry.name), *entry.stamp});
  }
  // By name, which is not quite by file: "a-b.yaml" comes before "a.yaml".
  const auto by_name = [](const Found& a, const Found& b) { return a.name() < b.name(); };
  if (!std::is_sorted(out.begin(), out.end(), by_name))
    std::stable_sort(out.begin(), out.end(), by_name);
  return out;
}

// The manifests in a registry's folder, looked for once.
class Folder {
 public:
  Folder(const platform::FileReader& files, fs::path directory)
      : files_(files), directory_(std::move(directory)) {}

  // Begins to look on another thread.
  void look_ahead() {
    if (!found_ && !ahead_.valid())
      ahead_ = std::async(std::launch::async, [this] { return manifests_in(files_, directory_); });
  }

  const std::vector<Found>& manifests() {
    if (!found_)
      found_ = ahead_.valid() ? ahead_.get() : manifests_in(files_, directory_);
    return *found_;
  }

 private:
  const platform::FileReader& files_;
  fs::path directory_;
  std::optional<std::vector<Found>> found_;
  std::future<std::vector<Found>> ahead_;  // waits when it goes
};

std::optional<Manifest> parse_file(const platform::FileReader& files,
                                   const fs::path& directory,
                                   const Found& found,
                                   Diagnostics& diagnostics) {
  const fs::path file = directory / found.file;
  Diagnostics faults;
  std::optional<Manifest> manifest;
  try {
    manifest = parse_manifest(files.read_file(file, kManifestLimit), file.string(), faults);
  } catch (const Error& error) {  // one file that cannot be read must not hide the others
    faults.add({Severity::Error, file.string(), 0, 0, {}, error.what(), {}});
  }
  if (manifest) {
    manifest->directory = file.parent_path().string();
    if (manifest->name != found.name())
      faults.add({Severity::Error,
                  file.string(),
                  0,
                  0,
                  "name",
                  fmt::format(fmt::runtime(_("the manifest of {} lies under the name {}")),
                              manifest->name,
                              found.name()),
                  {}});
    read_companions(files, file.string(), *manifest, faults);
  }
  for (const Diagnostic& item : faults.items())
    diagnostics.add(item);
  if (faults.has_errors())
    manifest.reset();
  return manifest;
}

// Those of `entries` whose companions are no longer what they were.
std::set<std::string_view> with_changed_companions(const platform::FileReader& files,
                                                   const fs::path& directory,
                                                   const std::vector<IndexEntry>& entries) {
  std::vector<std::string> names;
  std::vector<std::pair<std::string_view, platform::FileStamp>> expected;
  for (const IndexEntry& entry : entries) {
    for (Companion& companion : entry.read_companions()) {
      names.push_back(std::move(companion.file));
      expected.emplace_back(entry.file, companion.stamp);
    }
  }
  std::set<std::string_view> changed;
  if (names.empty())
    return changed;
  const auto stamps = files.stamps(directory, names);
  for (std::size_t i = 0; i < stamps.size(); ++i) {
    if (stamps[i] != expected[i].second)
      changed.insert(expected[i].first);
  }
  return changed;
}

bool is_up_to_date(const platform::FileReader& files,
                   const fs::path& directory,
                   const Listing& listing,
                   const std::vector<Found>& found) {
  return std::equal(listing.entries.begin(),
                    listing.entries.end(),
                    found.begin(),
                    found.end(),
                    [](const IndexEntry& a, const Found& b) {
                      return a.file == b.file && a.stamp == b.stamp;
                    }) &&
         with_changed_companions(files, directory, listing.entries).empty();
}

std::optional<std::string> read_blob(const state::BlobCache& cache,
                                     const std::string& name,
                                     const std::function<void(ByteSize)>& on_size = {}) {
  std::optional<std::string> copy;
  cache.read(name, [&](std::optional<std::string_view> bytes) {
    if (bytes && on_size)
      on_size(ByteSize(bytes->size()));
    copy = bytes ? std::optional(std::string(*bytes)) : std::nullopt;
  });
  return copy;
}

}  // namespace

Manifest LoadedRegistry::load(const IndexEntry& entry) const {
  try {
    std::optional<Manifest> manifest;
    const auto take = [&](std::string_view all) {
      if (entry.offset <= all.size() && entry.size <= all.size() - entry.offset)
        manifest = decode(all.substr(entry.offset, entry.size));
    };
    if (cache == nullptr)
      take(bodies);
    else
      cache->read(bodies_name, [&](std::optional<std::string_view> all) {
        if (all && all->starts_with(bodies_id))
          take(all->substr(bodies_id.size()));
      });
    if (manifest)
      return *std::move(manifest);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::InvalidData && error.kind() != ErrorKind::CorruptState)
      throw;
  }
  // Another las has just made the index anew, or it is damaged.
  Diagnostics faults;
  auto manifest = parse_file(*files, directory, {std::string(entry.file), {}}, faults);
  if (!manifest)
    faults.throw_if_errors(_("a manifest has faults"));
  return *std::move(manifest);
}

/// One run of load_catalog.
class CatalogLoader {
 public:
  CatalogLoader(const platform::FileReader& files,
                const IndexPlace& place,
                Diagnostics& diagnostics)
      : files_(files), place_(place), diagnostics_(diagnostics) {
    for (const fs::path& directory : place.directories)
      open(directory);
  }

  Catalog load(const std::vector<Registry>& registries) {
    Catalog catalog;
    for (const Registry& registry : registries) {
      if (files_.exists(registry.directory))
        add(registry, *catalog.parts_);
    }
    return catalog;
  }

 private:
  // What an index that cannot be used costs is time: it is made anew. An environment is opened once
  // in a process, so for writing where that is possible.
  void open(const fs::path& directory) {
    constexpr auto kRead = state::BlobCache::Access::ReadOnly;
    constexpr auto kWrite = state::BlobCache::Access::ReadWrite;
    const bool has_place = files_.exists(directory.parent_path());
    for (const auto access : {kWrite, kWrite, kRead}) {
      if (access == kWrite && !has_place)
        continue;
      try {
        if (std::shared_ptr<state::BlobCache> cache = state::BlobCache::open(directory, access))
          caches_.push_back(std::move(cache));
        return;
      } catch (const Error& error) {
        if (error.kind() == ErrorKind::CorruptState) {
          std::error_code ignored;  // the next attempt tells
          fs::remove_all(directory, ignored);
        }
      }
    }
  }

  void add(const Registry& registry, Catalog::Parts& parts) {
    auto loaded = std::make_unique<LoadedRegistry>();
    loaded->name = registry.name;
    loaded->directory = registry.directory;
    loaded->files = &files_;
    Folder folder(files_, registry.directory);
    std::optional<Listing> listing = take_fresh(registry, folder, *loaded);
    if (!listing)
      listing = compile(registry, folder, *loaded);
    loaded->entries = std::move(listing->entries);
    const std::size_t first = parts.modules.size();
    parts.modules.reserve(first + loaded->entries.size());
    for (IndexEntry& entry : loaded->entries) {
      entry.brief.origin = loaded->name;
      parts.modules.push_back({nullptr, loaded.get(), &entry});
    }
    parts.registries.push_back(std::move(loaded));
    parts.merge(first);
  }

  static std::string listing_name(const Registry& registry) {
    return "listing " + registry.directory.string();
  }

  // Begins with its digest, which the listing names: both are of one making.
  static std::string bodies_name(const Registry& registry) {
    return "bodies " + registry.directory.string();
  }

  std::optional<Listing> take_fresh(const Registry& registry,
                                    Folder& folder,
                                    LoadedRegistry& loaded) {
    // A snapshot's folder is as it was made: nobody edits it.
    const bool may_change = registry.snapshot.empty();
    const auto on_size = [&](ByteSize size) {
      constexpr ByteSize kWorthAThread = ByteSize::kib(256);
      if (may_change && size >= kWorthAThread)
        folder.look_ahead();
    };
    for (const auto& cache : caches_) {
      try {
        auto bytes = read_blob(*cache, listing_name(registry), on_size);
        if (!bytes)
          continue;
        loaded.listing_bytes = *std::move(bytes);
        Listing listing = Listing::parse(loaded.listing_bytes);
        if (listing.maker != place_.maker)
          continue;
        if (listing.snapshot == registry.snapshot &&
            (!may_change ||
             is_up_to_date(files_, registry.directory, listing, folder.manifests()))) {
          loaded.cache = cache;
          loaded.bodies_name = bodies_name(registry);
          loaded.bodies_id = std::string(listing.bodies);
          return listing;
        }
        if (stale_.listing_bytes.empty()) {
          const auto bodies = read_blob(*cache, bodies_name(registry));
          if (bodies && bodies->starts_with(listing.bodies))
            stale_ = {loaded.listing_bytes, bodies->substr(listing.bodies.size())};
        }
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::InvalidData && error.kind() != ErrorKind::CorruptState)
          throw;
      }
    }
    return std::nullopt;
  }

  // An index whose entries may be used again one by one.
  struct Stale {
    std::string listing_bytes, bodies;
  };

  Listing compile(const Registry& registry, Folder& folder, LoadedRegistry& loaded) {
    const Stale stale = std::exchange(stale_, {});
    std::map<std::string_view, IndexEntry> old;
    if (!stale.listing_bytes.empty()) {
      const Listing listing = Listing::parse(stale.listing_bytes);
      const auto changed = with_changed_companions(files_, registry.directory, listing.entries);
      for (const IndexEntry& entry : listing.entries) {
        if (!changed.contains(entry.file))
          old.emplace(entry.file, entry);
      }
    }
    // A file that changes again within the same tick of the file system's clock keeps its stamp:
    // what is that young is looked at again next time.
    constexpr std::int64_t kTick = 20'000'000;
    const std::int64_t settled = std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::system_clock::now().time_since_epoch())
                                     .count() -
                                 kTick;
    ListingMaker maker;
    for (const Found& file : folder.manifests()) {
      const auto same = old.find(file.file);
      if (same != old.end() && same->second.stamp == file.stamp &&
          same->second.offset + same->second.size <= stale.bodies.size()) {
        maker.add(same->second,
                  std::string_view(stale.bodies).substr(same->second.offset, same->second.size));
        continue;
      }
      const auto manifest = parse_file(files_, registry.directory, file, diagnostics_);
      if (!manifest)
        continue;
      const auto trusted = [&](const platform::FileStamp& stamp) {
        const bool young = std::max(stamp.modified_ns, stamp.changed_ns) > settled;
        return young ? platform::FileStamp{} : stamp;
      };
      std::vector<Companion> companions;
      std::vector<std::string> names = companion_files(*manifest);
      for (std::string& name : names)
        name = (fs::path(file.file).parent_path() / name).string();
      const auto stamps = names.empty() ? std::vector<std::optional<platform::FileStamp>>{}
                                        : files_.stamps(registry.directory, names);
      for (std::size_t i = 0; i < names.size(); ++i)
        companions.push_back({names[i], trusted(stamps[i].value_or(platform::FileStamp{}))});
      maker.add(file.file, trusted(file.stamp), companions, *manifest);
    }
    loaded.bodies = maker.bodies();
    const std::string digest = platform::digest_of(loaded.bodies).hex();
    loaded.listing_bytes = maker.listing(place_.maker, registry.snapshot, digest);
    // Faulty manifests are read again each time; that alone is no reason to write.
    if (loaded.listing_bytes != stale.listing_bytes)
      store(registry, loaded, digest);
    return Listing::parse(loaded.listing_bytes);
  }

  void store(const Registry& registry, const LoadedRegistry& loaded, const std::string& digest) {
    for (const auto& cache : caches_) {
      if (!cache->writable())
        continue;
      try {
        cache->write({{listing_name(registry), loaded.listing_bytes},
                      {bodies_name(registry), digest + loaded.bodies}});
        return;
      } catch (const Error&) {
        // The next run compiles again.
      }
    }
  }

  const platform::FileReader& files_;
  const IndexPlace& place_;
  Diagnostics& diagnostics_;
  std::vector<std::shared_ptr<state::BlobCache>> caches_;
  Stale stale_;
};

Catalog load_catalog(const platform::FileReader& files,
                     const std::vector<Registry>& registries,
                     Diagnostics& diagnostics,
                     const IndexPlace& place) {
  return CatalogLoader(files, place, diagnostics).load(registries);
}

}  // namespace las::catalog
