// SPDX-License-Identifier: Apache-2.0
// Steps 6 and 7: converge and prove, with the way back; and undo, for what stops before the commit.
#include "run_state.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/plan/order.hpp"
#include "las/service/unit.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

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

state::ServiceWish wish_of(const state::StateStore& store, const std::string& id) {
  state::ServiceWish wish{id, true, {}};
  store.read([&](const state::ReadTransaction& transaction) {
    wish = transaction.service_wish(id).value_or(wish);
  });
  return wish;
}

bool wished_running(const state::StateStore& store, const std::string& id) {
  return wish_of(store, id).running;
}

enum class Proven { No, Yes };

// What is wished of a service that is to run, and how it ought to be at the next boot.
void bring_up(const Surroundings& world,
              const state::ServiceInstance& service,
              bool at_boot,
              Proven proven,
              const Activity& activity) {
  world.supervisor.start(service, activity);
  if (!at_boot)
    world.supervisor.set_at_boot(service, false);
  else if (service::is_guarded_at_boot(service) && proven == Proven::Yes)
    world.supervisor.set_at_boot(service, true);
}

// The end of the operation; `erase` is the generation that it leaves behind as rejected.
void close(Run& run, std::optional<std::uint64_t> erase) {
  // The record that all is done must not outlive what was done.
  run.world.supervisor.sync();
  run.operation.ended_at = platform::to_iso8601(run.world.clock.now());
  run.world.store.write([&](state::WriteTransaction& transaction) {
    if (erase && transaction.generation(*erase))
      transaction.erase_generation(*erase);
    transaction.clear_journal();
    transaction.put_operation(run.operation);
  });
}

// A step whose failure must not keep the others from being done.
template <typename Step>
void report_failure(const Activity& activity, Step&& step) {
  try {
    step();
  } catch (const Error& error) {
    activity.warn("transaction", error.what());
  }
}

// Does every step, and those that failed once more: what the others removed may be what was missing
// (space, a port). What fails twice is reported, returned and left to verify.
std::vector<std::string> do_all(const std::vector<std::function<void()>>& steps,
                                const Activity& activity) {
  std::vector<std::function<void()>> failed;
  for (const auto& step : steps) {
    try {
      step();
    } catch (const Error& error) {
      activity.debug("transaction", fmt::format("to be tried again: {}", error.what()));
      failed.push_back(step);
    }
  }
  std::vector<std::string> left;
  for (const auto& step : failed) {
    try {
      step();
    } catch (const Error& error) {
      activity.warn("transaction", error.what());
      left.emplace_back(error.what());
    }
  }
  return left;
}

// Whether any generation that can still be switched to (all but `rejected`) uses the payload.
bool payload_in_use(const state::StateStore& store,
                    const std::string& store_name,
                    std::optional<std::uint64_t> rejected) {
  bool used = false;
  store.read([&](const state::ReadTransaction& transaction) {
    for (const std::uint64_t number : transaction.generation_numbers()) {
      if (rejected == number)
        continue;
      const auto generation = transaction.generation(number);
      used = used || std::any_of(generation->modules.begin(),
                                 generation->modules.end(),
                                 [&](const auto& m) { return m.store_name == store_name; });
    }
  });
  return used;
}

// Takes the payloads of this operation out of the store; a damaged one that was replaced is put
// back.
void remove_staged_payloads(const Run& run, std::optional<std::uint64_t> rejected) {
  platform::FileSystem& files = run.world.files;
  const fs::path store = run.world.layout.store();
  for (const std::string& payload : run.journal.staged_payloads) {
    const fs::path damaged = store / damaged_name(run, payload);
    if (files.exists(damaged)) {
      files.remove_tree(store / payload);
      files.rename(damaged, store / payload);
    } else if (!payload_in_use(run.world.store, payload, rejected)) {
      files.remove_tree(store / payload);
    }
  }
}

}  // namespace

void forget_health(state::StateStore& store, const std::string& id) {
  bool is_known = false;
  store.read([&](const state::ReadTransaction& transaction) {
    is_known = transaction.health(id).has_value();
  });
  if (is_known)
    store.write([&](state::WriteTransaction& transaction) { transaction.erase_health(id); });
}

