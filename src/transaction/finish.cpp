// SPDX-License-Identifier: Apache-2.0
// Steps 6 and 7: converge and prove, with the way back; and undo, for what stops before the commit.
#include "run_state.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::transaction {

namespace fs = std::filesystem;

namespace {

// Past the commit point stopping half-way is worse than finishing: a signal is looked at between
// whole attempts only.
const Cancellation& never() {
  static const Cancellation cancellation;
  return cancellation;
}

Activity without_interruption(const Activity& activity) {
  return {activity.reporter, never()};
}

bool wished_running(const state::StateStore& store, const std::string& id) {
  bool running = true;
  store.read([&](const state::ReadTransaction& transaction) {
    if (const auto wish = transaction.service_wish(id))
      running = wish->running;
  });
  return running;
}

std::string without_comments(const std::string& unit) {
  std::string out;
  for (const std::string& line : text::lines(unit)) {
    if (!line.starts_with('#'))
      out += line + "\n";
  }
  return out;
}

bool is_up(service::RunState state) {
  return state == service::RunState::Running || state == service::RunState::Starting;
}

void close(Run& run, const std::string& outcome) {
  run.operation.outcome = outcome;
  run.operation.ended_at = platform::to_iso8601(run.world.clock.now());
  run.world.store.write([&](state::WriteTransaction& transaction) {
    transaction.clear_journal();
    transaction.put_operation(run.operation);
  });
}

// Whether any generation that can still be switched to uses the payload.
bool payload_in_use(const state::StateStore& store, const std::string& store_name) {
  bool used = false;
  store.read([&](const state::ReadTransaction& transaction) {
    for (const std::uint64_t number : transaction.generation_numbers()) {
      const auto generation = transaction.generation(number);
      used = used || std::any_of(generation->modules.begin(),
                                 generation->modules.end(),
                                 [&](const auto& m) { return m.store_name == store_name; });
    }
  });
  return used;
}

void undo_external(const Surroundings& world,
                   const std::vector<state::ExternalChange>& changes,
                   const std::vector<state::ExternalChange>& kept,
                   const Activity& activity) {
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    const auto kind = world.sources.find(change->kind);
    if (kind == world.sources.end())
      continue;
    std::vector<std::string> wanted_by_others;
    for (const state::ExternalChange& other : kept) {
      if (other.kind == change->kind)
        wanted_by_others.push_back(other.wanted);
    }
    kind->second->undo_external(change->before, change->wanted, wanted_by_others, activity);
  }
}

std::vector<state::ExternalChange> still_wanted(const state::Generation& generation) {
  std::vector<state::ExternalChange> changes;
  for (const state::InstalledModule& module : generation.modules)
    changes.insert(changes.end(), module.external.begin(), module.external.end());
  return changes;
}

}  // namespace

bool service_changed(const state::Generation& from, const state::ServiceInstance& service) {
  const state::ServiceInstance* before = from.find_service(service.id);
  if (before == nullptr)
    return true;
  // The unit's comment lines name the version of las; a newer las alone restarts nothing.
  state::ServiceInstance a = *before, b = service;
  a.unit_text = without_comments(a.unit_text);
  b.unit_text = without_comments(b.unit_text);
  return !(a == b);
}

void converge(const Surroundings& world,
              const state::Generation& from,
              const state::Generation& to,
              const Activity& activity) {
  const fs::path current = world.layout.current();
  if (to.number == 0)
    world.files.remove_file(current);
  else
    world.files.replace_symlink(current, fs::path("generations") / std::to_string(to.number));

  for (const state::ServiceInstance& service : from.services) {
    if (to.find_service(service.id) != nullptr && service_changed(to, service))
      world.supervisor.stop(service, activity);
  }
  world.supervisor.install(to.services, activity);
  for (const state::ServiceInstance& service : to.services) {
    if (wished_running(world.store, service.id) && !is_up(world.supervisor.status(service).state))
      world.supervisor.start(service, activity);
  }
  for (const state::InstalledModule& module : from.modules) {
    const state::InstalledModule* kept = to.find(module.name);
    if (!module.external.empty() && (kept == nullptr || kept->external.empty()))
      undo_external(world, module.external, still_wanted(to), activity);
  }
}

void prove(const Surroundings& world,
           const state::Generation& from,
           const state::Generation& to,
           const Activity& activity) {
  for (const state::ServiceInstance& service : to.services) {
    if (!service_changed(from, service) || !wished_running(world.store, service.id))
      continue;
    const service::Health health =
        service::wait_until_ready(world.supervisor, world.fetcher, world.clock, service, activity);
    if (!health.ready)
      throw Error(ErrorKind::Io, _("the service did not become healthy"), service.id)
          .cause(health.reason)
          .hint(fmt::format(fmt::runtime(_("see its output with: las logs {}")), service.id));
    activity.debug(
        "transaction",
        fmt::format(
            "{} is healthy after {} ms: {}", service.id, health.waited.count(), health.reason));
  }
}

void finish(Run& run,
            const state::Generation& from,
            const state::Generation& to,
            const Activity& activity) {
  const Activity steady = without_interruption(activity);
  try {
    converge(run.world, from, to, steady);
    prove(run.world, from, to, activity);
  } catch (Error& error) {
    activity.warn(
        "transaction",
        fmt::format(fmt::runtime(_("{}; going back to generation {}")), error.what(), from.number));
    run.operation.error = error.what();
    run.operation.generation_after = from.number;
    // The pointer goes back first, so that a crash from here on converges to the old generation.
    std::swap(run.journal.from_generation, run.journal.to_generation);
    commit(run, from);
    converge(run.world, to, from, steady);
    if (to.number > from.number) {
      run.world.store.write(
          [&](state::WriteTransaction& transaction) { transaction.erase_generation(to.number); });
      run.world.files.remove_tree(run.world.layout.generation(to.number));
      for (const std::string& payload : run.journal.staged_payloads) {
        if (!payload_in_use(run.world.store, payload))
          run.world.files.remove_tree(run.world.layout.store() / payload);
      }
    }
    close(run, error.kind() == ErrorKind::Interrupted ? "interrupted" : "rolled-back");
    error.rolled_back(true);
    throw;
  }
  close(run, "done");
}

void undo(Run& run, const Activity& activity) {
  const Surroundings& world = run.world;
  const Activity steady = without_interruption(activity);
  state::Generation present;
  world.store.read(
      [&](const state::ReadTransaction& transaction) { present = transaction.current(); });
  undo_external(world, run.journal.external, still_wanted(present), steady);
  world.files.remove_tree(world.layout.staging() / run.journal.operation_id);
  // A switch has an existing generation as its target: nothing was made, nothing is removed.
  bool made_here = true;
  world.store.read([&](const state::ReadTransaction& transaction) {
    made_here = !transaction.generation(run.journal.to_generation).has_value();
  });
  if (made_here)
    world.files.remove_tree(world.layout.generation(run.journal.to_generation));
  for (const std::string& payload : run.journal.staged_payloads) {
    if (!payload_in_use(world.store, payload))
      world.files.remove_tree(world.layout.store() / payload);
  }
  close(run, run.operation.outcome);
}

}  // namespace las::transaction
