// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "entry_path.hpp"

#include "las/base/activity.hpp"
#include "las/platform/file_system.hpp"
#include "las/source/extract.hpp"

#include <filesystem>
#include <string>

namespace las::source {

/// One archive of a payload that may be put together from several.
struct UnpackRequest {
  std::filesystem::path archive;
  std::filesystem::path payload;  ///< existing folder
  std::string into;               ///< folder within the payload; "" = its top
  int strip = 0;
  std::string title;  ///< for people
};

/// extract_archive's work, with the record of what earlier archives put into the payload: `tree`
/// must hold exactly what lies there.
void unpack(platform::FileSystem& files,
            const UnpackRequest& request,
            const ExtractLimits& limits,
            EntryTree& tree,
            const Activity& activity);

}  // namespace las::source