bool service_changed(const state::Generation& from,
                     const state::Generation& to,
                     const state::ServiceInstance& service) {
  const state::ServiceInstance* before = from.find_service(service.id);
  if (before == nullptr)
    return true;
  // Packages of the distribution are replaced in their place: the command stays the same.
  const state::InstalledModule* old = from.find(before->module);
  const state::InstalledModule* now = to.find(service.module);
  if (old != nullptr && now != nullptr &&
      (old->version != now->version || old->delivered != now->delivered ||
       old->store_name != now->store_name))
    return true;
  // The unit's comment lines name the version of las; a newer las alone restarts nothing.
  state::ServiceInstance a = *before, b = service;
  a.unit_text = service::without_comments(a.unit_text);
  b.unit_text = service::without_comments(b.unit_text);
  return !(a == b);
}

std::string damaged_name(const Run& run, const std::string& store_name) {
  return store_name + ".damaged-" + run.journal.operation_id;
}

std::vector<const state::ServiceInstance*> in_start_order(const state::Generation& generation) {
  std::map<std::string, std::vector<std::string>> needs;
  for (const state::InstalledModule& module : generation.modules)
    needs[module.name] = module.requires_modules;
  std::vector<const state::ServiceInstance*> ordered;
  for (const std::string& module : plan::dependency_order(needs)) {
    for (const state::ServiceInstance& service : generation.services) {
      if (service.module == module)
        ordered.push_back(&service);
    }
  }
  return ordered;
}

void converge(const Surroundings& world,
              const state::Generation& from,
              const state::Generation& to,
              const std::function<void()>& between,
              bool mend,
              const Activity& activity) {
  const fs::path current = world.layout.current();
  if (to.number == 0)
    world.files.remove_file(current);
  else
    world.files.replace_symlink(current, fs::path("generations") / std::to_string(to.number));

  // Users before what they use.
  const auto old_ones = in_start_order(from);
  for (auto service = old_ones.rbegin(); service != old_ones.rend(); ++service) {
    if (to.find_service((*service)->id) != nullptr && service_changed(to, from, **service))
      world.supervisor.stop(**service, activity);
  }
  std::set<std::string> unchanged;
  for (const state::ServiceInstance& service : to.services) {
    if (!service_changed(from, to, service))
      unchanged.insert(service.id);
  }
  world.supervisor.install(to.services, mend ? std::set<std::string>{} : unchanged, activity);
  between();
  for (const state::ServiceInstance* service : in_start_order(to)) {
    const service::ServiceStatus now = world.supervisor.status(*service);
    const state::ServiceWish wish = wish_of(world.store, service->id);
    // One that runs and would not start at the next boot is started too, which enables it.
    const bool as_wished = now.enabled.value_or(wish.starts_at_boot()) == wish.starts_at_boot();
    if (!wish.running || (service::is_up(now.state) && as_wished))
      continue;
    // One that is not to start with the machine rests since the machine was started.
    if (!wish.starts_at_boot() && now.state == service::RunState::Stopped &&
        unchanged.contains(service->id))
      continue;
    if (!service::is_up(now.state))
      forget_health(world.store, service->id);
    if (!unchanged.contains(service->id)) {
      bring_up(world, *service, wish.starts_at_boot(), Proven::No, activity);
      continue;
    }
    report_failure(
        activity, [&] { bring_up(world, *service, wish.starts_at_boot(), Proven::Yes, activity); });
  }
  // What an interrupted stop left running, or half recorded.
  for (const state::ServiceInstance& service : to.services) {
    const service::ServiceStatus now = world.supervisor.status(service);
    const state::ServiceWish wish = wish_of(world.store, service.id);
    if (wish.running)
      continue;
    const bool enabled = now.enabled.value_or(false);
    if (service::is_up(now.state) || now.state == service::RunState::Failed ||
        (enabled && !wish.starts_at_boot()))
      report_failure(activity, [&] { world.supervisor.stop(service, activity); });
    if (wish.starts_at_boot())
      report_failure(activity, [&] { world.supervisor.set_at_boot(service, true); });
  }
}

