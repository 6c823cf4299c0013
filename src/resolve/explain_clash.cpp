// SPDX-License-Identifier: Apache-2.0
// libsolv's rules name the modules of a conflict; the sentences are ours.
#include "explain.hpp"
#include "sentence.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <deque>
#include <tuple>

#include <fmt/format.h>

namespace las::resolve {

namespace {

using Reason = Explanation::Reason;

class ClashReport {
 public:
  ClashReport(const Universe& universe,
              const Formulation& formulation,
              const std::vector<Clash>& clashes)
      : universe_(universe), formulation_(formulation), clashes_(clashes) {
    std::map<std::size_t, std::size_t> place;  // of a demand among the jobs
    for (const Problem::Job& job : formulation.problem().jobs)
      place.emplace(job.demand, place.size());
    const auto key = [&](const Clash& clash) {
      const bool job = clash.kind == Clash::Kind::Job;
      return std::make_tuple(job ? place[clash.demand] : clash.package, clash.kind, clash.demand);
    };
    std::stable_sort(clashes_.begin(), clashes_.end(), [&](const Clash& a, const Clash& b) {
      return key(a) < key(b);
    });
    for (const Clash& clash : clashes_) {
      if (clash.kind != Clash::Kind::Job)
        of_package_[clash.package].push_back(&clash);
    }
  }

  Explanation make(const Request& request) {
    Explanation explanation;
    explanation.wanted = wanted(request);
    add_requested();
    for (const std::size_t package : reading_order()) {
      for (const Clash* clash : of_package_[package])
        add(*clash);
    }
    const std::string remedy = add_installed();
    explanation.suggestion = remedy_.empty() ? remedy : remedy_;
    if (explanation.suggestion.empty() && !absent_.empty())
      explanation.suggestion = "las search " + absent_;
    flush(explanation.reasons);
    if (terminals_ > 0 && terminals_ == policy_terminals_) {
      explanation.kind = Explanation::Kind::PolicyDenied;
      explanation.denied = std::move(denied_);
    }
    if (explanation.reasons.empty())
      explanation.reasons.push_back({explanation.wanted, _("does not go with what is installed")});
    return explanation;
  }

 private:
  // One line of the report; releases that say the same share it.
  struct Line {
    std::string module, text;
    std::vector<Version> versions;
    std::vector<Reason> followed_by;
  };

  std::string wanted(const Request& request) const {
    std::vector<std::string> names;
    for (const Clash& clash : clashes_) {
      if (clash.kind == Clash::Kind::Job && formulation_.is_request(clash.demand))
        names.emplace_back(formulation_.demand(clash.demand).name);
    }
    if (names.empty()) {
      for (const Wish& wish : request.install)
        names.push_back(wish.name);
      names.insert(names.end(), request.upgrade.begin(), request.upgrade.end());
      names.insert(names.end(), request.remove.begin(), request.remove.end());
    }
    return text::join(names, ", ");
  }

  // From what was asked for along the requirements, so that each line explains the one before it.
  std::vector<std::size_t> reading_order() const {
    std::vector<std::size_t> order;
    std::set<std::size_t> seen;
    std::deque<std::size_t> next;
    const auto visit = [&](std::size_t package) {
      if (of_package_.count(package) > 0 && seen.insert(package).second)
        next.push_back(package);
    };
    const auto walk = [&] {
      while (!next.empty()) {
        const std::size_t package = next.front();
        next.pop_front();
        order.push_back(package);
        for (const Clash* clash : of_package_.at(package)) {
          if (clash->kind != Clash::Kind::Requires)
            continue;
          for (const std::size_t needed : formulation_.problem().demands[clash->demand])
            visit(needed);
        }
      }
    };
    for (const bool requested : {true, false}) {
      for (const Clash& clash : clashes_) {
        if (clash.kind != Clash::Kind::Job || formulation_.is_request(clash.demand) != requested)
          continue;
        for (const std::size_t package : formulation_.problem().demands[clash.demand])
          visit(package);
      }
      walk();
    }
    for (const auto& [package, unused] : of_package_)
      visit(package);
    walk();
    return order;
  }

