// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"
#include "las/state/records.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The unit files of las in a folder that belongs to others as well.
namespace las::service {

/// "tiny" for "las-tiny.service"; nothing for a name that unit_name() does not make.
std::optional<std::string> service_id_of_unit(std::string_view unit);

/// Ids of the services whose unit file las generated, sorted. Others' files are not looked at
/// beyond their first line, and links (masked units, for one) are others'.
std::vector<std::string> find_generated_units(const platform::FileReader& files,
                                              const platform::fs::path& folder);

/// Writes the unit if the file does not hold it already; whether it did. Permission when the name
/// is taken by a file that las did not generate.
bool write_unit(platform::FileSystem& files,
                const platform::fs::path& folder,
                const state::ServiceInstance& service);

}  // namespace las::service
