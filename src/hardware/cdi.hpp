// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// The two keys of a Container Device Interface specification that say what it offers
/// (github.com/cncf-tags/container-device-interface, SPEC.md): "nvidia.com/gpu 0.6.0". Nothing for
/// a text without them.
///
/// JSON is parsed; of YAML only lines of the top level are read ("kind: nvidia.com/gpu", plain or
/// quoted), which is how every generator writes these two keys.
std::optional<std::string> parse_cdi_json(std::string_view text);
std::optional<std::string> parse_cdi_yaml(std::string_view text);

/// Of all specifications in /etc/cdi and /var/run/cdi, sorted, each once.
Fact<std::vector<std::string>> read_cdi_specs(const platform::FileReader& files);

}  // namespace las::hardware