  void add_requested() {
    for (const Clash& clash : clashes_) {
      if (clash.kind != Clash::Kind::Job || !formulation_.is_request(clash.demand))
        continue;
      const Demand& demand = formulation_.demand(clash.demand);
      if (!demand.range->any() || !demand.variant.empty())
        add_line(
            std::string(demand.name), {}, sentence(_("is asked for as {}"), demand.to_string()));
    }
  }

  // Returns what would clear the way when a single module stands in it.
  std::string add_installed() {
    std::vector<std::string> names, held_names;
    for (const Clash& clash : clashes_) {
      if (clash.kind != Clash::Kind::Job || formulation_.is_request(clash.demand))
        continue;
      const Module* module = universe_.find(formulation_.demand(clash.demand).name);
      if (module == nullptr || module->installed == nullptr)
        continue;
      const bool held = module->held;
      add_line(module->name,
               Version(module->installed->version),
               held ? _("is installed and held") : _("is installed and wanted"));
      (held ? held_names : names).push_back(module->name);
    }
    if (!held_names.empty())
      return "las unhold " + text::join(held_names, " ");
    return names.size() == 1 ? "las remove " + names.front() : std::string();
  }

  void add(const Clash& clash) {
    const Formulation::Node& node = formulation_.node(clash.package);
    const Demand& demand = formulation_.demand(clash.demand);
    switch (clash.kind) {
      case Clash::Kind::Requires:
        add_line(
            node.module->name, node.build->version, sentence(_("needs {}"), demand.to_string()));
        break;
      case Clash::Kind::NothingProvides:
        add_missing(node, demand);
        break;
      case Clash::Kind::Conflicts:
        ++terminals_;
        add_line(node.module->name,
                 node.build->version,
                 sentence(_("conflicts with {}"), demand.to_string()));
        break;
      case Clash::Kind::Job:
      case Clash::Kind::SameName:  // follows from two lines that need different releases
        break;
    }
  }

  void add_missing(const Formulation::Node& node, const Demand& demand) {
    const std::string& name = node.module->name;
    const Version& version = node.build->version;
    const std::string needed = demand.to_string();
    ++terminals_;
    if (demand.kind == Demand::Kind::Capability) {
      const auto& able = universe_.providers(demand.name);
      if (able.empty()) {
        add_line(name, version, sentence(_("needs {}; nothing in the catalog does"), needed));
        return;
      }
      NoBuild why{{}, true, {}};
      for (const catalog::Manifest* provider : able)
        append(why, provider->name, {});
      finish(name, version, needed, std::move(why));
      return;
    }
    if (universe_.is_removed(demand.name)) {
      add_line(name, version, sentence(_("needs {}, which is to be removed"), needed));
      return;
    }
    if (universe_.find(demand.name) == nullptr) {
      add_line(name, version, sentence(_("needs {}, which is not in the catalog"), needed));
      absent_ = demand.name;
      return;
    }
    NoBuild why{{}, true, {}};
    append(why, demand.name, demand);
    finish(name, version, needed, std::move(why));
  }

  void append(NoBuild& why, std::string_view module_name, const Demand& demand) const {
    const Module* module = universe_.find(module_name);
    if (module == nullptr)
      return;
    NoBuild one = why_no_build(*module, demand);
    why.by_policy = why.by_policy && one.by_policy;
    why.reasons.insert(why.reasons.end(), one.reasons.begin(), one.reasons.end());
    if (why.remedy.empty())
      why.remedy = one.remedy;
    if (why.denied.empty())  // of several providers one is enough
      why.denied = std::move(one.denied);
  }

  void finish(const std::string& name,
              const Version& version,
              const std::string& needed,
              NoBuild why) {
    if (remedy_.empty())
      remedy_ = why.remedy;
    if (why.by_policy && !why.reasons.empty()) {
      ++policy_terminals_;
      for (std::string& capability : why.denied) {
        if (std::find(denied_.begin(), denied_.end(), capability) == denied_.end())
          denied_.push_back(std::move(capability));
      }
    }
    add_line(name, version, sentence(_("needs {}"), needed), std::move(why.reasons));
  }

