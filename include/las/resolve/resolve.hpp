// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/catalog/catalog.hpp"
#include "las/hardware/profile.hpp"
#include "las/policy/policy.hpp"
#include "las/state/records.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Pure: a request and what is known in, a resolution or an explanation out. libsolv only here.
namespace las::resolve {

/// "name", "name@range", "name=version" as typed.
struct Wish {
  std::string name;
  VersionRange range;
  std::string variant;  ///< "" = the best that fits
  std::string mode;     ///< "" = as preferred
  bool operator==(const Wish&) const = default;
};

/// Throws Usage with a hint when the text is no wish.
Wish parse_wish(std::string_view text);

struct Request {
  std::vector<Wish> install;
  std::vector<std::string> remove;
  std::vector<std::string> upgrade;  ///< installed modules to bring to their newest release
  bool upgrade_all = false;
};

/// One chosen module.
struct Choice {
  const catalog::Manifest* manifest =
      nullptr;  ///< nullptr: installed, but no longer in the catalog
  std::string name;
  Version version;
  const catalog::Variant* variant = nullptr;  ///< nullptr like above
  std::string variant_name;
  catalog::Mode mode = catalog::Mode::Native;
  state::Reason reason = state::Reason::User;
  std::vector<std::string> requires_modules;
  std::string why;  ///< why this version and variant: "newest release; cuda12: this machine has no
                    ///< NVIDIA GPU"
  bool already_installed = false;  ///< same version and variant as now
};

struct Resolution {
  std::vector<Choice> choices;  ///< the complete wanted set, sorted by name
};

/// Why not: data, not text.
struct Explanation {
  struct Reason {
    std::string subject;  ///< "engine 1.2 (cuda13)"
    std::string
        text;  ///< "needs an NVIDIA GPU with compute capability >= 7.5; this machine has none"
    bool operator==(const Reason&) const = default;
  };
  enum class Kind { UnknownName, PolicyDenied, Unsatisfiable } kind = Kind::Unsatisfiable;
  std::string wanted;           ///< "engine"
  std::vector<Reason> reasons;  ///< the shortest chain, in reading order
  std::string suggestion;       ///< what to type instead: "las install other-engine"; may be empty
  /// What a policy denies and nothing else forbids: overrides of these would open the way.
  std::vector<std::string> denied;
};

struct Outcome {
  std::optional<Resolution> resolution;
  std::optional<Explanation> explanation;  ///< exactly one of the two
};

struct World {
  const catalog::Catalog& catalog;
  const hardware::HardwareProfile& profile;
  const policy::Verdict& verdict;
  const state::Generation& installed;
};

/// Deterministic: newest release first, then the variant with the highest priority that fits, then
/// the manifest's order; keeps what is installed unless asked to upgrade. Of several providers of a
/// capability: what is installed or asked for, else the first by name. What is asked for is decided
/// before what is installed, except for holds. A request that only removes brings nothing new; what
/// only dependencies were for, and nothing needs any more, is left out.
Outcome resolve(const Request& request, const World& world);

/// Why the machine does not meet `needs`: one clause per unmet need, both numbers in it; empty =
/// met. An unknown fact is unmet, and the clause says that it is unknown.
std::vector<std::string> unmet_needs(const catalog::HardwareNeeds& needs,
                                     const hardware::HardwareProfile& profile);

/// The explanation as the text of an Error (kinds NotFound, PolicyDenied, Unsatisfiable).
Error to_error(const Explanation& explanation);

}  // namespace las::resolve
