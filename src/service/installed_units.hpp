// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"
#include "las/service/unit.hpp"
#include "las/state/records.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The unit files of las in a folder that belongs to others as well.
namespace las::service {

/// A unit's name, taken apart: "las-tiny.service" is the service itself of "tiny".
struct UnitOf {
  std::string service;
  UnitKind kind = UnitKind::Service;
  std::string name;
};

/// Nothing for a name that unit_name() does not make.
std::optional<UnitOf> parse_unit_name(std::string_view unit);

/// The units in `folder` that las generated, those first that have to be stopped first (a socket
/// before what it would start). Others' files are not looked at beyond their first line, and links
/// (masked units, for one) are others'.
std::vector<UnitOf> find_generated_units(const platform::FileReader& files,
                                         const platform::fs::path& folder);

/// Writes the unit if the file does not hold it already; whether it did. Permission when the name
/// is taken by a file that las did not generate; InvalidData when the text is none of las's.
bool write_unit(platform::FileSystem& files,
                const platform::fs::path& folder,
                const std::string& name,
                const std::string& unit_text);

}  // namespace las::service
