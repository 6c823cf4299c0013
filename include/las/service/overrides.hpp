// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

/// What a user's drop-in says against what las generates. Pure.
namespace las::service {

/// A directive of the unit that the drop-in sets as well, and that las now generates otherwise.
struct Contradiction {
  std::string directive;    ///< "Service.MemoryMax"
  std::string before, now;  ///< as las generated it and does now; "" = not at all
  std::string users;        ///< as the drop-in has it, and as it holds
  bool operator==(const Contradiction&) const = default;
};

/// Of directives that stand several times all values count, joined by newlines.
std::vector<Contradiction> contradictions(std::string_view unit_before,
                                          std::string_view unit_now,
                                          std::string_view drop_in);

}  // namespace las::service
