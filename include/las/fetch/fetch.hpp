// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/base/byte_size.hpp"
#include "las/base/digest.hpp"
#include "las/platform/file_system.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::fetch {

/// Bytes on the way: the same content from any of the urls, in order of preference.
struct Artifact {
  std::string id;                 ///< for events: "fetch:<id>"
  std::string title;              ///< for people: "foo 1.2 (foo-1.2.tar.gz)"
  std::vector<std::string> urls;  ///< http, https; file:// for mirrors on disk
  std::optional<Digest> digest;   ///< nothing: unpinned, the digest is computed and returned
  std::optional<ByteSize> size;   ///< a download beyond it is cut off with Integrity
};

struct Fetched {
  std::filesystem::path path;  ///< in the download cache
  Digest digest;
  ByteSize size;
  std::string url;  ///< the one that delivered; "" when it was in the cache
};

struct FetchOptions {
  int parallel = 4;
  int attempts = 3;  ///< per URL, for faults worth repeating (see retry_delay)
  std::chrono::seconds connect_timeout{15};
  /// A transfer slower than 1 KiB/s for this long is given up (stall guard).
  std::chrono::seconds stall_timeout{30};
  std::optional<ByteSize> rate_limit;             ///< bytes per second, all transfers together
  std::optional<std::string> ca_file;             ///< else the system's
  ByteSize unknown_size_cap = ByteSize::gib(64);  ///< for artifacts of unknown size
};

/// What happened to one URL; kept for the error's text and for "moving to the next source".
struct Attempt {
  std::string url, fault;
};

/// A finished HTTP exchange.
struct Response {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct Request {
  std::string method = "GET";
  std::string url;
  std::map<std::string, std::string> headers;
  std::string body;
  std::chrono::milliseconds timeout{30000};  ///< whole exchange; zero: none
  ByteSize body_limit = ByteSize::mib(32);
};

/// Downloads and small exchanges over libcurl (opened on first use); the only libcurl code.
///
/// Errors: Network (all urls failed; the cause lists each), Integrity (wrong digest or size — the
/// bytes are deleted), NoSpace, Interrupted (partial files are kept for resuming).
class Fetcher {
 public:
  Fetcher() = default;
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;
  virtual ~Fetcher() = default;

  /// Gets all artifacts into `directory` (the download cache, by digest), several at once: resumes
  /// partial files (Range + If-Range), hashes while streaming, tries mirrors in order. A digest
  /// already in the cache is verified by its recorded size and used. Fails as a whole on the first
  /// artifact that cannot be had.
  virtual std::vector<Fetched> fetch(const std::vector<Artifact>& artifacts,
                                     const std::filesystem::path& directory,
                                     const Activity& activity) = 0;

  /// One exchange; any HTTP status is a result, not an error. Network when there is no answer.
  virtual Response exchange(const Request& request, const Activity& activity) = 0;

  /// The same, handing the body to `on_data` as it comes (server-sent events). Returning false from
  /// on_data ends it. The body of a non-2xx answer is collected in Response::body instead.
  virtual Response stream(const Request& request,
                          const std::function<bool(std::string_view)>& on_data,
                          const Activity& activity) = 0;

  /// Bytes of artifacts that came over the network so far.
  virtual std::uint64_t received() const { return 0; }
};

std::unique_ptr<Fetcher> make_curl_fetcher(platform::FileSystem& files, FetchOptions options);

/// Where a finished download lies in the cache.
std::filesystem::path cached_path(const std::filesystem::path& directory, const Digest& digest);

/// How long to wait before attempt `number` (from 1 = first repeat): doubling from 0.5 s with
/// jitter from `random` in [0,1), at most 30 s, and never less than what the server asked
/// (Retry-After).
std::chrono::milliseconds retry_delay(int number,
                                      std::optional<std::chrono::seconds> retry_after,
                                      double random);
/// Whether a fault is worth another try at the same URL (429, 5xx, broken connections; not 4xx, not
/// an unknown host).
bool worth_retrying(int http_status, int curl_code);

/// The digest for `file_name` in a publisher's checksum document; see
/// catalog::ChecksumFile::format.
std::optional<Digest> find_checksum(std::string_view document,
                                    std::string_view format,
                                    std::string_view file_name);

}  // namespace las::fetch
