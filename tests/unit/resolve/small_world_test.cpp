// SPDX-License-Identifier: Apache-2.0
#include "unit/resolve/small_world.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <set>

#include <fmt/format.h>

namespace small_world {

using namespace las;  // NOLINT: test code about the rooms of las
using catalog::Manifest;
using catalog::Release;
using state::InstalledModule;

namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  // The standard's distributions differ between libraries; a case is to be the same everywhere.
  int below(int count) { return static_cast<int>(engine_() % static_cast<unsigned>(count)); }

  bool chance(int percent) { return below(100) < percent; }

 private:
  std::mt19937 engine_;
};

std::string module_name(int number) {
  return "m" + std::to_string(number);
}

std::string random_range(Dice& dice) {
  const std::string version = std::to_string(1 + dice.below(4));
  static const char* const kOperators[] = {"", "", ">=", "<=", "==", "!=", "<", ">"};
  const std::string op = kOperators[dice.below(8)];
  return op.empty() ? op : op + version;
}

std::vector<catalog::Variant> random_variants(Dice& dice) {
  std::vector<catalog::Variant> variants = {builders::variant("cpu", 1)};
  if (dice.chance(25)) {
    catalog::HardwareNeeds needs;
    if (dice.chance(50))
      needs.ram_min = ByteSize::gib(512);  // this machine has 16
    variants.push_back(builders::variant("fast", 2, needs));
  }
  return variants;
}

catalog::Dependencies random_dependencies(Dice& dice, int self, int modules) {
  catalog::Dependencies dependencies;
  std::set<std::string> used;
  for (int i = dice.below(3); i > 0; --i) {
    // One number past the last: a name that nobody has.
    const int other = dice.chance(4) ? modules : dice.below(modules);
    if (other != self && used.insert(module_name(other)).second)
      dependencies.modules.push_back({module_name(other), builders::range(random_range(dice))});
  }
  if (dice.chance(20))
    dependencies.capabilities.push_back(dice.chance(50) ? "x" : "y");
  return dependencies;
}

Manifest random_manifest(Dice& dice, int self, int modules) {
  std::vector<Release> releases;
  for (int version = 4; version > 0; --version) {
    if (!dice.chance(70) && !(version == 1 && releases.empty()))
      continue;
    releases.push_back(builders::release(std::to_string(version), random_variants(dice)));
    releases.back().dependencies = random_dependencies(dice, self, modules);
  }
  Manifest manifest = builders::manifest(module_name(self), std::move(releases));
  for (const char* capability : {"x", "y"}) {
    if (dice.chance(30))
      manifest.provides.push_back(capability);
  }
  if (const int other = dice.below(modules); dice.chance(25) && other != self)
    manifest.conflicts.push_back({module_name(other), builders::range(random_range(dice))});
  return manifest;
}

void install_some(Dice& dice, Problem& problem) {
  auto& present = problem.stage.present;
  for (const Manifest& manifest : manifests_of(problem.stage.catalog)) {
    if (!dice.chance(40))
      continue;
    const Release& release = manifest.releases[static_cast<std::size_t>(
        dice.below(static_cast<int>(manifest.releases.size())))];
    const auto reason = dice.chance(60) ? state::Reason::User : state::Reason::Dependency;
    present.modules.push_back(builders::installed(manifest.name, release.version.text(), reason));
    if (reason == state::Reason::User || dice.chance(20)) {
      state::WorldEntry entry;
      entry.module = manifest.name;
      entry.wished = reason == state::Reason::User;
      entry.held = !entry.wished || dice.chance(15);
      if (entry.wished && dice.chance(20))
        entry.range = random_range(dice);
      present.world.push_back(entry);
    }
  }
  for (InstalledModule& module : present.modules) {
    const Release* release =
        problem.stage.catalog.find(module.name)->find_release(Version(module.version));
    for (const auto& dependency : release->dependencies->modules) {
      if (present.find(dependency.name) != nullptr)
        module.requires_modules.push_back(dependency.name);
    }
    std::sort(module.requires_modules.begin(), module.requires_modules.end());
  }
}

