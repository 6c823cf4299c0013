// SPDX-License-Identifier: Apache-2.0
#include "las/transaction/transaction.hpp"

#include "run_state.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::transaction {

namespace {

Run begin(const Surroundings& world, const std::string& command) {
  const auto now = world.clock.now();
  Run run{world, {}, {}};
  run.journal.operation_id = world.operation_id;
  run.journal.command = command;
  run.journal.started_at = platform::to_iso8601(now);
  run.journal.boot_id = world.environment.boot_id;
  run.operation.id = run.journal.operation_id;
  run.operation.command = command;
  run.operation.user = world.environment.user;
  run.operation.sudo_user = world.environment.get("SUDO_USER").value_or("");
  run.operation.started_at = run.journal.started_at;
  run.operation.outcome = "running";
  return run;
}

void put_journal(state::WriteTransaction& transaction,
                 Run& run,
                 std::optional<std::uint64_t> target) {
  run.journal.from_generation = transaction.current_generation();
  run.journal.to_generation = target ? *target : transaction.next_generation_number();
  run.operation.generation_before = run.journal.from_generation;
  run.operation.generation_after = run.journal.from_generation;
  run.journal.wishes.clear();
  for (const state::ServiceInstance& service : transaction.current().services) {
    if (const auto wish = transaction.service_wish(service.id))
      run.journal.wishes.push_back(*wish);
  }
  transaction.put_journal(run.journal);
  transaction.put_operation(run.operation);
}

// What this run did before (models it took in) belongs to the same line of history.
void join_history(Run& run) {
  std::optional<state::OperationRecord> before;
  run.world.store.read([&](const state::ReadTransaction& transaction) {
    before = transaction.operation(run.operation.id);
  });
  if (!before)
    return;
  run.operation.started_at = before->started_at;
  run.operation.changes.insert(
      run.operation.changes.begin(), before->changes.begin(), before->changes.end());
}

// The journal entry is the first durable thing, so that a crash at any later point is found.
void open_journal(Run& run, std::optional<std::uint64_t> target) {
  join_history(run);
  run.world.store.write(
      [&](state::WriteTransaction& transaction) { put_journal(transaction, run, target); });
}

state::Generation current(const state::StateStore& store) {
  state::Generation present;
  store.read([&](const state::ReadTransaction& transaction) { present = transaction.current(); });
  return present;
}

state::Generation load_generation(const state::StateStore& store, std::uint64_t number) {
  std::optional<state::Generation> generation;
  store.read([&](const state::ReadTransaction& transaction) {
    generation = transaction.generation(number);
  });
  if (!generation)
    throw Error(ErrorKind::NotFound, _("no such generation"), std::to_string(number))
        .hint(_("see the generations with: las history"));
  return *generation;
}

// What stops before the commit point: recorded, and everything taken back.
void fail(Run& run, const Error& error, const Activity& activity) {
  run.operation.error = error.what();
  run.operation.outcome = error.kind() == ErrorKind::Interrupted ? "interrupted" : "failed";
  undo(run, activity);
}

// What lay outside the store was taken away when its generation was left; it cannot be switched
// back to, only installed again.
void check_external(const Surroundings& world,
                    const state::Generation& target,
                    const Activity& activity) {
  for (const state::InstalledModule& module : target.modules) {
    for (const state::ExternalChange& change : module.external) {
      source::ExternalKind* kind = external_kind(world, change.kind);
      if (kind == nullptr || kind->verify_external(change.wanted, activity).empty())
        continue;
      throw Error(ErrorKind::CorruptState,
                  _("what this generation needs of the system is no longer there"),
                  module.name)
          .hint(fmt::format(fmt::runtime(_("install it again: las install {}")), module.name));
    }
  }
}

void check_payloads(const Surroundings& world, const state::Generation& target) {
  const auto missing = missing_payloads(target, world.files, world.layout);
  if (!missing.empty())
    throw Error(
        ErrorKind::CorruptState,
        fmt::format(fmt::runtime(_("generation {} needs a payload that is not in the store")),
                    target.number),
        text::join(missing, ", "))
        .hint(_("install the module again: las install NAME"));
}

// What makes no generation (a collection) has no journal: it can stop anywhere, and is only never
// to be shown as running.
std::optional<std::string> close_unjournaled(const Surroundings& world) {
  std::optional<state::OperationRecord> last;
  world.store.read([&](const state::ReadTransaction& state) { last = state.last_operation(); });
  if (!last || last->outcome != "running" || last->id == world.operation_id)
    return std::nullopt;
  last->outcome = "interrupted";
  last->error = "stopped on its way; what it had done stays done";
  world.store.write(
      [&](state::WriteTransaction& transaction) { transaction.put_operation(*last); });
  return fmt::format(fmt::runtime(_("an earlier run ({}) was interrupted")), last->command);
}

Result result_of(const Run& run) {
  return {run.operation.id, run.operation.generation_before, run.operation.generation_after};
}

}  // namespace

