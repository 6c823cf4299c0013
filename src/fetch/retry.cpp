// SPDX-License-Identifier: Apache-2.0
#include "curl_library.hpp"

#include "las/fetch/fetch.hpp"

#include <algorithm>

namespace las::fetch {

std::chrono::milliseconds retry_delay(int number,
                                      std::optional<std::chrono::seconds> retry_after,
                                      double random) {
  constexpr double kFirst = 500;
  constexpr double kLongest = 30000;
  constexpr int kMostDoublings = 10;  // beyond the longest delay; keeps the shift in range
  const int doublings = std::clamp(number - 1, 0, kMostDoublings);
  const double backoff = kFirst * static_cast<double>(1 << doublings);
  // Half as much again at random, so that a crowd turned away together does not return together.
  const double jittered = std::min(backoff * (1 + random / 2), kLongest);
  const std::chrono::milliseconds delay(static_cast<std::int64_t>(jittered));
  return std::max(delay, std::chrono::milliseconds(retry_after.value_or(std::chrono::seconds(0))));
}

bool worth_retrying(int http_status, int curl_code) {
  switch (curl_code) {
    case CURLE_OK:
      return http_status == 429 || http_status >= 500;
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

}  // namespace las::fetch