namespace {

// One that was not there before is not there again when this has been taken back.
std::string see_output(const Surroundings& world,
                       const state::Generation& from,
                       const state::ServiceInstance& service) {
  return fmt::format(fmt::runtime(_("see its output with: {}")),
                     from.find_service(service.id) != nullptr
                         ? "las logs " + service.id
                         : world.supervisor.outside_log(service));
}

// A port that answers may be answered by somebody else, and a process that runs may be the old one.
void prove_image(const Surroundings& world,
                 const state::Generation& from,
                 const state::ServiceInstance& service) {
  if (const std::string other = world.supervisor.foreign_image(service); !other.empty())
    throw Error(ErrorKind::Io, _("another image runs in the place of the service"), service.id)
        .cause(other)
        .hint(see_output(world, from, service));
}

void prove_program(const Surroundings& world,
                   const state::Generation& from,
                   const state::Generation& to,
                   const state::ServiceInstance& service) {
  if (service.container)
    return prove_image(world, from, service);
  std::vector<fs::path> places;
  if (!service.argv.empty())
    places.emplace_back(service.argv.front());
  const state::InstalledModule* module = to.find(service.module);
  if (module != nullptr && !module->store_name.empty())
    places.push_back(world.layout.store() / module->store_name);
  const service::ServiceStatus status = world.supervisor.status(service);
  const std::string other = service::foreign_program(world.files, status.pid, places);
  if (!other.empty())
    throw Error(ErrorKind::Io, _("another program runs in the place of the service"), service.id)
        .cause(fmt::format(fmt::runtime(_("process {} runs {}")), status.pid, other))
        .hint(see_output(world, from, service));
}

}  // namespace

void prove(const Surroundings& world,
           const state::Generation& from,
           const state::Generation& to,
           const Activity& activity) {
  for (const state::ServiceInstance* one : in_start_order(to)) {
    const state::ServiceInstance& service = *one;
    if (!service_changed(from, to, service) || !wished_running(world.store, service.id))
      continue;
    const service::Health health =
        service::wait_until_ready(world.supervisor, world.fetcher, world.clock, service, activity);
    if (!health.ready)
      throw Error(ErrorKind::Io, _("the service did not become healthy"), service.id)
          .cause(health.reason)
          .hint(see_output(world, from, service));
    activity.debug(
        "transaction",
        fmt::format(
            "{} is healthy after {} ms: {}", service.id, health.waited.count(), health.reason));
    prove_program(world, from, to, service);
    if (service::is_guarded_at_boot(service) && wish_of(world.store, service.id).starts_at_boot())
      world.supervisor.set_at_boot(service, true);
  }
}

void finish(Run& run,
            const state::Generation& from,
            const state::Generation& to,
            const Activity& activity) {
  const Activity steady = without_interruption(activity);
  warn_of_contradictions(run.world, from, to, steady);
  std::optional<Error> unhealthy;
  try {
    timed(run, "converge", [&] {
      converge(
          run.world, from, to, [&] { move_data(run, steady); }, run.mend, steady);
    });
    timed(run, "prove", [&] { prove(run.world, from, to, activity); });
  } catch (Error& error) {
    if (from.number == to.number) {
      // A mend: there is nothing to go back to, and the next one goes on.
      run.operation.error = error.what();
      run.operation.outcome = "failed";
      close(run, std::nullopt);
      throw;
    }
    if (!run.journal.keep_unhealthy || error.kind() == ErrorKind::Interrupted) {
      activity.warn(
          "transaction",
          fmt::format(
              fmt::runtime(_("{}; going back to generation {}")), error.what(), from.number));
      run.operation.error = error.what();
      run.operation.outcome =
          error.kind() == ErrorKind::Interrupted ? "interrupted" : "rolled-back";
      error.left_behind(go_back(run, from, to, steady));
      error.rolled_back(true);
      throw;
    }
    activity.warn(
        "transaction",
        fmt::format(fmt::runtime(_("{}; kept all the same (--no-rollback)")), error.what()));
    unhealthy = error;
  }
  // Only now: until the proof, the way back still needed what the old generation stands on.
  report_failure(steady, [&] {
    undo_external(run.world, no_longer_wanted(from, to), still_wanted(to), Reach::Leaving, steady);
  });
  // The journal names the folders until all are gone, so that an interrupted run is finished by the
  // next; nothing uses them any more.
  std::vector<std::string> left;
  for (const std::string& folder : run.journal.purge) {
    try {
      purge_snapshots(run.world, folder);
      service::purge_data_of_users(
          run.world.files, run.world.processes, run.world.environment, folder, steady);
      // They were made for the data: what comes anew gets new ones.
      run.world.files.remove_tree(run.world.layout.secrets(fs::path(folder).filename()));
      activity.info("transaction", fmt::format(fmt::runtime(_("deleted {}")), folder));
    } catch (const Error& error) {
      activity.warn("transaction", error.what());
      left.push_back(folder);
    }
  }
  report_failure(steady, [&] {
    for (const std::string& payload : run.journal.staged_payloads) {
      const fs::path damaged = run.world.layout.store() / damaged_name(run, payload);
      if (run.world.files.exists(damaged))
        run.world.files.remove_tree(damaged);
    }
  });
  run.operation.outcome = "done";
  if (unhealthy) {
    run.operation.outcome = "unhealthy";
    run.operation.error = unhealthy->what();
  } else if (!left.empty()) {
    run.operation.outcome = "incomplete";
    run.operation.error = "not deleted: " + text::join(left, ", ");
  }
  close(run, std::nullopt);
  if (unhealthy)
    throw *unhealthy;
  if (!left.empty())
    throw Error(ErrorKind::Io, _("data could not be deleted; all else is done"), left.front())
        .hint(_("when the cause is mended, try again: las purge NAME"));
}