void record(Run& run) {
  run.world.store.write([&](state::WriteTransaction& transaction) {
    transaction.put_journal(run.journal);
    transaction.put_operation(run.operation);
  });
}

Result Transactor::run(const plan::Plan& plan,
                       const std::string& command,
                       const Activity& activity,
                       const RunOptions& options) {
  const state::Generation present = current(surroundings_.store);
  std::vector<state::DataMove> moves = preflight(surroundings_, present, plan);
  Run run = begin(surroundings_, command);
  for (const plan::PlannedAction& action : plan.actions)
    run.operation.changes.push_back(plan::summary(action));
  run.journal.purge = plan.purge;
  run.journal.data = std::move(moves);
  run.journal.keep_unhealthy = options.keep_unhealthy;
  for (std::string& change : plan::world_changes(present.world, plan))
    run.operation.changes.push_back(std::move(change));
  for (const std::string& folder : plan.purge)
    run.operation.changes.push_back("purge " + folder);
  open_journal(run, std::nullopt);

  state::Generation next;
  try {
    const std::uint64_t fetched_before = surroundings_.fetcher.received();
    const std::vector<state::InstalledModule> staged =
        timed(run, "stage", [&] { return stage_modules(run, plan, activity); });
    run.operation.fetched = ByteSize(surroundings_.fetcher.received() - fetched_before);
    next = next_generation(run, present, plan, staged);
    activity.cancellation.throw_if_requested();
    std::vector<std::string> start;
    for (const plan::PlannedAction& action : plan.actions) {
      if (action.action == plan::Action::Deploy)
        start.push_back(action.subject);
    }
    timed(run, "commit", [&] {
      write_generation_folder(surroundings_, next);
      activity.cancellation.throw_if_requested();
      commit(run, next, start);
    });
  } catch (const Error& error) {
    fail(run, error, activity);
    throw;
  }
  finish(run, present, next, activity);
  return result_of(run);
}

Result Transactor::switch_to(std::uint64_t number,
                             const std::string& command,
                             const Activity& activity) {
  const state::Generation target = load_generation(surroundings_.store, number);
  check_payloads(surroundings_, target);
  const state::Generation present = current(surroundings_.store);
  Run run = begin(surroundings_, command);
  run.operation.changes.push_back(fmt::format("switch to generation {}", number));
  run.journal.data = data_moves(surroundings_, present, target);
  run.mend = number == present.number;
  try {
    check_external(surroundings_, target, activity);
    activity.cancellation.throw_if_requested();
  } catch (const Error& error) {
    open_journal(run, number);
    fail(run, error, activity);
    throw;
  }
  // All of it is there, and nothing has to be undone before the commit: the journal begins with it.
  join_history(run);
  timed(run, "commit", [&] {
    surroundings_.store.write([&](state::WriteTransaction& transaction) {
      put_journal(transaction, run, number);
      put_commit(transaction, run, target, {});
    });
  });
  finish(run, present, target, activity);
  return result_of(run);
}

