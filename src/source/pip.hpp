// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Pure readers and writers of pip's formats.
namespace las::source {

/// The lock file of a hash-locked environment, sorted. Each line must be "name==version", perhaps
/// with extras and a marker, and at least one --hash; any other option, a URL or a path is
/// InvalidData: it would let pip leave the lock.
std::string render_lock(std::vector<std::string> requirements);

/// "name==version" of a requirement line.
std::string requirement_name(std::string_view requirement);

/// Whether a lock line is about `project` (names compare as in PEP 503: case, "-", "_" and "." do
/// not matter).
bool requires_project(std::string_view requirement, std::string_view project);

/// The Error that a failed pip ended in. Network only where another source may help.
Error pip_failure(std::string_view output, std::string message, std::string subject);

}  // namespace las::source
