// SPDX-License-Identifier: Apache-2.0
// What users say against what las generates, when the latter changes.
#include "run_state.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/service/overrides.hpp"
#include "las/service/unit.hpp"

#include <fmt/format.h>

namespace las::transaction {

namespace fs = std::filesystem;

namespace {

std::string on_one_line(const std::string& value) {
  return value.empty() ? std::string(_("nothing")) : text::join(text::lines(value), " | ");
}

void warn_of(const fs::path& file,
             const service::Contradiction& found,
             const std::string& service,
             const Activity& activity) {
  activity.warn("transaction",
                fmt::format(fmt::runtime(_("{}: {} was {} and is now {}; your drop-in {} says {}, "
                                           "and that holds")),
                            service,
                            found.directive,
                            on_one_line(found.before),
                            on_one_line(found.now),
                            file.string(),
                            on_one_line(found.users)));
}

void warn_of_unit(const Surroundings& world,
                  const std::string& unit,
                  const std::string& before,
                  const std::string& now,
                  const std::string& service,
                  const Activity& activity) {
  for (const std::string& folder_name : service::drop_in_folders_of(unit)) {
    const fs::path folder = world.layout.units / folder_name;
    if (!world.files.exists(folder))
      continue;
    for (const std::string& name : world.files.list_directory(folder)) {
      const auto drop_in = world.files.try_read(folder / name);
      if (!name.ends_with(".conf") || !drop_in)
        continue;
      for (const service::Contradiction& found : service::contradictions(before, now, *drop_in))
        warn_of(folder / name, found, service, activity);
    }
  }
}

}  // namespace

void warn_of_contradictions(const Surroundings& world,
                            const state::Generation& present,
                            const state::Generation& next,
                            const Activity& activity) {
  for (const state::ServiceInstance& service : next.services) {
    const state::ServiceInstance* before = present.find_service(service.id);
    if (before == nullptr)
      continue;
    const auto old = service::units_of(*before);
    for (const auto& [unit, text] : service::units_of(service)) {
      const auto was = old.find(unit);
      if (was != old.end() && was->second != text)
        warn_of_unit(world, unit, was->second, text, service.id, activity);
    }
  }
}

}  // namespace las::transaction
