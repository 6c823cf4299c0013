// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/config.hpp"
#include "las/base/activity.hpp"
#include "las/cli/cli.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"

#include <memory>
#include <string>
#include <vector>

namespace las::cli {

/// Passes every event on to several reporters.
class TeeReporter : public Reporter {
 public:
  void add(std::unique_ptr<Reporter> reporter) { reporters_.push_back(std::move(reporter)); }

  void report(const Event& event) override {
    for (const auto& reporter : reporters_)
      reporter->report(event);
  }

 private:
  std::vector<std::unique_ptr<Reporter>> reporters_;
};

enum class ProgressStyle { Bar, Plain, Json, None };

/// Shows events to the person on `streams.err`. Messages below `least` are left out.
std::unique_ptr<Reporter> make_progress_reporter(const Streams& streams,
                                                 ProgressStyle style,
                                                 Severity least,
                                                 bool color);

struct LogOptions {
  std::filesystem::path file;  ///< empty: no file
  ByteSize max_size;
  bool json = false;
  bool journal = false;
  Severity least = Severity::Info;
  std::string operation_id, command;
};

/// Writes events as lines "<time> <level> [<operation>] <room>: <text>" or as JSON lines to a file
/// (rotated once to <file>.1) and natively to journald. A log that cannot be written is left alone.
std::unique_ptr<Reporter> make_log_reporter(platform::FileSystem& files,
                                            platform::Clock& clock,
                                            LogOptions options);

}  // namespace las::cli
