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
  run.operation.started_at = run.journal.started_at;
  run.operation.outcome = "running";
  return run;
}

// The journal entry is the first durable thing, so that a crash at any later point is found.
void open_journal(Run& run, std::optional<std::uint64_t> target) {
  std::vector<std::string> earlier;  // read once, although the body may run twice
  run.world.store.write([&](state::WriteTransaction& transaction) {
    run.journal.from_generation = transaction.current_generation();
    run.journal.to_generation = target ? *target : transaction.next_generation_number();
    // What this run did before (models it took in) belongs to the same line of history.
    if (const auto before = transaction.operation(run.operation.id); before && earlier.empty()) {
      earlier = before->changes;
      run.operation.started_at = before->started_at;
      run.operation.changes.insert(run.operation.changes.begin(), earlier.begin(), earlier.end());
    }
    run.operation.generation_before = run.journal.from_generation;
    run.operation.generation_after = run.journal.from_generation;
    run.journal.wishes.clear();
    for (const state::ServiceInstance& service : transaction.current().services) {
      if (const auto wish = transaction.service_wish(service.id))
        run.journal.wishes.push_back(*wish);
    }
    transaction.put_journal(run.journal);
    transaction.put_operation(run.operation);
  });
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
      const auto kind = world.sources.find(change.kind);
      if (kind == world.sources.end() ||
          kind->second->verify_external(change.wanted, activity).empty())
        continue;
      throw Error(ErrorKind::CorruptState,
                  _("packages that this generation needs are no longer installed"),
                  module.name)
          .hint(fmt::format(fmt::runtime(_("install it again: las install {}")), module.name));
    }
  }
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
                       const Activity& activity) {
  check_free_space(surroundings_, plan);
  Run run = begin(surroundings_, command);
  for (const plan::PlannedAction& action : plan.actions)
    run.operation.changes.push_back(plan::summary(action));
  run.journal.purge = plan.purge;
  state::Generation present;
  surroundings_.store.read(
      [&](const state::ReadTransaction& transaction) { present = transaction.current(); });
  for (std::string& change : plan::world_changes(present.world, plan))
    run.operation.changes.push_back(std::move(change));
  for (const std::string& folder : plan.purge)
    run.operation.changes.push_back("purge " + folder);
  open_journal(run, std::nullopt);

  state::Generation next;
  try {
    const std::vector<state::InstalledModule> staged = stage_modules(run, plan, activity);
    next = next_generation(run, present, plan, staged);
    write_generation_folder(surroundings_, next);
    activity.cancellation.throw_if_requested();
    std::vector<std::string> start;
    for (const plan::PlannedAction& action : plan.actions) {
      if (action.action == plan::Action::Deploy)
        start.push_back(action.subject);
    }
    commit(run, next, start);
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
  const auto missing = missing_payloads(target, surroundings_.files, surroundings_.layout);
  if (!missing.empty())
    throw Error(
        ErrorKind::CorruptState,
        fmt::format(fmt::runtime(_("generation {} needs a payload that is not in the store")),
                    number),
        text::join(missing, ", "))
        .hint(_("install the module again: las install NAME"));

  Run run = begin(surroundings_, command);
  run.operation.changes.push_back(fmt::format("switch to generation {}", number));
  open_journal(run, number);
  const state::Generation present =
      load_generation(surroundings_.store, run.journal.from_generation);
  try {
    check_external(surroundings_, target, activity);
    activity.cancellation.throw_if_requested();
    commit(run, target);
  } catch (const Error& error) {
    fail(run, error, activity);
    throw;
  }
  finish(run, present, target, activity);
  return result_of(run);
}

std::optional<std::string> Transactor::recover(const Activity& activity) {
  std::optional<state::Journal> journal;
  surroundings_.store.read(
      [&](const state::ReadTransaction& transaction) { journal = transaction.journal(); });
  if (!journal)
    return std::nullopt;

  Run run{surroundings_, *journal, {}};
  surroundings_.store.read([&](const state::ReadTransaction& transaction) {
    run.operation = transaction.operation(journal->operation_id).value_or(state::OperationRecord{});
  });
  if (run.operation.id.empty()) {
    run.operation.id = journal->operation_id;
    run.operation.command = journal->command;
    run.operation.started_at = journal->started_at;
  }

  if (journal->phase < state::Phase::Committed) {
    run.operation.outcome = "interrupted";
    run.operation.error = "stopped before the commit; undone by the next run";
    undo(run, activity);
    return fmt::format(fmt::runtime(_("an interrupted run ({}) was undone")), journal->command);
  }
  const state::Generation from = load_generation(surroundings_.store, journal->from_generation);
  if (journal->phase == state::Phase::Returning) {
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
