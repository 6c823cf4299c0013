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

/// As it is typed after `las install`: "name=1.2 --variant cuda12", quoted for a shell.
std::string to_argument(const Wish& wish);

/// What becomes of the optional companions (`dependencies.optional`) of the modules asked for.
/// Those of their dependencies are never brought.
enum class Optionals {
  Keep,   ///< those that are there stay, none comes
  Bring,  ///< those that can be had come along
  Drop,   ///< those that are there for these modules only leave
};

struct Request {
  std::vector<Wish> install;
  std::vector<std::string> remove;
  std::vector<std::string> upgrade;  ///< installed modules to bring to their newest release
  bool upgrade_all = false;
  /// Modules to take before other providers of the same capability, for what is asked for and what
  /// comes with it; other installed modules keep the provider they work with.
  std::vector<std::string> prefer;
  Optionals optionals = Optionals::Keep;
  /// Modules (installed, or of `install`) to be neither changed nor removed from now on; and those
  /// no longer to be.
  std::vector<std::string> hold, unhold;
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
  /// Optional companions that are not there: "name" or "name >=2".
  std::vector<std::string> suggests;
  /// Runtime tools it needs of which las knows no fact, and that no module provides.
  std::vector<std::string> unverified_tools;
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
  bool operator==(const Explanation&) const = default;
};

std::string_view to_string(Explanation::Kind kind);  ///< "unknown-name", "policy-denied" …

struct Resolution {
  std::vector<Choice> choices;  ///< the complete wanted set, sorted by name
  /// What was preferred, or was to come along, and could not be taken, each with why.
  std::vector<Explanation::Reason> passed_over;
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
  /// The user's, before the manifests' own.
  std::optional<catalog::Mode> preferred_mode = {};
};

/// Deterministic: the same request, catalog, profile, verdict and state give the same outcome, in
/// whatever order the catalog's manifests come. Of several answers that are all right:
///
/// 1. What is asked for, in the order of the request, then what the user asked for earlier, by
/// name:
///    each gets the best build that the ones before it leave possible.
/// 2. Best is what is installed, unless its upgrade is asked for; then the newest release; within a
///    release the variant with the highest priority that fits; then the manifest's order; then the
///    preferred mode, the world's or else the manifest's. An upgrade leaves an installed variant
///    that would not be chosen today for one that would, but never goes back to an older release.
/// 3. Dependencies: no chosen build could be exchanged for a better one with all others staying.
/// 4. Of several providers of a capability: what is asked for or installed, then what is preferred,
///    then the first by name.
/// 5. Optional companions come only where 1 to 4 leave them possible.
///
/// A hold is stronger than any wish: a held module is neither changed nor removed. A request that
/// only removes brings nothing new. What only dependencies were for, and nothing needs any more, is
/// left out.
Outcome resolve(const Request& request, const World& world);

/// Why the machine does not meet `needs`: one clause per unmet need, both numbers in it; empty =
/// met. An unknown fact is unmet, and the clause says that it is unknown.
std::vector<std::string> unmet_needs(const catalog::HardwareNeeds& needs,
                                     const hardware::HardwareProfile& profile);

/// What `needs` (one entry of `dependencies.runtime`) asks of the machine: "podman" or
/// "podman>=4.1". Met and unmet by the facts of the profile's tools; an unknown fact is unmet.
struct ToolNeed {
  std::string name;
  VersionRange range;
  enum class State { Met, Unmet, NoFact } state = State::NoFact;
  std::string clause;  ///< Unmet: "needs podman >=4.1; this machine has 3.4.4"
  std::string remedy;  ///< Unmet: what to type to get it; may be empty
};

ToolNeed judge_tool(std::string_view needs, const hardware::HardwareProfile& profile);

/// The explanation as the text of an Error (kinds NotFound, PolicyDenied, Unsatisfiable).
Error to_error(const Explanation& explanation);

}  // namespace las::resolve