void ask_for_something(Dice& dice, int modules, Problem& problem) {
  const int kind = dice.below(10);
  const auto& installed = problem.stage.present.modules;
  if (kind == 0) {
    problem.request.upgrade_all = true;
    return;
  }
  if (kind == 1 && !installed.empty()) {
    const auto& module =
        installed[static_cast<std::size_t>(dice.below(static_cast<int>(installed.size())))];
    problem.request.remove.push_back(module.name);
    return;
  }
  std::set<std::string> used;
  for (int i = 1 + dice.below(2); i > 0; --i) {
    resolve::Wish wish;
    wish.name = module_name(dice.below(modules));
    if (!used.insert(wish.name).second)
      continue;
    if (dice.chance(25))
      wish.range = builders::range(random_range(dice));
    problem.request.install.push_back(wish);
  }
}

bool provides(const builders::Stage& stage, const std::string& module, const std::string& what) {
  const Manifest* manifest = stage.catalog.find(module);
  return manifest != nullptr &&
         std::find(manifest->provides.begin(), manifest->provides.end(), what) !=
             manifest->provides.end();
}

const state::WorldEntry* wish_of(const builders::Stage& stage, const std::string& module) {
  for (const state::WorldEntry& entry : stage.present.world) {
    if (entry.module == module)
      return &entry;
  }
  return nullptr;
}

bool is_held(const builders::Stage& stage, const std::string& module) {
  const auto* wish = wish_of(stage, module);
  return wish != nullptr && wish->held && stage.present.find(module) != nullptr;
}

// What an installed module that stays has to keep: what it works with today.
struct Needs {
  std::vector<catalog::ModuleDependency> modules;
  std::vector<std::string> capabilities;
};

Needs needs_of(const builders::Stage& stage, const std::string& module, const Candidate& chosen) {
  const catalog::Dependencies& listed = *chosen.release->dependencies;
  if (!chosen.installed)
    return {listed.modules, listed.capabilities};
  Needs needs;
  for (const std::string& capability : listed.capabilities) {
    for (const InstalledModule& other : stage.present.modules) {
      if (provides(stage, other.name, capability)) {
        needs.capabilities.push_back(capability);
        break;
      }
    }
  }
  for (const auto& dependency : listed.modules) {
    const InstalledModule* other = stage.present.find(dependency.name);
    if (other == nullptr)
      continue;
    const bool in_range = dependency.range.contains(Version(other->version));
    needs.modules.push_back({dependency.name, in_range ? dependency.range : VersionRange()});
  }
  (void)module;
  return needs;
}

}  // namespace

std::vector<Manifest> manifests_of(const catalog::Catalog& catalog) {
  std::vector<Manifest> manifests;
  for (const std::string& name : catalog.names())
    manifests.push_back(catalog.get(name));
  return manifests;
}

std::string Problem::to_string() const {
  std::string out;
  const auto list = [](const std::vector<catalog::ModuleDependency>& modules) {
    std::string text;
    for (const auto& one : modules)
      text += " " + one.name + one.range.to_string();
    return text;
  };
  for (const Manifest& manifest : manifests_of(stage.catalog)) {
    out += manifest.name;
    for (const std::string& what : manifest.provides)
      out += " +" + what;
    out += manifest.conflicts.empty() ? "" : " conflicts" + list(manifest.conflicts);
    out += "\n";
    for (const Release& release : manifest.releases) {
      out += "  " + release.version.text() + ":" + list(release.dependencies->modules);
      for (const std::string& what : release.dependencies->capabilities)
        out += " <" + what + ">";
      for (const catalog::Variant& variant : release.variants)
        out += fmt::format(" ({}{})", variant.name, variant.needs.ram_min ? ", too big" : "");
      out += "\n";
    }
  }
  for (const InstalledModule& module : stage.present.modules) {
    out += "installed " + module.name + " " + module.version + " " +
           std::string(state::to_string(module.reason));
    if (const auto* wish = wish_of(stage, module.name))
      out += " " + wish->range + (wish->held ? " held" : "");
    out += "\n";
  }
  for (const resolve::Wish& wish : request.install)
    out += "install " + wish.name + " " + wish.range.to_string() + "\n";
  for (const std::string& name : request.remove)
    out += "remove " + name + "\n";
  if (request.upgrade_all)
    out += "upgrade\n";
  return out;
}

