// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/fetch/fetch.hpp"
#include "las/platform/environment.hpp"

#include <memory>
#include <random>

namespace las::fetch {

class Download;
class Multi;
class RateGate;

class CurlFetcher : public Fetcher {
 public:
  /// `clock` decides when a repeat is due and how often progress is told; tests bring their own.
  CurlFetcher(platform::FileSystem& files,
              FetchOptions options,
              std::unique_ptr<platform::Clock> clock);

  std::vector<Fetched> fetch(const std::vector<Artifact>& artifacts,
                             const std::filesystem::path& directory,
                             const Activity& activity) override;
  Response exchange(const Request& request, const Activity& activity) override;
  Response stream(const Request& request,
                  const std::function<bool(std::string_view)>& on_data,
                  const Activity& activity) override;

  std::uint64_t received() const override { return received_; }

 private:
  void run(Multi& multi,
           std::vector<std::unique_ptr<Download>>& downloads,
           RateGate* gate,
           const Activity& activity);
  /// Waits if the gate holds everything back, and lets go on what it admits. Gives how long the
  /// next look at the transfers may wait.
  std::chrono::milliseconds hold_to_rate(RateGate& gate,
                                         std::vector<std::unique_ptr<Download>>& downloads);
  bool start_due(std::vector<std::unique_ptr<Download>>& downloads);
  void wait_until_due(const std::vector<std::unique_ptr<Download>>& downloads);

  platform::FileSystem& files_;
  std::uint64_t received_ = 0;
  FetchOptions options_;
  std::unique_ptr<platform::Clock> clock_;
};

}  // namespace las::fetch
