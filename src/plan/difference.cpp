// SPDX-License-Identifier: Apache-2.0
#include "las/plan/difference.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace las::plan {

namespace {

const std::string& name_of(const state::InstalledModule& module) {
  return module.name;
}

const std::string& name_of(const state::ServiceInstance& service) {
  return service.id;
}

const std::string& name_of(const state::WorldEntry& wish) {
  return wish.module;
}

bool same(const state::InstalledModule& a, const state::InstalledModule& b) {
  state::InstalledModule left = a, right = b;
  left.installed_at = right.installed_at = {};
  left.pinned_now = right.pinned_now = false;
  return left == right;
}

bool same(const state::ServiceInstance& a, const state::ServiceInstance& b) {
  return a == b;
}

bool same(const state::WorldEntry& a, const state::WorldEntry& b) {
  return a == b;
}

template <typename Record>
const Record* find(const std::vector<Record>& records, const std::string& name) {
  const auto found = std::find_if(records.begin(), records.end(), [&](const Record& record) {
    return name_of(record) == name;
  });
  return found == records.end() ? nullptr : &*found;
}

template <typename Record>
std::vector<Changed<Record>> changed(const std::vector<Record>& before,
                                     const std::vector<Record>& after) {
  std::map<std::string, Changed<Record>> by_name;
  for (const Record& record : before)
    by_name[name_of(record)].before = record;
  for (const Record& record : after)
    by_name[name_of(record)].after = record;
  std::vector<Changed<Record>> out;
  for (auto& [name, change] : by_name) {
    if (change.before && change.after && same(*change.before, *change.after))
      continue;
    change.name = name;
    out.push_back(std::move(change));
  }
  return out;
}

// Puts `wanted` in the place of the record of that name, or takes the record away.
template <typename Record>
void put(std::vector<Record>& records,
         const std::string& name,
         const std::optional<Record>& wanted) {
  std::erase_if(records, [&](const Record& record) { return name_of(record) == name; });
  if (!wanted)
    return;
  const auto place = std::find_if(
      records.begin(), records.end(), [&](const Record& record) { return name_of(record) > name; });
  records.insert(place, *wanted);
}

// What is the same thing as far as taking a change back goes: a reason or a need may have changed
// since, by what other modules came and went.
bool untouched(const state::InstalledModule& a, const state::InstalledModule& b) {
  return a.version == b.version && a.variant == b.variant && a.mode == b.mode &&
         a.store_name == b.store_name && a.delivered == b.delivered;
}

bool untouched(const state::ServiceInstance& a, const state::ServiceInstance& b) {
  return a == b;
}

bool untouched(const state::WorldEntry& a, const state::WorldEntry& b) {
  return a == b;
}

std::string words(const state::InstalledModule& module) {
  return module.variant.empty() ? module.version
                                : fmt::format("{} ({})", module.version, module.variant);
}

std::string words(const state::ServiceInstance& service) {
  return service.model.empty() ? service.module
                               : fmt::format("{} {}", service.module, service.model);
}

std::string words(const state::WorldEntry& wish) {
  std::string text = wish.wished ? _("wished for") : _("not wished for");
  for (const std::string& part : {wish.range, wish.variant, wish.mode}) {
    if (!part.empty())
      text += " " + part;
  }
  return wish.held ? text + ", " + _("held") : text;
}

template <typename Record>
std::string words(const std::optional<Record>& record) {
  return record ? words(*record) : std::string("-");
}

// What tells two records apart whose words are the same.
std::string finer(const state::InstalledModule& module) {
  return module.store_name.empty() ? module.delivered : module.store_name;
}

std::string finer(const state::ServiceInstance& service) {
  return fmt::format("{}:{} {}", service.host, service.port, text::join(service.argv, " "));
}

std::string finer(const state::WorldEntry&) {
  return {};
}

template <typename Record>
std::string sides(const std::optional<Record>& before, const std::optional<Record>& after) {
  const std::string left = words(before), right = words(after);
  if (left != right || !before || !after)
    return fmt::format("{} -> {}", left, right);
  const std::string was = finer(*before), is = finer(*after);
  return was == is ? fmt::format(fmt::runtime(_("{}, made anew")), left)
                   : fmt::format("{} ({} -> {})", left, was, is);
}

template <typename Record>
void take_back(std::vector<Record>& records, const Changed<Record>& change, Undo& undo) {
  const Record* now = find(records, change.name);
  const bool as_before =
      change.before ? now != nullptr && untouched(*now, *change.before) : now == nullptr;
  if (as_before)
    return;
  const bool as_left =
      change.after ? now != nullptr && untouched(*now, *change.after) : now == nullptr;
  if (!as_left) {
    undo.obstacles.push_back(
        fmt::format(fmt::runtime(_("{} was changed again since: it was left as {} and is {} now")),
                    change.name,
                    words(change.after),
                    now == nullptr ? std::string("-") : words(*now)));
    return;
  }
  put(records, change.name, change.before);
}

}  // namespace

Difference difference(const state::Generation& before, const state::Generation& after) {
  return {changed(before.modules, after.modules),
          changed(before.services, after.services),
          changed(before.world, after.world)};
}

std::vector<std::string> describe(const Difference& difference) {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& kind, const auto& changes) {
    for (const auto& change : changes)
      lines.push_back(
          fmt::format("{} {}: {}", kind, change.name, sides(change.before, change.after)));
  };
  add(_("module"), difference.modules);
  add(_("service"), difference.services);
  add(_("wish"), difference.world);
  return lines;
}

Undo undo(const state::Generation& present,
          const state::Generation& before,
          const state::Generation& after) {
  Undo undo;
  undo.result = present;
  const Difference taken = difference(before, after);
  for (const auto& change : taken.modules)
    take_back(undo.result.modules, change, undo);
  for (const auto& change : taken.services)
    take_back(undo.result.services, change, undo);
  for (const auto& change : taken.world)
    take_back(undo.result.world, change, undo);
  for (const state::InstalledModule& module : undo.result.modules) {
    for (const std::string& needed : module.requires_modules) {
      if (undo.result.find(needed) == nullptr)
        undo.obstacles.push_back(fmt::format(fmt::runtime(_("{} needs {}")), module.name, needed));
    }
  }
  for (const state::ServiceInstance& service : undo.result.services) {
    if (undo.result.find(service.module) == nullptr)
      undo.obstacles.push_back(
          fmt::format(fmt::runtime(_("service {} runs {}")), service.id, service.module));
  }
  undo.change = difference(present, undo.result);
  return undo;
}

}  // namespace las::plan