Problem make(unsigned seed) {
  Dice dice(seed);
  Problem problem;
  const int modules = 1 + dice.below(6);
  std::vector<Manifest> manifests;
  for (int i = 0; i < modules; ++i)
    manifests.push_back(random_manifest(dice, i, modules));
  problem.stage.catalog = catalog::Catalog(std::move(manifests));
  if (dice.chance(70))
    install_some(dice, problem);
  ask_for_something(dice, modules, problem);
  return problem;
}

Judge::Judge(const Problem& problem) : problem_(problem) {
  const auto& stage = problem.stage;
  for (const resolve::Wish& wish : problem.request.install)
    roots_.push_back(wish.name);
  for (const InstalledModule& module : stage.present.modules) {
    const bool removed =
        !problem.request.remove.empty() && problem.request.remove[0] == module.name;
    const bool wanted = module.reason == state::Reason::User || is_held(stage, module.name);
    if (wanted && !removed && std::find(roots_.begin(), roots_.end(), module.name) == roots_.end())
      roots_.push_back(module.name);
  }
  order_ = roots_;
  for (const std::string& name : stage.catalog.names()) {
    candidates_[name] = make_candidates(stage.catalog.get(name));
    if (std::find(roots_.begin(), roots_.end(), name) == roots_.end())
      order_.push_back(name);
  }
}

std::vector<Candidate> Judge::make_candidates(const Manifest& manifest) const {
  const resolve::Request& request = problem_.request;
  const InstalledModule* installed = problem_.stage.present.find(manifest.name);
  if (!request.remove.empty() && request.remove[0] == manifest.name)
    return {};

  struct Ranked {
    Candidate candidate;
    int priority;
  };

  std::vector<Ranked> all;
  for (const Release& release : manifest.releases) {
    for (const catalog::Variant& variant : release.variants) {
      Candidate one{release.version, variant.name, false, &release};
      one.installed = installed != nullptr && Version(installed->version) == release.version &&
                      installed->variant == variant.name;
      const bool fits = !variant.needs.ram_min.has_value();
      const bool only_looks_back = request.install.empty() && installed != nullptr &&
                                   release.version < Version(installed->version);
      const bool brings_new = !request.remove.empty() || is_held(problem_.stage, manifest.name);
      if (!one.installed && (!fits || only_looks_back || brings_new))
        continue;
      if (!meets_wish(manifest.name, one))
        continue;
      all.push_back({one, variant.priority});
    }
  }
  std::stable_sort(all.begin(), all.end(), [&](const Ranked& a, const Ranked& b) {
    if (!request.upgrade_all && a.candidate.installed != b.candidate.installed)
      return a.candidate.installed;
    if (a.candidate.version != b.candidate.version)
      return a.candidate.version > b.candidate.version;
    return a.priority > b.priority;
  });
  std::vector<Candidate> candidates;
  for (const Ranked& one : all)
    candidates.push_back(one.candidate);
  return candidates;
}

// The wish of this request, else the one made earlier, which what is installed meets anyhow.
bool Judge::meets_wish(const std::string& module, const Candidate& candidate) const {
  for (const resolve::Wish& wish : problem_.request.install) {
    if (wish.name == module)
      return wish.range.contains(candidate.version);
  }
  const auto* wish = wish_of(problem_.stage, module);
  return wish == nullptr || candidate.installed ||
         builders::range(wish->range).contains(candidate.version);
}

const std::vector<Candidate>& Judge::candidates(const std::string& module) const {
  static const std::vector<Candidate> kNone;
  const auto found = candidates_.find(module);
  return found == candidates_.end() ? kNone : found->second;
}

