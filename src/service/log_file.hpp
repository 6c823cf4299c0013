// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/platform/file_system.hpp"
#include "las/service/supervisor.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

/// Log files of services that run without a journal.
namespace las::service {

inline constexpr ByteSize kLogLimit = ByteSize::mib(10);
inline constexpr int kOldLogs = 3;

/// Moves a log beyond `limit` aside: FILE to FILE.1, FILE.1 to FILE.2, and so on; the oldest of
/// kOldLogs goes. For times when nobody writes to it.
void rotate_log(platform::FileSystem& files,
                const platform::fs::path& file,
                ByteSize limit = kLogLimit);

/// The last `count` lines, oldest first; of very long ones only what stands in the last 4 MiB.
/// Nothing when there is no file.
std::vector<std::string> last_lines(const platform::fs::path& file, std::size_t count);

/// Whether a line matches the POSIX extended regular expression; "" is matched by all. Usage for
/// what is none.
std::function<bool(const std::string&)> line_matcher(const std::string& pattern);

/// The lines that the query asks for; with `follow` goes on until the activity is cancelled, also
/// where the file is moved aside for a new one. Usage for a grep that is no regular expression.
void read_log_file(const platform::FileReader& files,
                   platform::Clock& clock,
                   const platform::fs::path& file,
                   const LogQuery& query,
                   const std::function<void(const std::string&)>& on_line,
                   const Activity& activity);

}  // namespace las::service