std::vector<std::string> go_back(Run& run,
                                 const state::Generation& from,
                                 const state::Generation& to,
                                 const Activity& activity) {
  const Surroundings& world = run.world;
  // In one write: from here on a crash continues the way back and never forward again.
  run.journal.phase = state::Phase::Returning;
  run.operation.generation_after = from.number;
  world.store.write([&](state::WriteTransaction& transaction) {
    for (const state::ServiceInstance& service : to.services) {
      transaction.erase_ports_of(service.id);
      transaction.erase_service_wish(service.id);
    }
    for (const state::ServiceInstance& service : from.services)
      put_ports(transaction, service);
    for (const state::ServiceWish& wish : run.journal.wishes)
      transaction.put_service_wish(wish);
    transaction.set_current_generation(from.number);
    transaction.put_journal(run.journal);
    transaction.put_operation(run.operation);
  });
  // One run of las may make a generation and mend it: the mend rejects nothing.
  const bool made_here = from.number != to.number && to.operation_id == run.journal.operation_id;
  const auto rejected = made_here ? std::optional(to.number) : std::nullopt;
  std::vector<std::string> left = do_all(
      {[&] {
         converge(
             world, to, from, [&] { move_data_back(run); }, false, activity);
       },
       [&] {
         undo_external(world, run.journal.external, still_wanted(from), Reach::All, activity);
       },
       [&] {
         if (made_here)
           world.files.remove_tree(world.layout.generation(to.number));
       },
       [&] { remove_staged_payloads(run, rejected); }},
      activity);
  // What is said to be as before is looked at first.
  if (left.empty()) {
    try {
      prove(world, to, from, activity);
    } catch (const Error& error) {
      activity.warn("transaction", error.what());
      left.emplace_back(error.what());
    }
  }
  if (!left.empty())
    run.operation.error += "; not taken back: " + text::join(left, "; ");
  close(run, rejected);
  return left;
}

void undo(Run& run, const Activity& activity) {
  const Surroundings& world = run.world;
  const Activity steady = without_interruption(activity);
  state::Generation present;
  world.store.read(
      [&](const state::ReadTransaction& transaction) { present = transaction.current(); });
  undo_external(world, run.journal.external, still_wanted(present), Reach::All, steady);
  world.files.remove_tree(world.layout.staging() / run.journal.operation_id);
  // A switch has an existing generation as its target: nothing was made, nothing is removed.
  bool made_here = true;
  world.store.read([&](const state::ReadTransaction& transaction) {
    made_here = !transaction.generation(run.journal.to_generation).has_value();
  });
  if (made_here)
    world.files.remove_tree(world.layout.generation(run.journal.to_generation));
  remove_staged_payloads(run, std::nullopt);
  run.operation.generation_after = run.operation.generation_before;
  close(run, std::nullopt);
}

}  // namespace las::transaction
