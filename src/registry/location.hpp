// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace las::registry {

/// The file that a file:// URL names; nothing for other URLs and for what is no absolute path.
std::optional<std::filesystem::path> file_of_url(const std::string& url);

}  // namespace las::registry
