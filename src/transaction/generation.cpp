// SPDX-License-Identifier: Apache-2.0
// Steps 4 and 5: the next generation as a value, as a folder, and as the current one.
#include "run_state.hpp"

#include "las/service/unit.hpp"

#include <algorithm>
#include <set>

namespace las::transaction {

namespace fs = std::filesystem;

namespace {

template <typename Items, typename Key>
void erase_where(Items& items, Key&& matches) {
  items.erase(std::remove_if(items.begin(), items.end(), matches), items.end());
}

void apply(state::Generation& generation,
           const plan::PlannedAction& action,
           const std::vector<state::InstalledModule>& staged) {
  switch (action.action) {
    case plan::Action::Install:
    case plan::Action::Upgrade:
    case plan::Action::Downgrade:
    case plan::Action::Reinstall: {
      std::vector<state::ExternalChange> before;
      if (const state::InstalledModule* old = generation.find(action.subject))
        before = old->external;
      erase_where(generation.modules, [&](const auto& m) { return m.name == action.subject; });
      const auto found = std::find_if(
          staged.begin(), staged.end(), [&](const auto& m) { return m.name == action.subject; });
      if (found == staged.end())
        break;
      state::InstalledModule module = *found;
      // What an earlier version brought is still this module's to take away.
      for (const state::ExternalChange& change : before) {
        if (std::find(module.external.begin(), module.external.end(), change) ==
            module.external.end())
          module.external.push_back(change);
      }
      generation.modules.push_back(std::move(module));
      break;
    }
    case plan::Action::Remove:
      erase_where(generation.modules, [&](const auto& m) { return m.name == action.subject; });
      break;
    case plan::Action::Deploy:
      erase_where(generation.services, [&](const auto& s) { return s.id == action.subject; });
      if (action.service)
        generation.services.push_back(*action.service);
      break;
    case plan::Action::Undeploy:
      erase_where(generation.services, [&](const auto& s) { return s.id == action.subject; });
      break;
  }
}

}  // namespace

state::Generation next_generation(const Run& run,
                                  const state::Generation& present,
                                  const plan::Plan& plan,
                                  const std::vector<state::InstalledModule>& staged) {
  state::Generation next = present;
  next.number = run.journal.to_generation;
  next.parent = present.number;
  next.created_at = run.journal.started_at;
  next.operation_id = run.journal.operation_id;
  next.command = run.journal.command;
  next.world = plan.world;
  for (const plan::PlannedAction& action : plan.actions)
    apply(next, action, staged);
  // A dependency that was asked for since is the user's own; one that is only held is not.
  for (state::InstalledModule& module : next.modules) {
    if (const auto found = plan.requirements.find(module.name); found != plan.requirements.end())
      module.requires_modules = found->second;
    if (std::any_of(next.world.begin(), next.world.end(), [&](const auto& wish) {
          return wish.wished && wish.module == module.name;
        }))
      module.reason = state::Reason::User;
  }
  for (const auto& [name, reason] : plan.reasons) {
    for (state::InstalledModule& module : next.modules) {
      if (module.name == name)
        module.reason = reason;
    }
  }
  hand_over_external(run.world, present, next);
  rebuild_services(run.world, present, next);
  std::sort(next.modules.begin(), next.modules.end(), [](const auto& a, const auto& b) {
    return a.name < b.name;
  });
  std::sort(next.services.begin(), next.services.end(), [](const auto& a, const auto& b) {
    return a.id < b.id;
  });
  return next;
}

void rebuild_services(const Surroundings& world,
                      const state::Generation& present,
                      state::Generation& next) {
  for (state::ServiceInstance& service : next.services) {
    const state::InstalledModule* before = present.find(service.module);
    const state::InstalledModule* now = next.find(service.module);
    if (now != nullptr && (before == nullptr || !(*before == *now)))
      service = world.rebuild_service(service, *now);
  }
}

void write_generation_folder(const Surroundings& world, const state::Generation& generation) {
  const fs::path folder = world.layout.generation(generation.number);
  world.files.remove_tree(folder);
  world.files.make_directories(folder / "bin");
  world.files.make_directories(folder / "units");
  std::set<std::string> taken;
  for (const state::InstalledModule& module : generation.modules) {
    for (const auto& [name, path] : module.executables) {
      if (taken.insert(name).second)
        world.files.create_symlink(folder / "bin" / name, path);
    }
  }
  for (const state::ServiceInstance& service : generation.services) {
    if (service.unit_text.empty())
      continue;  // the process supervisor needs none
    world.files.replace_file(folder / "units" / service::unit_name(service.id), service.unit_text);
  }
  for (const state::ServiceInstance& service : generation.services) {
    for (const auto& [name, text] : service.more_units)
      world.files.replace_file(folder / "units" / name, text);
    if (!service.config.empty())
      world.files.make_directories(folder / "services" / service.id);
    for (const auto& [name, text] : service.config)
      world.files.replace_file(folder / "services" / service.id / name, text);
  }
  world.files.replace_file(folder / "generation.json", state::to_json(generation) + "\n");
  world.files.sync_tree(folder);
}

void put_ports(state::WriteTransaction& transaction, const state::ServiceInstance& service) {
  transaction.put_port({service.port, service.id});
  if (service.on_demand)
    transaction.put_port({service.on_demand->inner_port, service.id});
}

void put_commit(state::WriteTransaction& transaction,
                Run& run,
                const state::Generation& generation,
                const std::vector<std::string>& start) {
  run.journal.phase = state::Phase::Committed;
  run.operation.generation_after = generation.number;
  if (generation.number != 0)
    transaction.put_generation(generation);
  const state::Generation before = transaction.current();
  for (const state::ServiceInstance& service : before.services) {
    transaction.erase_ports_of(service.id);
    if (generation.find_service(service.id) == nullptr)
      transaction.erase_service_wish(service.id);
  }
  for (const state::ServiceInstance& service : generation.services) {
    put_ports(transaction, service);
    // What has to be moved first is recorded when it is.
    const state::InstalledModule* module = generation.find(service.module);
    const bool moves = std::any_of(run.journal.data.begin(), run.journal.data.end(), [&](auto& m) {
      return m.snapshot.service == service.id;
    });
    if (module != nullptr && !moves && !service.data_directory.empty())
      transaction.put_data({service.id, module->name, module->version, module->data_format});
    // A service that merely stays, changed or not, keeps its user's wish.
    const bool wanted = std::find(start.begin(), start.end(), service.id) != start.end();
    if (wanted || before.find_service(service.id) == nullptr)
      transaction.put_service_wish({service.id, true, {}});
  }
  transaction.set_current_generation(generation.number);
  transaction.put_journal(run.journal);
  transaction.put_operation(run.operation);
}

void commit(Run& run, const state::Generation& generation, const std::vector<std::string>& start) {
  run.world.store.write([&](state::WriteTransaction& transaction) {
    put_commit(transaction, run, generation, start);
  });
}

std::vector<std::string> missing_payloads(const state::Generation& generation,
                                          const platform::FileReader& files,
                                          const platform::Layout& layout) {
  std::vector<std::string> missing;
  for (const state::InstalledModule& module : generation.modules) {
    if (!module.store_name.empty() && !files.exists(layout.store() / module.store_name))
      missing.push_back(module.store_name);
  }
  return missing;
}

}  // namespace las::transaction
