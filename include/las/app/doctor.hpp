// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace las::app {

/// One thing about this machine that las depends on.
struct Check {
  enum class Outcome { Well, Warning, Bad, Unknown } outcome = Outcome::Unknown;
  std::string id;        ///< stable: "clock", "disk", "names", "driver", "cgroups", "linger",
                         ///< "supervisor", "state"; las(1) lists them
  std::string subject;   ///< of several alike: a path, a GPU
  std::string evidence;  ///< translated: what was seen
  std::string mend;      ///< translated: what to type or do; "" where nothing is wrong
};

std::string_view to_string(Check::Outcome outcome);

/// Looks at the clock, the disks, name resolution, drivers, control groups, lingering (user scope),
/// the supervisor, and at everything that verify() does (without hashing). Changes nothing. What
/// cannot be known is Unknown, never Well.
std::vector<Check> doctor(Session& session, const Activity& activity);

/// Writes a tar archive (see source::compression_of()) for a bug report: what doctor, verify and
/// detect say, the last operations, the units as they are, the end of the log and the
/// configuration. Names of the user, the machine and home folders, addresses, credentials and
/// serial numbers are replaced. Returns how many files it holds. Io when `file` is there already.
std::size_t write_bundle(Session& session,
                         const std::filesystem::path& file,
                         const Activity& activity);

/// Replaces what would tell whose machine a text is from: see write_bundle(). Pure.
std::string redact(std::string text, const platform::Environment& environment);

}  // namespace las::app
