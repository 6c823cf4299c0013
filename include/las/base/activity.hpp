// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace las {

/// Progress and messages leave the rooms as typed events; only cli turns them into text, NDJSON or
/// log lines. New kinds of event are added here.
namespace event {

/// A piece of work began. `id` is unique within the run ("fetch:foo-1.2.tar.gz").
struct Started {
  std::string id;
  std::string title;                   ///< translated: "Downloading foo 1.2"
  std::optional<std::uint64_t> total;  ///< bytes, when known
};

struct Progress {
  std::string id;
  std::uint64_t done = 0;  ///< bytes
  std::optional<std::uint64_t> total;
};

struct Finished {
  std::string id;
  bool ok = true;
  std::string note;  ///< translated, may be empty
};

/// Something a person (Warning, Info) or a log reader (Debug) should know. Debug is not translated.
struct Message {
  Severity severity = Severity::Info;
  std::string room;  ///< "fetch", "source" ...
  std::string text;
};

}  // namespace event

using Event = std::variant<event::Started, event::Progress, event::Finished, event::Message>;

class Reporter {
 public:
  Reporter() = default;
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  virtual ~Reporter() = default;
  /// May be called from several threads at once.
  virtual void report(const Event& event) = 0;
};

/// Says nothing; for tests and pure callers.
class NullReporter : public Reporter {
 public:
  void report(const Event&) override {}
};

/// Asked at every point where stopping is safe. Signal handlers set it (async-signal-safe).
class Cancellation {
 public:
  void request(int signal_number) noexcept { signal_.store(signal_number); }

  bool requested() const noexcept { return signal_.load() != 0; }

  int signal_number() const noexcept { return signal_.load(); }

  /// Throws Error(Interrupted) once a stop was requested.
  void throw_if_requested() const;

 private:
  std::atomic<int> signal_{0};
};

/// What every long-running call receives: where to report, and whether to stop.
struct Activity {
  Reporter& reporter;
  const Cancellation& cancellation;

  void debug(std::string room, std::string text) const {
    reporter.report(event::Message{Severity::Debug, std::move(room), std::move(text)});
  }

  void info(std::string room, std::string text) const {
    reporter.report(event::Message{Severity::Info, std::move(room), std::move(text)});
  }

  void warn(std::string room, std::string text) const {
    reporter.report(event::Message{Severity::Warning, std::move(room), std::move(text)});
  }
};

}  // namespace las
