// SPDX-License-Identifier: Apache-2.0
#include "blobs.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::registry {

namespace {

/// Thousands of tiny downloads are one piece of work to whoever watches.
class OnlyMessages : public Reporter {
 public:
  explicit OnlyMessages(Reporter& behind) : behind_(behind) {}

  void report(const Event& event) override {
    if (std::holds_alternative<event::Message>(event))
      behind_.report(event);
  }

 private:
  Reporter& behind_;
};

}  // namespace

Blobs::Blobs(const Surroundings& around,
             std::string registry,
             std::string url,
             const Activity& activity)
    : around_(around), registry_(std::move(registry)), url_(std::move(url)), activity_(activity) {}

void Blobs::offer(const Digest& digest, std::filesystem::path path) {
  places_.emplace(digest, std::move(path));
}

std::optional<std::string> Blobs::find(const Blob& blob) {
  const auto place = places_.find(blob.digest);
  if (place == places_.end())
    return std::nullopt;
  const auto status = around_.files.status(place->second);
  if (status && status->kind == platform::FileKind::Regular && status->size == blob.size.bytes()) {
    std::string content = around_.files.read_file(place->second, blob.size);
    if (platform::digest_of(content) == blob.digest)
      return content;
  }
  activity_.debug("registry", "changed by somebody: " + place->second.string());
  places_.erase(place);
  return std::nullopt;
}

void Blobs::fetch(const std::vector<Wanted>& wanted) {
  if (wanted.empty())
    return;
  // A few hundred at a time, so that progress is seen.
  constexpr std::size_t kAtOnce = 256;
  const std::string id = "registry:" + registry_;
  ByteSize total, done;
  for (const Wanted& one : wanted)
    total += one.blob.size;
  activity_.reporter.report(event::Started{
      id, fmt::format(fmt::runtime(_("Getting manifests of {}")), registry_), total.bytes()});
  try {
    for (std::size_t first = 0; first < wanted.size(); first += kAtOnce) {
      const std::size_t last = std::min(first + kAtOnce, wanted.size());
      fetch_some(wanted, first, last);
      for (std::size_t i = first; i < last; ++i)
        done += wanted[i].blob.size;
      activity_.reporter.report(event::Progress{id, done.bytes(), total.bytes()});
    }
  } catch (const Error& error) {
    activity_.reporter.report(event::Finished{id, false, error.what()});
    throw;
  }
  activity_.reporter.report(event::Finished{id, true, ""});
}

void Blobs::fetch_some(const std::vector<Wanted>& wanted, std::size_t first, std::size_t last) {
  std::vector<fetch::Artifact> artifacts;
  for (std::size_t i = first; i < last; ++i) {
    const auto& [blob, path] = wanted[i];
    artifacts.push_back(
        {path, registry_ + "/" + path, {url_ + "/" + path}, blob.digest, blob.size});
  }
  OnlyMessages quiet(activity_.reporter);
  const std::vector<fetch::Fetched> fetched = around_.fetcher.fetch(
      artifacts, around_.cache / registry_, Activity{quiet, activity_.cancellation});
  for (std::size_t i = 0; i < fetched.size(); ++i) {
    places_.insert_or_assign(fetched[i].digest, fetched[i].path);
    if (fetched[i].url.empty())
      continue;  // an earlier run had brought it
    ++fetched_;
    fetched_bytes_ += fetched[i].size;
  }
}

}  // namespace las::registry
