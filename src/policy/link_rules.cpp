// SPDX-License-Identifier: Apache-2.0
// What rules say about each other: names, `replaces`, `extends`.
#include "drafts.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::policy {

namespace {

std::string place_of(const Rule& rule) {
  return fmt::format("{}:{}", rule.file, rule.line);
}

void add_missing(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& name : from) {
    if (std::find(to.begin(), to.end(), name) == to.end())
      to.push_back(name);
  }
}

class Linker {
 public:
  Linker(std::vector<Draft>& drafts, Diagnostics& diagnostics)
      : drafts_(drafts),
        diagnostics_(diagnostics),
        replaced_by_(drafts.size()),
        extended_(drafts.size(), State::Not) {}

  std::vector<Rule> run() {
    for (Draft& draft : drafts_)
      replace(draft);
    find_duplicates();
    for (std::size_t i = 0; i < drafts_.size(); ++i)
      extend(i);
    std::vector<Rule> rules;
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      Draft& draft = drafts_[i];
      check(draft);
      if (!draft.faulty && replaced_by_[i] == nullptr)
        rules.push_back(std::move(draft.rule));
    }
    return rules;
  }

 private:
  enum class State { Not, Begun, Done };

  void fault(Draft& draft, const char* key, std::string message, std::string suggestion = {}) {
    draft.node[key].fault(std::move(message), std::move(suggestion));
    draft.faulty = true;
  }

  void unknown_name(Draft& draft, const char* key, const std::string& name) {
    std::vector<std::string> names;
    for (const Draft& other : drafts_) {
      if (&other != &draft &&
          (std::string_view(key) == "extends" || other.rule.layer == Layer::Shipped))
        names.push_back(other.rule.name);
    }
    const std::string nearest = nearest_name(name, names);
    fault(draft,
          key,
          fmt::format(fmt::runtime(_("there is no rule '{}'")), name),
          nearest.empty() ? std::string()
                          : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  }

  void replace(Draft& draft) {
    const std::string& name = draft.rule.replaces;
    if (name.empty())
      return;
    const auto named = [&](const Draft& other, bool shipped) {
      return &other != &draft && other.rule.name == name &&
             (other.rule.layer == Layer::Shipped) == shipped;
    };
    if (draft.rule.layer == Layer::Shipped) {
      fault(draft, "replaces", _("only a rule of this site can replace another"));
      return;
    }
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      if (!named(drafts_[i], true))
        continue;
      if (replaced_by_[i] != nullptr)
        fault(draft,
              "replaces",
              fmt::format(fmt::runtime(_("the rule '{}' is replaced already, in {}")),
                          name,
                          place_of(replaced_by_[i]->rule)));
      else
        replaced_by_[i] = &draft;
      return;
    }
    if (std::any_of(
            drafts_.begin(), drafts_.end(), [&](const Draft& d) { return named(d, false); }))
      fault(draft,
            "replaces",
            fmt::format(fmt::runtime(_("'{}' is a rule of this site as well: change it there")),
                        name));
    else
      unknown_name(draft, "replaces", name);
  }

  void find_duplicates() {
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      Draft& draft = drafts_[i];
      if (draft.rule.name.empty() || replaced_by_[i] != nullptr)
        continue;
      for (std::size_t j = 0; j < i; ++j) {
        const Rule& first = drafts_[j].rule;
        if (first.name != draft.rule.name || replaced_by_[j] != nullptr)
          continue;
        const bool over = first.layer == Layer::Shipped && draft.rule.layer == Layer::Site;
        const std::string twice =
            first.file == draft.rule.file
                ? fmt::format(fmt::runtime(_("there are two rules named '{}'")), first.name)
                : fmt::format(fmt::runtime(_("there are two rules named '{}', the other in {}")),
                              first.name,
                              place_of(first));
        fault(draft,
              "name",
              twice,
              over ? fmt::format(fmt::runtime(_("to put it in the other's place, add 'replaces: "
                                                "{}'")),
                                 first.name)
                   : std::string());
        break;
      }
    }
  }

  // A rule in force comes before a replaced one of the same name: others extend what is in force,
  // and a replacement may extend what it replaces.
  std::optional<std::size_t> base_of(std::size_t index) const {
    std::optional<std::size_t> replaced;
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      if (i == index || drafts_[i].rule.name != drafts_[index].rule.extends)
        continue;
      if (replaced_by_[i] == nullptr)
        return i;
      if (!replaced)
        replaced = i;
    }
    return replaced;
  }

  void extend(std::size_t index) {
    Draft& draft = drafts_[index];
    if (extended_[index] != State::Not || draft.rule.extends.empty())
      return;
    const auto base = base_of(index);
    if (!base) {
      extended_[index] = State::Done;
      if (draft.rule.extends == draft.rule.name)
        fault(draft, "extends", _("a rule cannot extend itself"));
      else
        unknown_name(draft, "extends", draft.rule.extends);
      return;
    }
    extended_[index] = State::Begun;
    way_.push_back(index);
    if (extended_[*base] == State::Begun)
      tell_circle(*base);
    else
      extend(*base);
    way_.pop_back();
    extended_[index] = State::Done;
    if (drafts_[*base].faulty)
      draft.faulty = true;  // what is wrong was told where it stands
    else
      take_over(drafts_[*base].rule, draft.rule);
  }

  void tell_circle(std::size_t first) {
    const auto start = std::find(way_.begin(), way_.end(), first);
    std::vector<std::string> names;
    for (auto i = start; i != way_.end(); ++i) {
      names.push_back(drafts_[*i].rule.name);
      drafts_[*i].faulty = true;
    }
    names.push_back(drafts_[first].rule.name);
    fault(drafts_[way_.back()],
          "extends",
          fmt::format(fmt::runtime(_("'extends' goes round in a circle: {}")),
                      text::join(names, " -> ")));
  }

  static void take_over(const Rule& base, Rule& rule) {
    rule.conditions.children.insert(rule.conditions.children.begin(),
                                    base.conditions.children.begin(),
                                    base.conditions.children.end());
    add_missing(rule.allow_runtimes, base.allow_runtimes);
    add_missing(rule.allow_features, base.allow_features);
    add_missing(rule.deny, base.deny);
    add_missing(rule.instead, base.instead);
    if (!rule.max_model_billions)
      rule.max_model_billions = base.max_model_billions;
  }

  // Also of a rule with other faults: all of them are told in one run.
  void check(Draft& draft) {
    for (const std::string& name : draft.rule.deny) {
      if (std::find(draft.rule.allow_runtimes.begin(), draft.rule.allow_runtimes.end(), name) !=
              draft.rule.allow_runtimes.end() ||
          std::find(draft.rule.allow_features.begin(), draft.rule.allow_features.end(), name) !=
              draft.rule.allow_features.end())
        fault(draft,
              draft.node["deny"].present() ? "deny" : "extends",
              fmt::format(fmt::runtime(_("the rule both allows and denies '{}'")), name));
    }
    if (find_contradictions(draft.rule.conditions, diagnostics_))
      draft.faulty = true;
  }

  std::vector<Draft>& drafts_;
  Diagnostics& diagnostics_;
  std::vector<const Draft*> replaced_by_;
  std::vector<State> extended_;
  std::vector<std::size_t> way_;
};

}  // namespace

std::vector<Rule> link(std::vector<Draft>& drafts, Diagnostics& diagnostics) {
  return Linker(drafts, diagnostics).run();
}

}  // namespace las::policy
