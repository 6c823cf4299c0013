// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/file_system.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// The drop-ins of users, and what they say against what las generates.
namespace las::service {

/// A directive of the unit that the drop-in sets as well, and that las now generates otherwise.
struct Contradiction {
  std::string directive;    ///< "Service.MemoryMax"
  std::string before, now;  ///< as las generated it and does now; "" = not at all
  std::string users;        ///< as the drop-in has it, and as it holds
  bool operator==(const Contradiction&) const = default;
};

/// Names of the folders that systemd looks for a unit's drop-ins in, the unit's own first: also
/// those of its template and of all units whose names begin alike. Pure.
/// Source: systemd.unit(5), "Description".
std::vector<std::string> drop_in_folders_of(const std::string& unit);

/// The folders in `units` that hold drop-ins for one service's units alone, each with the service.
std::map<std::filesystem::path, std::string> drop_in_folders(const platform::FileReader& files,
                                                             const std::filesystem::path& units);

/// Pure. Of directives that stand several times all values count, joined by newlines.
std::vector<Contradiction> contradictions(std::string_view unit_before,
                                          std::string_view unit_now,
                                          std::string_view drop_in);

}  // namespace las::service
