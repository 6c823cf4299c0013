// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/resolve/resolve.hpp"

#include <optional>
#include <string>
#include <vector>

/// Questions about what is installed and what could be, answered by the resolver itself. Pure.
namespace las::resolve {

/// How an installed module stands against the catalog and this machine.
struct Standing {
  std::string name;
  Version installed;
  std::string variant;
  Version possible;  ///< what an upgrade would bring; = installed when it would leave it alone
  std::string possible_variant;
  Version newest;  ///< there is; empty: the catalog no longer has the module
  bool held = false;
  /// Why `possible` is not `newest`; empty when it is.
  std::vector<Explanation::Reason> kept_back;

  bool upgradable() const { return possible != installed || possible_variant != variant; }
};

/// The standing, by name, of the installed modules that `request` upgrades (with `upgrade` empty:
/// all), against `upgraded`, the answer to it.
std::vector<Standing> standings(const World& world,
                                const Request& request,
                                const Resolution& upgraded);

/// The same against an upgrade of everything.
std::vector<Standing> standings(const World& world);

/// The installed modules from one that the user wants to `name`, each needing the next; ties by
/// name. Empty when nothing wanted leads to it.
std::vector<std::string> chain_to(const std::string& name, const World& world);

/// Every installed module that needs `name`, by name; `optional`: only as a companion.
struct Dependent {
  std::string name;
  bool optional = false;
  bool operator==(const Dependent&) const = default;
};

std::vector<Dependent> dependents_of(const std::string& name, const World& world);

/// The builds of the same release that come before the installed one, each with what is in its way
/// here ("cuda13": "needs ..."); nothing in its way: an upgrade would take it.
std::vector<Explanation::Reason> better_variants(const std::string& name, const World& world);

/// Why a build is not what is installed or would be installed.
struct WhyNot {
  bool possible = false;  ///< nothing forbids it: asking for it would bring it
  std::vector<Explanation::Reason> reasons;
  /// Possible: what would happen to other modules ("app 2": "would go back to 1").
  std::vector<Explanation::Reason> consequences;
  std::string suggestion;  ///< what to type to have it, or something like it
};

WhyNot why_not(const Wish& wish, const World& world);

}  // namespace las::resolve
