// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "facts.hpp"

#include "las/policy/policy.hpp"

#include <string>
#include <vector>

namespace las::policy {

/// One comparison as a trace shows it: "gpu.vram_total >= 24GB".
std::string spell(const Condition& comparison);

/// A fact's value as a person reads it: "24.0 GiB", "NVLink", "no GPU", "unknown (why)".
std::string has(const NamedFact& fact);

TraceEntry trace_entry(const std::string& rule,
                       const Condition& comparison,
                       const NamedFact& fact,
                       Truth outcome);

/// What is missing for a condition to hold, or for it not to hold.
struct Shortfall {
  std::string needs;  ///< "compute capability 7.5 or newer"; "" when nothing can be named
  std::string has;    ///< "6.1"

  struct Item {
    const Condition* comparison;
    bool wanted;
  };

  std::vector<Item> items;  ///< the comparisons of which one would have to change
};

Shortfall shortfall(const Condition& condition, bool wanted, const Facts& facts);

/// What a person could do so that the comparison comes out as wanted; "" where nothing is known.
std::string remedy(const Shortfall::Item& item, const Facts& facts);

}  // namespace las::policy
