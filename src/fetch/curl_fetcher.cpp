// SPDX-License-Identifier: Apache-2.0
#include "curl_fetcher.hpp"

#include "download.hpp"
#include "transfer.hpp"

#include "las/base/error.hpp"

#include <algorithm>

namespace las::fetch {

namespace {

/// How soon a cancellation is noticed.
constexpr std::chrono::milliseconds kTick{50};

using Downloads = std::vector<std::unique_ptr<Download>>;

/// Artifacts with the same content share one download; its partial file has one writer.
struct Batch {
  std::vector<Artifact> artifacts;
  std::vector<std::size_t> index;  ///< for each artifact asked for
};

std::string content_key(const Artifact& artifact) {
  if (artifact.digest)
    return artifact.digest->to_string();
  return artifact.urls.empty() ? "" : artifact.urls.front();
}

Batch without_repeats(const std::vector<Artifact>& artifacts) {
  Batch batch;
  for (const Artifact& artifact : artifacts) {
    const auto same =
        std::find_if(batch.artifacts.begin(), batch.artifacts.end(), [&](const Artifact& other) {
          return content_key(other) == content_key(artifact);
        });
    batch.index.push_back(static_cast<std::size_t>(same - batch.artifacts.begin()));
    if (same == batch.artifacts.end()) {
      batch.artifacts.push_back(artifact);
      continue;
    }
    for (const std::string& url : artifact.urls) {
      if (std::find(same->urls.begin(), same->urls.end(), url) == same->urls.end())
        same->urls.push_back(url);
    }
  }
  return batch;
}

bool all_finished(const Downloads& downloads) {
  return std::all_of(downloads.begin(), downloads.end(), [](const auto& download) {
    return download->finished();
  });
}

}  // namespace

CurlFetcher::CurlFetcher(platform::FileSystem& files,
                         FetchOptions options,
                         std::unique_ptr<platform::Clock> clock)
    : files_(files), options_(std::move(options)), clock_(std::move(clock)) {
  options_.parallel = std::max(options_.parallel, 1);
}

std::vector<Fetched> CurlFetcher::fetch(const std::vector<Artifact>& artifacts,
                                        const std::filesystem::path& directory,
                                        const Activity& activity) {
  const Batch batch = without_repeats(artifacts);
  Multi multi;
  std::mt19937 random(std::random_device{}());
  std::optional<RateGate> gate;
  if (options_.rate_limit)
    gate.emplace(options_.rate_limit->bytes(), *clock_);
  DownloadSetting setting{
      files_, *clock_, options_, directory, activity, multi, random, gate ? &*gate : nullptr};
  files_.make_directories(directory);
  Downloads downloads;
  for (const Artifact& artifact : batch.artifacts)
    downloads.push_back(std::make_unique<Download>(setting, artifact));
  run(multi, downloads, setting.gate, activity);

  for (const auto& download : downloads) {
    if (const Fetched done = download->result(); done.url.starts_with("http"))
      received_ += done.size.bytes();
  }
  std::vector<Fetched> results;
  for (const std::size_t index : batch.index)
    results.push_back(downloads[index]->result());
  return results;
}

void CurlFetcher::run(Multi& multi,
                      Downloads& downloads,
                      RateGate* gate,
                      const Activity& activity) {
  const Download* culprit = nullptr;
  const auto abandon_all = [&](const std::string& note) {
    for (const auto& download : downloads)
      download->abandon(download.get() == culprit ? note : "");
  };
  try {
    // All hashing of what earlier runs left comes first: it would stall the transfers.
    for (const auto& download : downloads)
      download->prepare();
    while (!all_finished(downloads)) {
      activity.cancellation.throw_if_requested();
      if (!start_due(downloads)) {
        wait_until_due(downloads);
        continue;
      }
      const auto longest = gate != nullptr ? hold_to_rate(*gate, downloads) : kTick;
      for (const auto& [transfer, code] : multi.run(longest)) {
        const auto owner = std::find_if(
            downloads.begin(), downloads.end(), [ended = transfer](const auto& download) {
              return download->owns(ended);
            });
        culprit = owner->get();
        (*owner)->ended(code);
        culprit = nullptr;
      }
    }
  } catch (const Error& error) {
    abandon_all(error.what());
    throw;
  } catch (...) {
    abandon_all("");
    throw;
  }
}

std::chrono::milliseconds CurlFetcher::hold_to_rate(RateGate& gate, Downloads& downloads) {
  const auto moving = [](const auto& download) {
    return download->active() && !download->paused();
  };
  const auto any_moves = [&] { return std::any_of(downloads.begin(), downloads.end(), moving); };
  if (const auto rest = gate.wait_time(); rest.count() > 0 && !any_moves())
    clock_->wait(std::min(rest, kTick));
  for (const auto& download : downloads) {
    if (download->paused() && gate.wait_time().count() == 0)
      download->resume();
  }
  const auto rest = gate.wait_time();
  if (!any_moves())
    return std::chrono::milliseconds(0);
  return rest.count() > 0 ? std::min(rest, kTick) : kTick;
}

bool CurlFetcher::start_due(Downloads& downloads) {
  auto active = std::count_if(
      downloads.begin(), downloads.end(), [](const auto& download) { return download->active(); });
  const auto now = clock_->steady_now();
  for (const auto& download : downloads) {
    if (active >= options_.parallel)
      break;
    if (download->finished() || download->active() || download->due() > now)
      continue;
    download->start();
    ++active;
  }
  return active > 0;
}

void CurlFetcher::wait_until_due(const Downloads& downloads) {
  auto next = std::chrono::steady_clock::time_point::max();
  for (const auto& download : downloads) {
    if (!download->finished())
      next = std::min(next, download->due());
  }
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next - clock_->steady_now());
  clock_->wait(std::clamp(rest, std::chrono::milliseconds(0), kTick));
}

std::unique_ptr<Fetcher> make_curl_fetcher(platform::FileSystem& files, FetchOptions options) {
  return std::make_unique<CurlFetcher>(files, std::move(options), platform::make_system_clock());
}

}  // namespace las::fetch