  void add_line(const std::string& module,
                const Version& version,
                const std::string& text,
                std::vector<Reason> followed_by = {}) {
    auto [found, added] = index_.emplace(std::make_pair(module, text), lines_.size());
    if (added)
      lines_.push_back({module, text, {}, std::move(followed_by)});
    std::vector<Version>& versions = lines_[found->second].versions;
    if (!version.empty() && std::find(versions.begin(), versions.end(), version) == versions.end())
      versions.push_back(version);
  }

  static std::string subject_of(Line& line) {
    if (line.versions.empty())
      return line.module;
    std::sort(line.versions.begin(), line.versions.end());
    if (line.versions.size() > 3)
      return sentence(
          _("{} {} to {}"), line.module, line.versions.front().text(), line.versions.back().text());
    std::vector<std::string> texts;
    for (const Version& version : line.versions)
      texts.push_back(version.text());
    return line.module + " " + text::join(texts, ", ");
  }

  void flush(std::vector<Reason>& reasons) {
    for (Line& line : lines_) {
      reasons.push_back({subject_of(line), line.text});
      for (Reason& reason : line.followed_by) {
        if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end())
          reasons.push_back(std::move(reason));
      }
    }
    keep_both_ends(reasons);
  }

  const Universe& universe_;
  const Formulation& formulation_;
  std::vector<Clash> clashes_;
  std::map<std::size_t, std::vector<const Clash*>> of_package_;
  std::vector<Line> lines_;
  std::map<std::pair<std::string, std::string>, std::size_t> index_;
  int terminals_ = 0, policy_terminals_ = 0;
  std::vector<std::string> denied_;
  std::string remedy_;  // of what a requirement ends at
  std::string absent_;  // what is needed and is not in the catalog
};

}  // namespace

Explanation explain_clash(const Request& request,
                          const Universe& universe,
                          const Formulation& formulation,
                          const std::vector<Clash>& clashes) {
  return ClashReport(universe, formulation, clashes).make(request);
}

std::string_view to_string(Explanation::Kind kind) {
  switch (kind) {
    case Explanation::Kind::UnknownName:
      return "unknown-name";
    case Explanation::Kind::PolicyDenied:
      return "policy-denied";
    case Explanation::Kind::Unsatisfiable:
      return "unsatisfiable";
  }
  return "unsatisfiable";
}

Error to_error(const Explanation& explanation) {
  ErrorKind kind = ErrorKind::Unsatisfiable;
  std::string message = _("cannot be done");
  switch (explanation.kind) {
    case Explanation::Kind::UnknownName:
      kind = ErrorKind::NotFound;
      // With a reason the name is known all the same: not installed, or no module but a capability.
      if (explanation.reasons.empty())
        message = _("unknown module");
      break;
    case Explanation::Kind::PolicyDenied:
      kind = ErrorKind::PolicyDenied;
      message = _("the policy denies it");
      break;
    case Explanation::Kind::Unsatisfiable:
      break;
  }
  std::vector<std::string> sentences;
  for (const Reason& reason : explanation.reasons) {
    // The error names what was wanted right before these sentences.
    const bool is_named = reason.subject.empty() || reason.subject == explanation.wanted;
    sentences.push_back(is_named ? reason.text : reason.subject + " " + reason.text);
  }
  Error error(kind, std::move(message), explanation.wanted);
  error.cause(text::join(sentences, ". "));
  std::vector<std::string> commands;
  for (const std::string& name : explanation.denied)
    commands.push_back("las override add " + name + " --reason \"...\"");
  const std::string overrides = text::join(commands, "; ");
  if (!explanation.suggestion.empty() && !overrides.empty())
    error.hint(
        sentence(_("try: {}; or, if you know better: {}"), explanation.suggestion, overrides));
  else if (!explanation.suggestion.empty())
    error.hint(sentence(_("try: {}"), explanation.suggestion));
  else if (!overrides.empty())
    error.hint(sentence(_("if you know better: {}"), overrides));
  return error;
}

}  // namespace las::resolve
