// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Facts written by name, for machines that a document describes. The opposite of named_facts().
namespace las::hardware {

enum class SetFact { Done, NoSuchFact, WrongValue };

/// Writes one fact of a section by its flat name ("memory.effective", "tools.nvidia_driver",
/// "gpu.nvlink"). A known fact's text is read as the fact's type: sizes with units, versions,
/// "true", lists with spaces between.
SetFact set_fact(HardwareProfile& profile, std::string_view name, const Fact<std::string>& fact);
/// By the key that the profile's JSON has ("vram", "gfx_target").
SetFact set_fact(Gpu& gpu, std::string_view key, const Fact<std::string>& fact);
SetFact set_fact(Accelerator& accelerator, std::string_view key, const Fact<std::string>& fact);

/// What can be written, for suggestions.
std::vector<std::string> settable_facts();
std::vector<std::string> settable_gpu_facts();
std::vector<std::string> settable_accelerator_facts();

}  // namespace las::hardware
