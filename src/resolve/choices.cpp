// SPDX-License-Identifier: Apache-2.0
#include "choices.hpp"

#include "explain.hpp"
#include "runtime_tools.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace las::resolve {

namespace {

class ChoiceMaker {
 public:
  ChoiceMaker(const Request& request,
              const Universe& universe,
              const Formulation& formulation,
              const std::vector<std::size_t>& chosen)
      : request_(request), universe_(universe) {
    for (const std::size_t package : chosen) {
      const Formulation::Node& node = formulation.node(package);
      nodes_.emplace(node.module->name, node);
    }
    for (const auto& [name, node] : nodes_)
      required_[name] = required_modules(node);
  }

  Resolution make() const {
    const std::map<std::string, Need> needed = needed_modules();
    Resolution resolution;
    for (const auto& [name, need] : needed) {
      resolution.choices.push_back(make_choice(nodes_.at(name), need));
      Choice& choice = resolution.choices.back();
      if (!choice.already_installed)
        choice.suggests = suggestions(nodes_.at(name), needed);
    }
    for (const std::string& name : request_.prefer) {
      if (needed.count(name) == 0)
        resolution.passed_over.push_back(why_passed_over(name));
    }
    add_companions_passed_over(needed, resolution);
    return resolution;
  }

 private:
  // Why a module is kept.
  struct Need {
    std::string by;  // "" for what the user wants
    bool optional = false;
  };

  const Wish* wish_for(const std::string& name) const {
    const auto found = std::find_if(request_.install.begin(),
                                    request_.install.end(),
                                    [&](const Wish& wish) { return wish.name == name; });
    return found == request_.install.end() ? nullptr : &*found;
  }

  bool is_root(const Formulation::Node& node) const {
    return wish_for(node.module->name) != nullptr ||
           (node.module->installed != nullptr && node.module->wanted_by_user());
  }

  std::vector<std::string> required_modules(const Formulation::Node& node) const {
    std::set<std::string> names;
    for (const Demand& demand : universe_.requirements(*node.module, *node.build)) {
      if (demand.kind == Demand::Kind::Module) {
        names.insert(demand.name);
      } else if (const auto provider = provider_for(demand.name, node)) {
        names.insert(*provider);
      }
    }
    return {names.begin(), names.end()};
  }

  bool is_preferred(const std::string& name) const {
    return std::find(request_.prefer.begin(), request_.prefer.end(), name) != request_.prefer.end();
  }

  // Of several that are there the one it works with already (unless another is preferred for it),
  // then what is preferred, then the first by name.
  std::optional<std::string> provider_for(const std::string& capability,
                                          const Formulation::Node& user) const {
    std::optional<std::string> first, preferred;
    for (const catalog::Manifest* manifest : universe_.providers(capability)) {
      if (manifest->name == user.module->name)
        return std::nullopt;
      if (nodes_.count(manifest->name) == 0)
        continue;
      const bool may_switch = user.module->asked && !request_.prefer.empty();
      if (user.module->installed != nullptr && !may_switch) {
        const auto& recorded = user.module->installed->requires_modules;
        if (std::find(recorded.begin(), recorded.end(), manifest->name) != recorded.end())
          return manifest->name;
      }
      if (!preferred && is_preferred(manifest->name))
        preferred = manifest->name;
      if (!first)
        first = manifest->name;
    }
    return preferred ? preferred : first;
  }

  // The modules to keep. What is needed is followed to its end first, so that a companion that
  // something needs as well is no mere companion.
  std::map<std::string, Need> needed_modules() const {
    std::map<std::string, Need> needed;
    std::vector<std::string> to_visit;
    const auto need = [&](const std::string& name, const std::string& by, bool optional) {
      if (nodes_.count(name) > 0 && needed.emplace(name, Need{by, optional}).second)
        to_visit.push_back(name);
    };
    std::size_t next = 0;
    const auto follow = [&] {
      for (; next < to_visit.size(); ++next) {
        const std::string name = to_visit[next];
        for (const std::string& required : required_.at(name))
          need(required, name, false);
      }
    };
    for (const auto& [name, node] : nodes_) {
      if (is_root(node))
        need(name, {}, false);
    }
    follow();
    for (const auto& [name, node] : nodes_) {
      if (node.module->held)
        need(name, {}, false);
    }
    follow();
    for (std::size_t i = 0; i < to_visit.size(); ++i) {
      const std::string name = to_visit[i];
      for (const std::string& optional : optional_modules(nodes_.at(name)))
        need(optional, name, true);
      follow();
    }
    return needed;
  }

  // Optional companions come only when that is asked for, but stay while their module does.
  std::vector<std::string> optional_modules(const Formulation::Node& node) const {
    std::vector<std::string> names;
    const Optionals wish = node.module->optionals;
    if (wish == Optionals::Drop)
      return names;
    for (const auto& optional : dependencies_of(*node.module, *node.build).optional) {
      const auto found = nodes_.find(optional.name);
      if (found == nodes_.end() || !optional.range.contains(found->second.build->version))
        continue;
      const state::InstalledModule* installed = found->second.module->installed;
      if (wish == Optionals::Bring ||
          (installed != nullptr && installed->reason == state::Reason::Optional))
        names.push_back(optional.name);
    }
    return names;
  }

  std::vector<std::string> suggestions(const Formulation::Node& node,
                                       const std::map<std::string, Need>& needed) const {
    std::vector<std::string> names;
    if (node.module->optionals == Optionals::Bring)
      return names;  // why those are missing is told
    for (const auto& optional : dependencies_of(*node.module, *node.build).optional) {
      if (needed.count(optional.name) == 0)
        names.push_back(
            Demand{Demand::Kind::Module, optional.name, optional.range, {}, {}, false}.to_string());
    }
    return names;
  }

