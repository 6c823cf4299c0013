// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/environment.hpp"

#include <chrono>
#include <functional>
#include <vector>

namespace las::test {

/// Time passes only by wait() and advance(). It starts at 2026-11-23T15:04:05Z.
class ManualClock : public platform::Clock {
 public:
  std::chrono::system_clock::time_point now() const override { return start_ + elapsed_; }

  std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point(elapsed_);
  }

  void wait(std::chrono::milliseconds duration) override {
    waits.push_back(duration);
    advance(duration);
    if (on_wait)
      on_wait();
  }

  void advance(std::chrono::milliseconds duration) { elapsed_ += duration; }

  void set(std::chrono::system_clock::time_point now) { start_ = now - elapsed_; }

  std::vector<std::chrono::milliseconds> waits;
  std::function<void()> on_wait;  ///< lets the world change while somebody waits

 private:
  std::chrono::system_clock::time_point start_{std::chrono::seconds(1'795'446'245)};
  std::chrono::milliseconds elapsed_{0};
};

}  // namespace las::test
