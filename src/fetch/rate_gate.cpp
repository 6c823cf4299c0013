// SPDX-License-Identifier: Apache-2.0
#include "rate_gate.hpp"

#include <algorithm>
#include <cmath>

namespace las::fetch {

namespace {
/// Credit saved up while nothing arrives: enough to keep the line busy between two looks.
constexpr double kMostSavedMs = 100;
}  // namespace

RateGate::RateGate(std::uint64_t bytes_per_second, const platform::Clock& clock)
    : bytes_per_ms_(std::max(static_cast<double>(bytes_per_second), 1.0) / 1000),
      most_(bytes_per_ms_ * kMostSavedMs),
      credit_(most_),
      clock_(clock),
      filled_(clock.steady_now()) {}

void RateGate::refill() {
  const auto now = clock_.steady_now();
  const std::chrono::duration<double, std::milli> passed = now - filled_;
  credit_ = std::min(most_, credit_ + passed.count() * bytes_per_ms_);
  filled_ = now;
}

bool RateGate::admit(std::uint64_t bytes) {
  refill();
  if (credit_ <= 0)
    return false;
  credit_ -= static_cast<double>(bytes);
  return true;
}

std::chrono::milliseconds RateGate::wait_time() {
  refill();
  if (credit_ > 0)
    return std::chrono::milliseconds(0);
  return std::chrono::milliseconds(static_cast<std::int64_t>(-credit_ / bytes_per_ms_) + 1);
}

}  // namespace las::fetch
