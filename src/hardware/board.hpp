// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace las::hardware {

/// An NVIDIA Tegra, the chip of the Jetson boards.
struct Tegra {
  std::string_view compatible;          ///< "nvidia,tegra234"
  std::string_view compute_capability;  ///< of its GPU, from NVIDIA's list of CUDA GPUs
};

/// The Tegra that a device tree's `compatible` (words with NUL between them) names.
std::optional<Tegra> tegra_of(std::string_view compatible);
/// The same of this machine.
std::optional<Tegra> read_tegra(const platform::FileReader& files);

/// The family of Board::unified_memory that a GPU with this PCI id ("10de:2e12") is a part of.
std::optional<std::string> unified_family_of_pci_id(std::string_view id);

/// Reads DMI or the device tree. `gpus` are those of the profile: GPUs tell the family where the
/// firmware does not, since many makers sell the same chip under names of their own.
Board read_board(const platform::FileReader& files, const Fact<std::vector<Gpu>>& gpus);

}  // namespace las::hardware
