// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "recorded_tree.hpp"

#include "las/platform/environment.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace las::hardware {

/// What may leave this machine: only files on a list of harmless ones keep their content; of the
/// others that a probe looked at only the existence is kept, or nothing. Replaced in what is kept:
/// UUIDs and MAC addresses (the same one always by the same stand-in), the names of host and user
/// in cgroup paths. Of /proc/self/mountinfo only the mounts that hold one of `storage` are kept,
/// without their sources.
Tree scrubbed(const Tree& tree,
              const platform::Environment& environment,
              const std::vector<std::filesystem::path>& storage);

/// Replaces UUIDs and MAC addresses in texts; one object per capture.
class IdentityScrubber {
 public:
  std::string operator()(const std::string& text);

 private:
  std::map<std::string, std::size_t> seen_;
};

}  // namespace las::hardware
