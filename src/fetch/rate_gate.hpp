// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/environment.hpp"

#include <chrono>
#include <cstdint>

namespace las::fetch {

/// Holds all transfers together to a rate: they share one credit of bytes that grows with time.
/// libcurl's own limit is per transfer and lets short ones pass unhindered.
class RateGate {
 public:
  RateGate(std::uint64_t bytes_per_second, const platform::Clock& clock);

  /// Whether `bytes` that are at hand may be taken now. The credit may become a debt, so pieces
  /// larger than it still pass.
  bool admit(std::uint64_t bytes);
  /// Until admit() says yes again; zero: now.
  std::chrono::milliseconds wait_time();

 private:
  void refill();

  double bytes_per_ms_, most_, credit_;
  const platform::Clock& clock_;
  std::chrono::steady_clock::time_point filled_;
};

}  // namespace las::fetch
