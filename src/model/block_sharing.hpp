// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace las::model {

/// Whether a clone of `from` in `folder` would share its blocks instead of copying them: both lie
/// on one mount of a file system that can. `mountinfo` is the text of /proc/self/mountinfo; the
/// paths are absolute and without symlinks.
///
/// Only a forecast, to choose the way: where it is wrong the clone is a copy after all.
bool can_share_blocks(std::string_view mountinfo,
                      const std::filesystem::path& from,
                      const std::filesystem::path& folder);

}  // namespace las::model
