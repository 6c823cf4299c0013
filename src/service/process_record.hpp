// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"
#include "las/state/records.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::service {

/// What the process supervisor remembers of one service between two runs of las: enough to say how
/// it is and to stop it, also when nobody knows its manifest any more.
struct ProcessRecord {
  std::string id;
  std::string stop_signal = "SIGTERM";
  std::int64_t stop_timeout_s = 20;
  /// Set before the process is made and cleared with `process` known: still set later, las was
  /// killed in between and the process may run unrecorded.
  bool starting = false;
  std::optional<platform::ProcessIdentity> process;  ///< the last one; nothing once it was stopped
  std::string boot_id;                               ///< of the boot that `process` belongs to
  std::string started_at;                            ///< ISO 8601
  bool operator==(const ProcessRecord&) const = default;
};

/// The records of a folder, <id>.json each.
class ProcessRecords {
 public:
  ProcessRecords(platform::FileSystem& files, platform::fs::path folder)
      : files_(files), folder_(std::move(folder)) {}

  /// CorruptState for a file that is no record.
  std::optional<ProcessRecord> find(const std::string& id) const;
  std::vector<std::string> ids() const;
  /// Writes it unless the file says so already.
  void save(const ProcessRecord& record);

  void erase(const std::string& id) { files_.remove_file(path(id)); }

  platform::fs::path path(const std::string& id) const;

 private:
  platform::FileSystem& files_;
  platform::fs::path folder_;
};

}  // namespace las::service
