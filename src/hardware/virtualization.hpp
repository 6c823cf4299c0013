// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace las::hardware {

/// "docker", "podman", "lxc" ... from the paths of /proc/1/cgroup; nothing outside a container.
std::optional<std::string> container_of_cgroup(std::string_view init_cgroup);

/// "kvm", "vmware" ... from the DMI strings of the firmware; nothing for real hardware.
std::optional<std::string> hypervisor_of_dmi(std::string_view vendor, std::string_view product);

/// Outermost last: a container in a VM is a container, since its limits are what binds.
Fact<std::string> read_virtualization(const platform::FileReader& files);

}  // namespace las::hardware
