// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/version.hpp"
#include "las/platform/file_system.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// How container engines are told of devices: Container Device Interface.
/// Source: github.com/cncf-tags/container-device-interface, SPEC.md.
namespace las::service {

/// One device that a specification offers.
struct CdiDevice {
  std::string name;  ///< as engines take it: "VENDOR/CLASS=NAME"
  Version version;   ///< of the specification's format
  std::filesystem::path file;
};

/// All devices of the specifications in /etc/cdi and /var/run/cdi, sorted by name; of two that
/// offer the same the one in /var/run/cdi, as engines have it. What cannot be read is left out:
/// engines do so too, and say no more than that the device is unknown.
std::vector<CdiDevice> cdi_devices(const platform::FileReader& files);

/// Why this engine of this version cannot use the device, as one translated clause; "" if it can,
/// or nothing is known against it. An engine that meets a specification newer than it knows says
/// only that the device is "unresolvable".
std::string cdi_obstacle(const std::string& engine,
                         const Version& engine_version,
                         const CdiDevice& device);

}  // namespace las::service
