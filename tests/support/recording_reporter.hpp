// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"

#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace las::test {

/// Keeps every event. `on_event`, if set, is called with each as it comes.
class RecordingReporter : public Reporter {
 public:
  void report(const Event& event) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      events_.push_back(event);
    }
    if (on_event)
      on_event(event);
  }

  std::vector<Event> events() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return events_;
  }

  /// The texts of the messages of one severity, in order.
  std::vector<std::string> messages(Severity severity) const {
    std::vector<std::string> texts;
    for (const Event& event : events()) {
      if (const auto* message = std::get_if<event::Message>(&event);
          message != nullptr && message->severity == severity)
        texts.push_back(message->text);
    }
    return texts;
  }

  std::function<void(const Event&)> on_event;

 private:
  mutable std::mutex mutex_;
  std::vector<Event> events_;
};

/// Reports to nobody and is never stopped.
inline Activity test_activity() {
  static NullReporter reporter;
  static const Cancellation cancellation;
  return Activity{reporter, cancellation};
}

}  // namespace las::test
