// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The topology that AMD's compute driver shows in /sys/class/kfd/kfd/topology
/// (drivers/gpu/drm/amd/amdkfd/kfd_topology.c of Linux).
namespace las::hardware {

/// "key value" lines of a KFD properties file.
std::map<std::string, std::uint64_t> parse_kfd_properties(std::string_view text);
/// KFD's gfx_target_version as LLVM spells it: 110000 gives "gfx1100", 90010 gives "gfx90a".
std::optional<std::string> gfx_target(std::uint64_t version);

/// A GPU of the topology, or a part of one: a GPU in a compute partition mode other than SPX has
/// one node for each partition, and to programs each is a GPU of its own.
struct KfdNode {
  std::filesystem::path folder;
  std::string pci_address;  ///< "0000:03:00.0", the same for the parts of one GPU
  std::uint64_t number = 0, gfx_version = 0;
};

/// The GPUs, by number; nothing if there is no amdkfd.
std::optional<std::vector<KfdNode>> read_kfd_gpus(const platform::FileReader& files);
/// What the node's memory banks add up to; nothing when it has none (APUs).
std::optional<ByteSize> read_kfd_memory(const platform::FileReader& files, const KfdNode& node);
/// XGMI links from `node` to other GPUs among `nodes`.
std::vector<GpuLink> read_xgmi_links(const platform::FileReader& files,
                                     const KfdNode& node,
                                     const std::vector<KfdNode>& nodes);

}  // namespace las::hardware
