// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// One fact as a person reads it.
struct DescribedFact {
  std::string group;    ///< which of several: "0000:65:00.0", "models"; "" in sections without
  std::string name;     ///< as in the JSON form: "l3_cache"
  std::string text;     ///< "32.0 MiB"; empty when unknown
  std::string origin;   ///< where it was read
  std::string unknown;  ///< why it could not be; empty when known
};

/// os, board, cpu, memory, gpu, accelerators, storage, tools.
const std::vector<std::string>& section_names();

/// Every fact of one section, in the order of the JSON form. Throws Usage, with the nearest name,
/// for a section that there is not.
std::vector<DescribedFact> describe(const HardwareProfile& profile, std::string_view section);

/// The JSON form cut down to one section; the keys are the same.
std::string to_json(const HardwareProfile& profile, std::string_view section);

/// The instruction sets that matter to inference, as people write them: "AVX2", "AVX-512 (VNNI,
/// BF16)", "AMX", "SVE2" ...; empty when the features are unknown.
std::vector<std::string> instruction_sets(const Cpu& cpu);

}  // namespace las::hardware
