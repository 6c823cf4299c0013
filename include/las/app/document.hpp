// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <filesystem>
#include <string_view>

namespace las::app {

/// Writes what the user asked to have in a file: whole or not at all. A relative path is the
/// user's; a symbolic link is followed, so that a link stays one. Usage for a folder, a device or
/// a pipe, which replacing would destroy; NotFound, Permission, NoSpace, Io as the file system
/// says.
void write_document(Session& session, const std::filesystem::path& file, std::string_view content);

}  // namespace las::app
