// SPDX-License-Identifier: Apache-2.0
#include "choices.hpp"

#include "explain.hpp"
#include "runtime_tools.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::resolve {

namespace {

// One sentence after the other, divided by "; ".
class Clauses {
 public:
  void add(std::string_view clause) {
    if (!text_.empty())
      text_ += "; ";
    text_ += clause;
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

class ChoiceMaker {
 public:
  ChoiceMaker(const Request& request,
              const Universe& universe,
              const Formulation& formulation,
              const std::vector<std::size_t>& chosen)
      : request_(request), universe_(universe), place_of_(universe.modules().size(), kNone) {
    nodes_.reserve(chosen.size());
    for (const std::size_t package : chosen) {
      const Formulation::Node& node = formulation.node(package);
      place_of_[node.module->number] = nodes_.size();
      nodes_.push_back(node);
    }
    required_.reserve(nodes_.size());
    for (const Formulation::Node& node : nodes_)
      required_.push_back(required_modules(node));
  }

  Resolution make() {
    find_needed();
    Resolution resolution;
    resolution.choices.reserve(nodes_.size());
    for (std::size_t place = 0; place < nodes_.size(); ++place) {
      if (!needs_[place].there)
        continue;
      Choice& choice = resolution.choices.emplace_back();
      fill_choice(place, choice);
      if (!choice.already_installed)
        choice.suggests = suggestions(nodes_[place]);
    }
    for (const std::string& name : request_.prefer) {
      if (!is_needed(name))
        resolution.passed_over.push_back(why_passed_over(name));
    }
    add_companions_passed_over(resolution);
    return resolution;
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  // Why a module is kept.
  struct Need {
    bool there = false;
    bool optional = false;
    std::size_t by = kNone;  // kNone: for what the user wants
  };

  // Of a chosen module among nodes_, which are sorted by name.
  std::size_t place_of(std::string_view name) const {
    const Module* module = universe_.find(name);
    return module == nullptr ? kNone : place_of_[module->number];
  }

  bool is_needed(std::string_view name) const {
    const std::size_t place = place_of(name);
    return place != kNone && needs_[place].there;
  }

  const Wish* wish_for(const std::string& name) const {
    const auto found = std::find_if(request_.install.begin(),
                                    request_.install.end(),
                                    [&](const Wish& wish) { return wish.name == name; });
    return found == request_.install.end() ? nullptr : &*found;
  }

  bool is_root(const Formulation::Node& node) const {
    return (node.module->asked && wish_for(node.module->name) != nullptr) ||
           (node.module->installed != nullptr && node.module->wanted_by_user());
  }

  // Sorted, each once.
  std::vector<std::string_view> required_modules(const Formulation::Node& node) const {
    std::vector<std::string_view> names;
    for (const Demand& demand : universe_.requirements(*node.module, *node.build)) {
      if (demand.kind == Demand::Kind::Module) {
        names.push_back(demand.name);
      } else if (const catalog::Manifest* provider = provider_for(demand.name, node)) {
        names.push_back(provider->name);
      }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  bool is_preferred(const std::string& name) const {
    return std::find(request_.prefer.begin(), request_.prefer.end(), name) != request_.prefer.end();
  }

  // Of several that are there the one it works with already (unless another is preferred for it),
  // then what is preferred, then the first by name. nullptr: itself.
  const catalog::Manifest* provider_for(std::string_view capability,
                                        const Formulation::Node& user) const {
    const catalog::Manifest *first = nullptr, *preferred = nullptr;
    for (const catalog::Manifest* manifest : universe_.providers(capability)) {
      if (manifest->name == user.module->name)
        return nullptr;
      if (place_of(manifest->name) == kNone)
        continue;
      const bool may_switch = user.module->asked && !request_.prefer.empty();
      if (user.module->installed != nullptr && !may_switch) {
        const auto& recorded = user.module->installed->requires_modules;
        if (std::find(recorded.begin(), recorded.end(), manifest->name) != recorded.end())
          return manifest;
      }
      if (preferred == nullptr && is_preferred(manifest->name))
        preferred = manifest;
      if (first == nullptr)
        first = manifest;
    }
    return preferred != nullptr ? preferred : first;
  }

  // Marks the modules to keep. What is needed is followed to its end first, so that a companion
  // that something needs as well is no mere companion.
  void find_needed() {
    needs_.resize(nodes_.size());
    std::vector<std::size_t> to_visit;
    const auto need = [&](std::size_t place, std::size_t by, bool optional) {
      if (place == kNone || needs_[place].there)
        return;
      needs_[place] = {true, optional, by};
      to_visit.push_back(place);
    };
    std::size_t next = 0;
    const auto follow = [&] {
      for (; next < to_visit.size(); ++next) {
        const std::size_t place = to_visit[next];
        for (const std::string_view required : required_[place])
          need(place_of(required), place, false);
      }
    };
    for (std::size_t place = 0; place < nodes_.size(); ++place) {
      if (is_root(nodes_[place]))
        need(place, kNone, false);
    }
    follow();
    for (std::size_t place = 0; place < nodes_.size(); ++place) {
      if (nodes_[place].module->held)
        need(place, kNone, false);
    }
    follow();
    for (std::size_t i = 0; i < to_visit.size(); ++i) {
      const std::size_t place = to_visit[i];
      for (const std::size_t optional : optional_modules(nodes_[place]))
        need(optional, place, true);
      follow();
    }
  }

  // Optional companions come only when that is asked for, but stay while their module does.
  std::vector<std::size_t> optional_modules(const Formulation::Node& node) const {
    std::vector<std::size_t> places;
    const Optionals wish = node.module->optionals;
    if (wish == Optionals::Drop)
      return places;
    for (const auto& optional : dependencies_of(*node.module, *node.build).optional) {
      const std::size_t place = place_of(optional.name);
      if (place == kNone || !optional.range.contains(nodes_[place].build->version))
        continue;
      const state::InstalledModule* installed = nodes_[place].module->installed;
      if (wish == Optionals::Bring ||
          (installed != nullptr && installed->reason == state::Reason::Optional))
        places.push_back(place);
    }
    return places;
  }

  std::vector<std::string> suggestions(const Formulation::Node& node) const {
    std::vector<std::string> names;
    if (node.module->optionals == Optionals::Bring)
      return names;  // why those are missing is told
    for (const auto& optional : dependencies_of(*node.module, *node.build).optional) {
      if (!is_needed(optional.name))
        names.push_back(Demand{Demand::Kind::Module, optional.name, &optional.range, {}, {}, false}
                            .to_string());
    }
    return names;
  }

  // Those that were to come along.
  void add_companions_passed_over(Resolution& resolution) const {
    for (std::size_t place = 0; place < nodes_.size(); ++place) {
      if (!needs_[place].there)
        continue;
      const Formulation::Node& node = nodes_[place];
      for (const Demand& demand : universe_.recommendations(*node.module, *node.build)) {
        if (is_needed(demand.name))
          continue;
        const Module* module = universe_.find(demand.name);
        resolution.passed_over.push_back(
            module == nullptr
                ? Explanation::Reason{std::string(demand.name), _("is not in the catalog")}
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
    if (place_of(name) != kNone)
      return {name, _("is preferred, but what is needed works with another already")};
    return why_not_taken(*module, Demand{Demand::Kind::Module, name});
  }

  void fill_choice(std::size_t place, Choice& choice) const {
    const Formulation::Node& node = nodes_[place];
    const Module& module = *node.module;
    const Need& need = needs_[place];
    choice.manifest = module.manifest;
    choice.name = module.name;
    choice.version = node.build->version;
    choice.variant = node.build->variant;
    choice.variant_name = node.build->variant_name;
    choice.mode = node.build->mode;
    choice.requires_modules.assign(required_[place].begin(), required_[place].end());
    choice.already_installed = node.build->installed;
    if (is_root(node))
      choice.reason = state::Reason::User;
    else
      choice.reason = need.optional ? state::Reason::Optional : state::Reason::Dependency;
    choice.why = why(node, need);
    if (!choice.already_installed)
      choice.unverified_tools = unverified_tools(dependencies_of(module, *node.build), universe_);
  }

  std::string why(const Formulation::Node& node, const Need& need) const {
    Clauses clauses;
    if (need.by != kNone)
      clauses.add(fmt::format(fmt::runtime(need.optional ? suggested_by_ : needed_by_),
                              nodes_[need.by].module->name));
    if (is_preferred(node.module->name))
      clauses.add(_("preferred"));
    if (node.build->installed) {
      clauses.add(_("installed"));
      return clauses.take();
    }
    const Demand asked = asked_for(node);
    add_why_version(node, asked, clauses);
    if (!asked.variant.empty())
      clauses.add(_("variant as asked for"));
    else
      add_better_variants(node, clauses);
    if (!asked.mode.empty())
      clauses.add(_("mode as asked for"));
    else
      add_why_mode(node, clauses);
    return clauses.take();
  }

  // The wish of this request, else the one that the world remembers.
  Demand asked_for(const Formulation::Node& node) const {
    if (const Wish* wish = wish_for(node.module->name))
      return demand_of(*wish);
    if (node.module->world != nullptr)
      return remembered_demand(*node.module);
    return {};
  }

  static void add_better_variants(const Formulation::Node& node, Clauses& clauses) {
    std::vector<std::string_view> told{node.build->variant_name};
    for (const Build& build : node.module->builds) {
      if (&build == node.build)
        return;
      if (build.rejections().empty() || build.version != node.build->version ||
          std::find(told.begin(), told.end(), build.variant_name) != told.end())
        continue;
      told.push_back(build.variant_name);
      clauses.add(build.variant_name + ": " + build.rejections().front().text);
    }
  }

  // Only where the same build could have been in another mode.
  static void add_why_mode(const Formulation::Node& node, Clauses& clauses) {
    const Build& chosen = *node.build;
    for (const Build& build : node.module->builds) {
      if (build.mode == chosen.mode || build.version != chosen.version ||
          build.variant_name != chosen.variant_name)
        continue;
      const std::string_view mode = catalog::to_string(build.mode);
      if (build.usable())
        clauses.add(
            fmt::format(fmt::runtime(_("{} mode as preferred")), catalog::to_string(chosen.mode)));
      else if (build.rejections().front().kind != Rejection::Kind::Other)
        clauses.add(fmt::format(
            fmt::runtime(_("not in {} mode: {}")), mode, build.rejections().front().text));
      return;
    }
  }

  void add_why_version(const Formulation::Node& node, const Demand& asked, Clauses& clauses) const {
    const Version& version = node.build->version;
    bool newer = false, newer_possible = false;
    const Build* newest_in_range = nullptr;
    for (const Build& build : node.module->builds) {
      if (build.version <= version)
        break;
      newer = true;
      if (!asked.range->contains(build.version))
        continue;
      if (newest_in_range == nullptr)
        newest_in_range = &build;
      newer_possible = newer_possible || (asked.accepts(build) && build.usable());
    }
    const auto& bounds = asked.range->bounds();
    if (bounds.size() == 1 && bounds.front().op == VersionRange::Operator::Equal) {
      clauses.add(_("release as asked for"));
    } else if (!newer) {
      clauses.add(newest_release_);
    } else if (newest_in_range == nullptr) {
      clauses.add(
          fmt::format(fmt::runtime(_("newest release that is {}")), asked.range->to_string()));
    } else if (newer_possible) {
      clauses.add(_("newest release that goes with the other modules"));
    } else {
      clauses.add(_("newest release that fits"));
      if (!newest_in_range->rejections().empty())
        clauses.add(fmt::format("{} ({}): {}",
                                newest_in_range->version.text(),
                                newest_in_range->variant_name,
                                newest_in_range->rejections().front().text));
    }
  }

  const Request& request_;
  const Universe& universe_;
  std::vector<Formulation::Node> nodes_;                 // what was chosen, by name
  std::vector<std::size_t> place_of_;                    // in nodes_, of each module's number
  std::vector<std::vector<std::string_view>> required_;  // of each of nodes_
  std::vector<Need> needs_;                              // of each of nodes_
  // Looked up once for all the modules of a plan.
  const std::string needed_by_ = _("needed by {}"), suggested_by_ = _("suggested by {}"),
                    newest_release_ = _("newest release");
};

}  // namespace

Resolution make_resolution(const Request& request,
                           const Universe& universe,
                           const Formulation& formulation,
                           const std::vector<std::size_t>& chosen) {
  return ChoiceMaker(request, universe, formulation, chosen).make();
}

}  // namespace las::resolve