// `complete`: what is not in the assignment is not there; else it is only not decided yet.
std::string Judge::fault_between(const std::string& module,
                                 const Candidate& candidate,
                                 const Assignment& assignment,
                                 bool complete) const {
  const auto& stage = problem_.stage;
  const Needs needs = needs_of(stage, module, candidate);
  for (const auto& needed : needs.modules) {
    const auto found = assignment.find(needed.name);
    if (found == assignment.end() ? complete : !needed.range.contains(found->second.version))
      return module + " needs " + needed.name + " " + needed.range.to_string();
  }
  for (const std::string& capability : needs.capabilities) {
    if (complete && std::none_of(assignment.begin(), assignment.end(), [&](const auto& other) {
          return provides(stage, other.first, capability);
        }))
      return module + " needs <" + capability + ">";
  }
  for (const auto& conflict : stage.catalog.find(module)->conflicts) {
    const auto found = assignment.find(conflict.name);
    if (found == assignment.end() || !conflict.range.contains(found->second.version))
      continue;
    const InstalledModule* beside = stage.present.find(conflict.name);
    const bool always_were = candidate.installed && beside != nullptr &&
                             conflict.range.contains(Version(beside->version));
    if (!always_were)
      return module + " conflicts with " + conflict.name;
  }
  return {};
}

std::string Judge::fault(const Assignment& assignment) const {
  for (const std::string& root : roots_) {
    if (assignment.count(root) == 0)
      return root + " is missing";
  }
  for (const auto& [module, candidate] : assignment) {
    const auto& possible = candidates(module);
    if (std::find(possible.begin(), possible.end(), candidate) == possible.end())
      return module + " " + candidate.version.text() + " may not be chosen";
    if (std::string fault = fault_between(module, candidate, assignment, true); !fault.empty())
      return fault;
  }
  return {};
}

std::optional<Assignment> Judge::search() const {
  for (const std::string& name : problem_.request.remove) {
    if (is_held(problem_.stage, name))
      return std::nullopt;
  }
  Assignment assignment;
  return search(assignment, 0) ? std::optional(assignment) : std::nullopt;
}

// The roots first, the best candidate first: the first find is the best.
bool Judge::search(Assignment& assignment, std::size_t next) const {
  if (next == order_.size())
    return fault(assignment).empty();
  const std::string& module = order_[next];
  if (next >= roots_.size() && search(assignment, next + 1))
    return true;
  for (const Candidate& candidate : candidates(module)) {
    assignment[module] = candidate;
    const bool clash = std::any_of(assignment.begin(), assignment.end(), [&](const auto& decided) {
      return !fault_between(decided.first, decided.second, assignment, false).empty();
    });
    if (!clash && search(assignment, next + 1))
      return true;
    assignment.erase(module);
  }
  return false;
}

bool Judge::provides_something(const std::string& module) const {
  return !problem_.stage.catalog.get(module).provides.empty();
}

std::vector<std::string> Judge::unneeded(const Assignment& assignment) const {
  std::set<std::string> reached(roots_.begin(), roots_.end());
  std::vector<std::string> to_visit = roots_;
  while (!to_visit.empty()) {
    const std::string module = to_visit.back();
    to_visit.pop_back();
    const auto found = assignment.find(module);
    if (found == assignment.end())
      continue;
    const Needs needs = needs_of(problem_.stage, module, found->second);
    for (const auto& needed : needs.modules) {
      if (reached.insert(needed.name).second)
        to_visit.push_back(needed.name);
    }
    for (const auto& [other, unused] : assignment) {
      for (const std::string& capability : needs.capabilities) {
        if (provides(problem_.stage, other, capability) && reached.insert(other).second)
          to_visit.push_back(other);
      }
    }
  }
  std::vector<std::string> names;
  for (const auto& [module, unused] : assignment) {
    if (reached.count(module) == 0)
      names.push_back(module);
  }
  return names;
}

TEST_CASE("a seed is a problem, the same each time", "[resolve][property]") {
  CHECK(make(7).to_string() == make(7).to_string());
  CHECK(make(7).to_string() != make(8).to_string());
}

}  // namespace small_world
