// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"

#include <string>

namespace las::app {

/// The cores of NUMA nodes, both as lists ("0-3,8"). Usage, naming the nodes that are there, for
/// one that this machine does not have. Source: /sys/devices/system/node/nodeN/cpulist (the
/// kernel's Documentation/ABI/stable/sysfs-devices-node). A node may have memory and no cores of
/// its own; the list is empty then.
std::string cores_of_nodes(const platform::FileReader& files, const std::string& nodes);

}  // namespace las::app