  // Those that were to come along.
  void add_companions_passed_over(const std::map<std::string, Need>& needed,
                                  Resolution& resolution) const {
    for (const auto& [name, need] : needed) {
      const Formulation::Node& node = nodes_.at(name);
      for (const Demand& demand : universe_.recommendations(*node.module, *node.build)) {
        if (needed.count(demand.name) > 0)
          continue;
        const Module* module = universe_.find(demand.name);
        resolution.passed_over.push_back(
            module == nullptr ? Explanation::Reason{demand.name, _("is not in the catalog")}
                              : why_not_taken(*module, demand));
      }
    }
  }

  static Explanation::Reason why_not_taken(const Module& module, const Demand& demand) {
    if (std::any_of(module.builds.begin(), module.builds.end(), [&](const Build& build) {
          return build.usable() && demand.accepts(build);
        }))
      return {module.name, _("does not go with the other modules")};
    return why_no_build(module, demand).reasons.front();
  }

  Explanation::Reason why_passed_over(const std::string& name) const {
    const Module* module = universe_.find(name);
    if (module == nullptr)
      return {name, _("provides nothing that is needed here")};
    if (nodes_.count(name) > 0)
      return {name, _("is preferred, but what is needed works with another already")};
    return why_not_taken(*module, Demand{Demand::Kind::Module, name, {}, {}, {}, false});
  }

  Choice make_choice(const Formulation::Node& node, const Need& need) const {
    const Module& module = *node.module;
    Choice choice;
    choice.manifest = module.manifest;
    choice.name = module.name;
    choice.version = node.build->version;
    choice.variant = node.build->variant;
    choice.variant_name = node.build->variant_name;
    choice.mode = node.build->mode;
    choice.requires_modules = required_.at(module.name);
    choice.already_installed = node.build->installed;
    if (is_root(node))
      choice.reason = state::Reason::User;
    else
      choice.reason = need.optional ? state::Reason::Optional : state::Reason::Dependency;
    choice.why = why(node, need);
    if (!choice.already_installed)
      choice.unverified_tools = unverified_tools(dependencies_of(module, *node.build), universe_);
    return choice;
  }

  std::string why(const Formulation::Node& node, const Need& need) const {
    std::vector<std::string> clauses;
    if (!need.by.empty())
      clauses.push_back(fmt::format(
          fmt::runtime(need.optional ? _("suggested by {}") : _("needed by {}")), need.by));
    if (is_preferred(node.module->name))
      clauses.push_back(_("preferred"));
    if (node.build->installed) {
      clauses.push_back(_("installed"));
      return text::join(clauses, "; ");
    }
    add_why_version(node, clauses);
    const Demand asked = asked_for(node);
    if (!asked.variant.empty())
      clauses.push_back(_("variant as asked for"));
    else
      add_better_variants(node, clauses);
    return text::join(clauses, "; ");
  }

  // The wish of this request, else the one that the world remembers.
  Demand asked_for(const Formulation::Node& node) const {
    if (const Wish* wish = wish_for(node.module->name))
      return demand_of(*wish);
    if (node.module->world != nullptr)
      return demand_of(*node.module->world);
    return {};
  }

  static void add_better_variants(const Formulation::Node& node,
                                  std::vector<std::string>& clauses) {
    std::set<std::string> told{node.build->variant_name};
    for (const Build& build : node.module->builds) {
      if (&build == node.build)
        return;
      if (build.version == node.build->version && !build.rejections.empty() &&
          told.insert(build.variant_name).second)
        clauses.push_back(build.variant_name + ": " + build.rejections.front().text);
    }
  }

  void add_why_version(const Formulation::Node& node, std::vector<std::string>& clauses) const {
    const Version& version = node.build->version;
    const Demand asked = asked_for(node);
    bool newer = false, newer_possible = false;
    const Build* newest_in_range = nullptr;
    for (const Build& build : node.module->builds) {
      if (build.version <= version)
        break;
      newer = true;
      if (!asked.range.contains(build.version))
        continue;
      if (newest_in_range == nullptr)
        newest_in_range = &build;
      newer_possible = newer_possible || (asked.accepts(build) && build.usable());
    }
    const auto& bounds = asked.range.bounds();
    if (bounds.size() == 1 && bounds.front().op == VersionRange::Operator::Equal) {
      clauses.push_back(_("release as asked for"));
    } else if (!newer) {
      clauses.push_back(_("newest release"));
    } else if (newest_in_range == nullptr) {
      clauses.push_back(
          fmt::format(fmt::runtime(_("newest release that is {}")), asked.range.to_string()));
    } else if (newer_possible) {
      clauses.push_back(_("newest release that goes with the other modules"));
    } else {
      clauses.push_back(_("newest release that fits"));
      if (!newest_in_range->rejections.empty())
        clauses.push_back(fmt::format("{} ({}): {}",
                                      newest_in_range->version.text(),
                                      newest_in_range->variant_name,
                                      newest_in_range->rejections.front().text));
    }
  }

  const Request& request_;
  const Universe& universe_;
  std::map<std::string, Formulation::Node> nodes_;
  std::map<std::string, std::vector<std::string>> required_;
};

}  // namespace

Resolution make_resolution(const Request& request,
                           const Universe& universe,
                           const Formulation& formulation,
                           const std::vector<std::size_t>& chosen) {
  return ChoiceMaker(request, universe, formulation, chosen).make();
}

}  // namespace las::resolve
