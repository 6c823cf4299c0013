// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <string>

namespace las::hardware {

/// Where a captured tree keeps what its other files do not tell.
inline constexpr const char* kCapturedFacts = "/las-capture/facts.json";

/// The facts whose value is another one in `real` than in `replayed`, as JSON. UUIDs of GPUs are
/// never among them.
std::string missing_facts(const HardwareProfile& real, const HardwareProfile& replayed);

/// Puts the facts that missing_facts() wrote into `profile`. Throws InvalidData.
void add_captured_facts(const std::string& text, HardwareProfile& profile);

}  // namespace las::hardware
