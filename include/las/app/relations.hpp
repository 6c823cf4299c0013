// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/resolve/inspect.hpp"

#include <optional>
#include <string>
#include <vector>

/// Use cases that look at how modules hang together; none changes anything.
namespace las::app {

/// One thing that a module needs or suggests.
struct Need {
  enum class Kind { Module, Capability, Tool, Package, Optional } kind = Kind::Module;
  std::string name;   ///< "lib", "inference", "podman", "libgomp1"
  std::string range;  ///< ">=2"; "" = any
  /// Capability: the modules that provide it, by name.
  std::vector<std::string> providers;
  /// Module, Optional, Capability: whether it (one of them) is installed. Tool: whether this
  /// machine has it; nothing when las knows no fact about it. Package: nothing.
  std::optional<bool> present;
};

std::string_view to_string(Need::Kind kind);  ///< "module", "capability" …

struct ModuleNeeds {
  std::string name, version;
  bool installed = false;
  std::vector<Need> needs;  ///< in the manifest's order, by kind
};

/// What a module needs, of its installed release, else of its newest. With `recursive` everything
/// below it too, each module once, nearest first; of several providers of a capability the one that
/// is installed, else the first. NotFound with the nearest name for an unknown module.
std::vector<ModuleNeeds> depends(Session& session,
                                 const std::string& name,
                                 bool recursive,
                                 const Activity& activity);

/// One module that needs another.
struct User {
  std::string name, version;
  bool installed = false;
  Need need;  ///< of it, that names the other
};

/// Every module whose installed (else newest) release names this one or a capability it provides,
/// by name; `only_installed` looks at what is installed and what it was installed with.
std::vector<User> rdepends(Session& session,
                           const std::string& name,
                           bool only_installed,
                           const Activity& activity);

/// Why a module is here (or not), and in this build.
struct Why {
  std::string name;
  bool installed = false;
  std::string version, variant, mode;
  state::Reason reason = state::Reason::User;
  bool held = false;
  std::vector<std::string> chain;  ///< from a wish of the user to it; empty: nobody needs it
  std::vector<resolve::Dependent> needed_by;
  std::optional<resolve::Standing> standing;  ///< installed: against the newest
  /// Installed: better variants of its release; each with what is in the way.
  std::vector<resolve::Explanation::Reason> better_variants;
  /// Not installed: what an installation would bring, or why it cannot.
  std::string would_be;
  std::optional<resolve::Explanation> cannot;
};

Why why(Session& session, const std::string& name, const Activity& activity);

/// Why not `wish` (a version, a variant, a mode of a module)?
resolve::WhyNot why_not(Session& session, const resolve::Wish& wish, const Activity& activity);

/// How everything installed stands against the catalog, by name.
std::vector<resolve::Standing> outdated(Session& session, const Activity& activity);

}  // namespace las::app
