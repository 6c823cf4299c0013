// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// What /proc tells of one running process. It may end at any moment: nothing is an answer.
namespace las::service {

/// Its resident memory, without that of its workers.
std::optional<ByteSize> resident_memory(const platform::FileReader& files, pid_t pid);
/// Its arguments, the program's name first.
std::vector<std::string> arguments_of(const platform::FileReader& files, pid_t pid);
/// The file it runs; "" when unknown.
std::string executable_of(const platform::FileReader& files, pid_t pid);

}  // namespace las::service
