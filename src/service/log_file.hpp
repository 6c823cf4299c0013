// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/platform/file_system.hpp"

#include <cstddef>
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

}  // namespace las::service
