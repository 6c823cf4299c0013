// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "partial_file.hpp"
#include "transfer.hpp"

#include "las/fetch/fetch.hpp"
#include "las/platform/environment.hpp"

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace las::fetch {

/// What the downloads of one fetch() share.
struct DownloadSetting {
  platform::FileSystem& files;
  platform::Clock& clock;
  const FetchOptions& options;
  const std::filesystem::path& directory;
  const Activity& activity;
  Multi& multi;
  std::mt19937& random;
  RateGate* gate = nullptr;
};

/// One artifact on its way through its urls: resumes, repeats, moves to the next source, verifies.
class Download : private Sink {
 public:
  Download(DownloadSetting& setting, Artifact artifact);

  /// Looks into the cache and takes up what an earlier run left. May finish the download.
  void prepare();
  /// Begins the next transfer. Only when due.
  void start();
  /// The transfer came to an end. Throws when the artifact cannot be had.
  void ended(CURLcode code);
  /// The whole fetch failed: keeps what arrived. `note` goes to the Finished event.
  void abandon(const std::string& note);

  bool finished() const { return fetched_.has_value(); }

  bool active() const { return transfer_ && !finished(); }

  bool paused() const { return active() && transfer_->paused(); }

  void resume() { transfer_->resume(); }

  bool owns(const Transfer* transfer) const { return transfer_.get() == transfer; }

  std::chrono::steady_clock::time_point due() const { return due_; }

  const Fetched& result() const { return *fetched_; }

  const Artifact& artifact() const { return artifact_; }

 private:
  bool begin(const ResponseHead& head) override;
  bool body(std::string_view bytes) override;
  bool begin_whole(const ResponseHead& head);
  bool begin_rest(const ResponseHead& head);
  bool size_is_fine(std::optional<std::uint64_t> total);
  void check_space(std::optional<std::uint64_t> total) const;

  void judge(const Outcome& outcome);
  void complete();
  void reject(const std::string& fault);
  void start_again();
  void broke_off(const Outcome& outcome);
  void give_up_url(const std::string& fault, bool wrong_content);
  [[noreturn]] void fail() const;
  void succeed(const Digest& digest, const std::filesystem::path& path, const std::string& url);

  void report_progress(bool always);
  void report_finished(bool ok, const std::string& note);

  std::string event_id() const { return "fetch:" + artifact_.id; }

  const std::string& url() const { return artifact_.urls[url_index_]; }

  std::uint64_t limit() const;
  std::optional<std::uint64_t> total() const;
  bool try_cache();

  DownloadSetting& setting_;
  Artifact artifact_;
  PartialFile partial_;
  std::unique_ptr<Transfer> transfer_;
  std::optional<Fetched> fetched_;
  std::vector<Attempt> attempts_;

  std::size_t url_index_ = 0;
  int tries_ = 0;                ///< at this url since it last brought something
  std::uint64_t furthest_ = 0;   ///< most bytes ever had
  bool asked_for_rest_ = false;  ///< the running transfer sent a Range
  bool started_again_ = false;   ///< at this url, after bytes that did not fit together
  bool rest_refused_ = false;    ///< the server cannot go on from where we are
  bool all_wrong_ = true;        ///< every source so far delivered wrong content
  std::string wrong_content_;    ///< fault found in the running transfer
  bool started_event_ = false;
  std::chrono::steady_clock::time_point due_{};
  std::chrono::steady_clock::time_point next_progress_{};
};

}  // namespace las::fetch
