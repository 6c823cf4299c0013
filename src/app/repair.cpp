// SPDX-License-Identifier: Apache-2.0
#include "las/app/install.hpp"
#include "las/app/models.hpp"
#include "las/app/verify.hpp"
#include "las/base/i18n.hpp"
#include "las/service/unit.hpp"
#include "las/transaction/garbage.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

std::set<std::string> subjects(const std::vector<Finding>& findings, Mend by) {
  std::set<std::string> out;
  for (const Finding& finding : findings) {
    if (finding.by == by)
      out.insert(finding.subject);
  }
  return out;
}

bool any(const std::vector<Finding>& findings, Mend by) {
  return std::any_of(
      findings.begin(), findings.end(), [&](const Finding& finding) { return finding.by == by; });
}

// Why something could not be mended is told, and keeps nothing else from being tried.
template <typename Step>
void attempt(const Activity& activity, Step&& step) {
  try {
    step();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Interrupted)
      throw;
    activity.warn("app", error.what());
  }
}

void reinstall(Session& session, const std::set<std::string>& modules, const Activity& activity) {
  ChangeRequest request;
  request.install.assign(modules.begin(), modules.end());
  request.reinstall = true;
  const PreparedPlan prepared = prepare_change(session, request, activity);
  session.writer(activity).run(prepared.plan, session.command_line(), activity);
}

// The edits are the user's work: they are kept where they can be taken over into a drop-in.
void save_edited_units(Session& session,
                       const std::vector<Finding>& findings,
                       std::vector<std::string>& notes) {
  for (const Finding& finding : findings) {
    if (finding.id != "unit-edited")
      continue;
    const fs::path unit = finding.evidence;
    if (!session.files().exists(unit))
      continue;
    const std::string name = unit.filename().string();
    const fs::path folder = session.layout().state / "saved-units";
    const fs::path copy = folder / (name + "." + session.options().operation_id);
    session.files().make_directories(folder);
    session.files().replace_file(copy, session.files().read_file(unit));
    notes.push_back(fmt::format(
        fmt::runtime(_("{} as it was edited is kept in {}; what las never changes is a drop-in: "
                       "systemctl edit {}")),
        name,
        copy.string(),
        name));
  }
}

void import_again(Session& session, const std::set<std::string>& names, const Activity& activity) {
  for (const std::string& name : names) {
    attempt(activity, [&] {
      std::optional<state::ModelRecord> record;
      session.store().read(
          [&](const state::ReadTransaction& state) { record = state.model(name); });
      if (!record || !session.files().exists(record->source))
        return;
      // A damaged blob would be taken for the content that its name says.
      session.files().remove_file(session.layout().model_blob(record->digest));
      import_model(session, record->source, name, activity);
    });
  }
}

void close_state(Session& session) {
  const auto status = session.files().status(session.layout().state);
  constexpr std::uint32_t kOthersMayWrite = 0022;
  if (status)
    session.files().set_mode(session.layout().state, status->mode & ~kOthersMayWrite);
}

void collect_leftovers(Session& session,
                       const std::vector<Finding>& findings,
                       const Activity& activity) {
  const transaction::Surroundings world = session.surroundings(activity);
  std::vector<transaction::Garbage> wanted = transaction::survey_garbage(world, {}).garbage;
  std::erase_if(wanted, [&](const transaction::Garbage& garbage) {
    return std::none_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      return finding.by == Mend::Collect && finding.evidence == garbage.path.string();
    });
  });
  transaction::collect_garbage(world, {}, wanted, session.command_line(), activity);
}

// Together with what its transactions wrote: not every mend is one.
void record_mended(Session& session, const std::vector<Finding>& mended) {
  if (mended.empty())
    return;
  session.store().write([&](state::WriteTransaction& state) {
    const std::string& id = session.options().operation_id;
    state::OperationRecord operation = state.operation(id).value_or(state::OperationRecord{});
    if (operation.id.empty()) {
      operation.id = id;
      operation.command = session.command_line();
      operation.user = session.environment().user;
      operation.started_at = platform::to_iso8601(session.clock().now());
      operation.outcome = "done";
      operation.generation_before = operation.generation_after = state.current_generation();
    }
    for (const Finding& finding : mended)
      operation.changes.push_back("mended " + finding.id + " " + finding.subject);
    operation.ended_at = platform::to_iso8601(session.clock().now());
    state.put_operation(operation);
  });
}

}  // namespace

transaction::Transactor& writer_that_looks(Session& session,
                                           const Activity& activity,
                                           const std::vector<std::string>& expected) {
  transaction::Transactor& transactor = session.writer(activity);
  for (const Finding& finding : verify(session, {}, Depth::Glance, activity)) {
    if (std::find(expected.begin(), expected.end(), finding.subject) != expected.end())
      continue;
    activity.warn(
        "app",
        fmt::format(fmt::runtime(_("{}: {}; mend it with: {}")),
                    finding.subject.empty() ? finding.id : finding.id + " " + finding.subject,
                    finding.evidence,
                    finding.mend));
  }
  return transactor;
}

RepairResult repair(Session& session, const std::vector<Finding>& shown, const Activity& activity) {
  RepairResult result;
  transaction::Transactor& transactor = session.writer(activity);
  // Recovering what an interrupted run left may have brought damage back that it had begun to mend.
  std::vector<Finding> findings = verify(session, {}, Depth::Deeply, activity);
  if (any(findings, Mend::CloseState))
    attempt(activity, [&] { close_state(session); });
  save_edited_units(session, findings, result.notes);
  if (const auto names = subjects(findings, Mend::Import); !names.empty())
    import_again(session, names, activity);
  if (const auto modules = subjects(findings, Mend::Reinstall); !modules.empty())
    attempt(activity, [&] { reinstall(session, modules, activity); });
  if (any(findings, Mend::Converge))
    attempt(activity, [&] { transactor.converge_again(session.command_line(), activity); });
  if (any(findings, Mend::Collect))
    attempt(activity, [&] { collect_leftovers(session, findings, activity); });

  result.left = verify(session, {}, Depth::Deeply, activity);
  findings.insert(findings.end(), shown.begin(), shown.end());
  for (const Finding& finding : findings) {
    const bool still =
        std::any_of(result.left.begin(), result.left.end(), [&](const Finding& other) {
          return other.id == finding.id && other.subject == finding.subject;
        });
    const bool told =
        std::any_of(result.mended.begin(), result.mended.end(), [&](const Finding& other) {
          return other.id == finding.id && other.subject == finding.subject;
        });
    if (!still && !told)
      result.mended.push_back(finding);
  }
  record_mended(session, result.mended);
  return result;
}

}  // namespace las::app
