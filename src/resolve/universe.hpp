// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/resolve/resolve.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace las::resolve {

/// Why something may not be chosen anew on this machine.
struct Rejection {
  enum class Kind { Policy, Hardware, Other } kind = Kind::Other;
  bool whole_module = false;    ///< the same for every build of the module
  std::string text;             ///< one clause
  std::string capability = {};  ///< Policy: what is denied
  std::string remedy = {};      ///< what to type to lift it; may be empty
};

/// One way to have a module: a release in a variant and a mode.
struct Build {
  const catalog::Release* release = nullptr;  ///< nullptr: installed, but not in the catalog
  const catalog::Variant* variant = nullptr;  ///< nullptr likewise
  Version version;
  std::string variant_name;
  catalog::Mode mode = catalog::Mode::Native;
  bool installed = false;
  /// Why not; shared, because most builds of a catalog are rejected for the same. nullptr: nothing.
  std::shared_ptr<const std::vector<Rejection>> rejected = {};

  const std::vector<Rejection>& rejections() const;
  void reject(Rejection why);

  /// What is installed stays possible whatever the machine and the policy say now.
  bool usable() const { return installed || rejected == nullptr; }
};

struct Module {
  std::string name;
  const catalog::Manifest* manifest = nullptr;        ///< nullptr: not in the catalog
  const state::InstalledModule* installed = nullptr;  ///< nullptr: not installed
  const state::WorldEntry* world = nullptr;           ///< nullptr: the user did not ask for it
  VersionRange wished;                                ///< the range of `world`
  std::size_t number = 0;                             ///< its place among all, by name
  bool upgrade = false;                               ///< else what is installed is preferred
  bool held = false;                                  ///< installed, and to stay as it is
  bool asked = false;                                 ///< for by this request
  Optionals optionals = Optionals::Keep;
  std::vector<Build> builds;  ///< best first, possible or not

  const Build* installed_build() const;
  /// Whether the user, rather than another module, wants it.
  bool wanted_by_user() const;
};

const VersionRange& any_version();

/// A set of builds that something asks for. Names and range are those of a manifest, a request, a
/// record or the Universe, which live longer: demands are made by the thousand.
struct Demand {
  enum class Kind { Module, Capability } kind = Kind::Module;
  std::string_view name;
  const VersionRange* range = &any_version();
  std::string_view variant = {}, mode = {};  ///< "" = any
  bool or_installed = false;                 ///< the installed build meets it in any case

  bool accepts(const Build& build) const;
  /// "foo >=1.2" or "something that provides foo".
  std::string to_string() const;
};

/// Compares builds with the machine and the policy. Thousands of builds ask few different
/// questions, so answers are kept.
class Assessor {
 public:
  explicit Assessor(const World& world) : world_(world) {}

  /// All builds of one module, best first.
  std::vector<Build> builds(const catalog::Manifest& manifest);

 private:
  using Rejections = std::shared_ptr<const std::vector<Rejection>>;

  struct Unmet {
    const catalog::HardwareNeeds* needs;
    std::vector<std::string> clauses;
  };

  // What was found of a variant that has the same needs and name.
  struct Judged {
    const catalog::Variant* variant;
    catalog::Mode mode;
    Rejections rejections;
  };

  Rejections judge(const catalog::Variant& variant,
                   catalog::Mode mode,
                   const std::vector<Rejection>& of_module);
  std::vector<Rejection> judge_anew(const catalog::Variant& variant, catalog::Mode mode);
  const std::vector<std::string>& unmet(const catalog::HardwareNeeds& needs);
  const std::string& denial(std::string_view capability);  ///< "" = allowed
  void check_policy(std::string_view capability,
                    bool whole_module,
                    std::vector<Rejection>& rejections);
  void check_needs(const catalog::HardwareNeeds& needs,
                   bool whole_module,
                   std::vector<Rejection>& rejections);
  void check_engine(std::vector<Rejection>& rejections);
  void check_sources(const catalog::Variant& variant,
                     catalog::Mode mode,
                     std::vector<Rejection>& rejections);

  const World& world_;
  std::vector<Unmet> unmet_;
  std::vector<Judged> judged_;
  std::map<std::string, std::string> denials_;
};

/// Everything that a request can reach, and nothing else: of a catalog of thousands only these are
/// compared with the machine.
class Universe {
 public:
  Universe(const Request& request, const World& world);
  Universe(const Universe&) = delete;  // its modules are pointed at
  Universe& operator=(const Universe&) = delete;

  const World& world() const { return world_; }

  /// By name; each knows its place.
  const std::vector<const Module*>& modules() const { return by_name_; }

  const Module* find(std::string_view name) const;

  /// Whether a hold is on the installed module, to be removed or not.
  bool is_held(std::string_view name) const;

  bool is_removed(std::string_view name) const { return removed_.count(name) > 0; }

  /// Every module of the catalog that provides `capability`, by name.
  const std::vector<const catalog::Manifest*>& providers(std::string_view capability) const;
  std::vector<Demand> requirements(const Module& module, const Build& build) const;
  std::vector<Demand> conflicts(const Module& module, const Build& build) const;
  /// What is to come along if it can.
  std::vector<Demand> recommendations(const Module& module, const Build& build) const;

  /// What an entry of `dependencies.runtime` of a module asks of the machine.
  const ToolNeed& tool(const std::string& text) const { return tools_.at(text); }

  /// Whether something that can be chosen needs the capability.
  bool is_reached_capability(std::string_view capability) const {
    return reached_capabilities_.count(capability) > 0;
  }

 private:
  const Module* add(std::string_view name, const Request& request);
  void judge_tools(const Module& module);
  void reach(const Module& module, std::vector<std::string_view>& names);
  std::vector<Demand> installed_requirements(const Module& module, const Build& build) const;

  const World& world_;
  const Request& request_;
  Assessor assessor_;
  bool only_installed_;         ///< a request that only removes brings nothing new
  std::deque<Module> modules_;  ///< in the order they were found in
  std::unordered_map<std::string_view, const Module*> found_;
  std::vector<const Module*> by_name_;
  std::map<std::string, ToolNeed> tools_;
  std::set<std::string, std::less<>> removed_;
  std::set<std::string, std::less<>> reached_capabilities_;
  std::map<std::string, const state::WorldEntry*, std::less<>> wanted_;
  std::map<std::string, const state::InstalledModule*, std::less<>> installed_;
};

/// What a build was made to depend on: the release's own list, else the manifest's. Nothing for a
/// build that the catalog does not have.
const catalog::Dependencies& dependencies_of(const Module& module, const Build& build);

}  // namespace las::resolve
