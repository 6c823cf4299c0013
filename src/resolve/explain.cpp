// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"

#include "sentence.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

namespace las::resolve {

namespace {

// Which installed modules lose something they need, in the order in which they lose it.
std::vector<const Module*> broken_modules(const Universe& universe) {
  std::map<std::string_view, std::vector<const Module*>> users;
  std::deque<const Module*> to_check;
  for (const Module* module : universe.modules()) {
    if (module->installed == nullptr)
      continue;
    to_check.push_back(module);
    for (const std::string& needed : module->installed->requires_modules)
      users[needed].push_back(module);
  }
  std::set<std::string_view> broken;
  std::vector<const Module*> order;
  const auto alive = [&](std::string_view name) {
    const Module* module = universe.find(name);
    return module != nullptr && module->installed != nullptr && broken.count(module->name) == 0;
  };
  const auto met = [&](const Demand& demand) {
    if (demand.kind == Demand::Kind::Module)
      return alive(demand.name);
    const auto& able = universe.providers(demand.name);
    return std::any_of(
        able.begin(), able.end(), [&](const auto* manifest) { return alive(manifest->name); });
  };
  while (!to_check.empty()) {
    const Module* module = to_check.front();
    to_check.pop_front();
    if (broken.count(module->name) > 0)
      continue;
    const std::vector<Demand> demands = universe.requirements(*module, *module->installed_build());
    if (std::all_of(demands.begin(), demands.end(), met))
      continue;
    broken.insert(module->name);
    order.push_back(module);
    for (const Module* user : users[module->name])
      to_check.push_back(user);
  }
  return order;
}

}  // namespace

void keep_both_ends(std::vector<Explanation::Reason>& reasons) {
  constexpr std::size_t kHead = 6, kTail = 5;
  if (reasons.size() <= kHead + 1 + kTail)
    return;
  const std::size_t hidden = reasons.size() - kHead - kTail;
  const auto first = reasons.begin() + static_cast<std::ptrdiff_t>(kHead);
  reasons.erase(first + 1, reasons.end() - static_cast<std::ptrdiff_t>(kTail));
  reasons[kHead] = {
      "…", fmt::format(fmt::runtime(LAS_N("{} step more", "{} steps more", hidden)), hidden)};
}

Explanation explain_dependents(const Request& request, const Universe& universe) {
  Explanation explanation;
  explanation.wanted = text::join(request.remove, ", ");
  std::set<std::string_view> gone(request.remove.begin(), request.remove.end());
  std::vector<std::string> users;
  for (const Module* module : broken_modules(universe)) {
    for (const std::string& needed : module->installed->requires_modules) {
      if (gone.count(needed) > 0)
        explanation.reasons.push_back(
            {module->name + " " + module->installed->version, sentence(_("needs {}"), needed)});
    }
    gone.insert(module->name);
    if (module->wanted_by_user())
      users.push_back(module->name);
  }
  keep_both_ends(explanation.reasons);
  std::sort(users.begin(), users.end());
  if (!users.empty())
    explanation.suggestion =
        "las remove " + text::join(request.remove, " ") + " " + text::join(users, " ");
  return explanation;
}

std::vector<Wish> alternatives(const Request& request,
                               const Explanation& explanation,
                               const Universe& universe) {
  constexpr std::size_t kMost = 8;
  std::vector<Wish> wishes;
  const auto wanted =
      std::find_if(request.install.begin(), request.install.end(), [&](const Wish& wish) {
        return wish.name == explanation.wanted;
      });
  if (wanted == request.install.end() || explanation.kind == Explanation::Kind::UnknownName)
    return wishes;
  if (!wanted->variant.empty() || !wanted->mode.empty())
    wishes.push_back({wanted->name, wanted->range, {}, {}});
  if (!wanted->range.any())
    wishes.push_back({wanted->name, {}, {}, {}});
  const catalog::Manifest* manifest = universe.world().catalog.find(wanted->name);
  if (manifest == nullptr)
    return wishes;
  std::map<std::string, int> shared;  // capabilities in common, by module
  for (const std::string& capability : manifest->provides) {
    for (const catalog::Manifest* other : universe.providers(capability)) {
      if (other->name != manifest->name && !other->deprecated &&
          universe.world().installed.find(other->name) == nullptr)
        ++shared[other->name];
    }
  }
  std::vector<std::pair<std::string, int>> ranked(shared.begin(), shared.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.second > b.second;
  });
  for (const auto& [name, count] : ranked) {
    if (wishes.size() < kMost)
      wishes.push_back({name, {}, {}, {}});
  }
  return wishes;
}

}  // namespace las::resolve