Result Transactor::adopt(state::Generation generation,
                         const std::vector<std::string>& changes,
                         const std::string& command,
                         const Activity& activity) {
  check_payloads(surroundings_, generation);
  const state::Generation present = current(surroundings_.store);
  Run run = begin(surroundings_, command);
  run.operation.changes = changes;
  run.journal.data = data_moves(surroundings_, present, generation);
  open_journal(run, std::nullopt);
  try {
    check_external(surroundings_, generation, activity);
    activity.cancellation.throw_if_requested();
    timed(run, "commit", [&] {
      generation.number = run.journal.to_generation;
      generation.parent = present.number;
      generation.created_at = run.journal.started_at;
      generation.operation_id = run.journal.operation_id;
      generation.command = run.journal.command;
      hand_over_external(surroundings_, present, generation);
      rebuild_services(surroundings_, present, generation);
      write_generation_folder(surroundings_, generation);
      commit(run, generation);
    });
  } catch (const Error& error) {
    fail(run, error, activity);
    throw;
  }
  finish(run, present, generation, activity);
  return result_of(run);
}

void Transactor::converge_again(const std::string& command, const Activity& activity) {
  const state::Generation present = current(surroundings_.store);
  Run run = begin(surroundings_, command);
  run.mend = true;
  run.operation.changes.push_back(fmt::format("mend generation {}", present.number));
  open_journal(run, present.number);
  try {
    if (present.number != 0)
      write_generation_folder(surroundings_, present);
    commit(run, present);
  } catch (const Error& error) {
    fail(run, error, activity);
    throw;
  }
  finish(run, present, present, activity);
}

std::optional<std::string> Transactor::recover(const Activity& activity) {
  std::optional<state::Journal> journal;
  surroundings_.store.read(
      [&](const state::ReadTransaction& transaction) { journal = transaction.journal(); });
  for (const auto& folder : {surroundings_.layout.state,
                             surroundings_.layout.run / "services",
                             surroundings_.layout.units})
    platform::sweep_temporaries(surroundings_.files, folder);
  surroundings_.supervisor.settle();
  if (!journal)
    return close_unjournaled(surroundings_);

  Run run{surroundings_, *journal, {}};
  surroundings_.store.read([&](const state::ReadTransaction& transaction) {
    run.operation = transaction.operation(journal->operation_id).value_or(state::OperationRecord{});
  });
  if (run.operation.id.empty()) {
    run.operation.id = journal->operation_id;
    run.operation.command = journal->command;
    run.operation.started_at = journal->started_at;
  }

  const bool mending = journal->from_generation == journal->to_generation;
  if (mending) {
    // Its folder may be half written; doing it again is all that is needed.
    const state::Generation present = load_generation(surroundings_.store, journal->to_generation);
    run.mend = true;
    if (present.number != 0)
      write_generation_folder(surroundings_, present);
    commit(run, present);
  }
  if (run.journal.phase < state::Phase::Committed) {
    run.operation.outcome = "interrupted";
    run.operation.error = "stopped before the commit; undone by the next run";
    undo(run, activity);
    return fmt::format(fmt::runtime(_("an interrupted run ({}) was undone")), journal->command);
  }
  const state::Generation from = load_generation(surroundings_.store, journal->from_generation);
  if (run.journal.phase == state::Phase::Returning) {
    // The rejected generation may be erased already.
    state::Generation rejected;
    surroundings_.store.read([&](const state::ReadTransaction& transaction) {
      rejected = transaction.generation(journal->to_generation).value_or(state::Generation{});
    });
    run.operation.outcome = "rolled-back";
    go_back(run, from, rejected, activity);
    return fmt::format(fmt::runtime(_("an interrupted way back ({}) was finished")),
                       journal->command);
  }
  const state::Generation to = load_generation(surroundings_.store, journal->to_generation);
  try {
    finish(run, from, to, activity);
  } catch (const Error& error) {
    // Rejected and taken back: that settles it, and what the user asked for now can go on.
    if (!error.was_rolled_back())
      throw;
    return fmt::format(fmt::runtime(_("an interrupted run ({}) was taken back: {}")),
                       journal->command,
                       error.what());
  }
  return fmt::format(fmt::runtime(_("an interrupted run ({}) was finished")), journal->command);
}

}  // namespace las::transaction
