// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"

#include <vector>

namespace las::hardware {

/// The GPUs that a model would run on: the discrete ones of the vendor that has most VRAM, since no
/// engine spreads one model over vendors; without discrete ones the integrated ones. Display chips
/// of other vendors (BMCs, virtual screens) and devices set aside for virtual machines do not
/// count. A GPU that is not known to be integrated counts as discrete: what it reports is its own
/// memory.
struct MainGpus {
  GpuVendor vendor = GpuVendor::Other;
  bool integrated = false;
  std::vector<const Gpu*> gpus;  ///< empty: there are none
};

MainGpus main_gpus(const std::vector<Gpu>& gpus);

/// How many of these GPUs have a link to another of them, directly or through a switch. Unknown if
/// the links of one are; `origin` says who listed the GPUs, for when there is none to link to.
Fact<int> count_linked(const std::vector<const Gpu*>& gpus, const std::string& origin);

}  // namespace las::hardware
