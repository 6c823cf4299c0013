// SPDX-License-Identifier: Apache-2.0
#include "las/app/history.hpp"

#include "planning.hpp"

#include "las/app/install.hpp"
#include "las/app/verify.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

namespace {

// A generation knows which modules need which, not in which versions: the catalog does, as far as
// it still has the releases that are installed.
void check_ranges(Session& session, plan::Undo& undo, const Activity& activity) {
  const catalog::Catalog& catalog = session.catalog(activity);
  for (const state::InstalledModule& module : undo.result.modules) {
    const auto manifest = catalog.find(module.name);
    if (!manifest)
      continue;
    const catalog::Release* release = manifest->find_release(Version(module.version));
    const catalog::Dependencies& needs = release != nullptr && release->dependencies
                                             ? *release->dependencies
                                             : manifest->dependencies;
    for (const catalog::ModuleDependency& dependency : needs.modules) {
      const state::InstalledModule* other = undo.result.find(dependency.name);
      if (other != nullptr && !dependency.range.contains(Version(other->version)))
        undo.obstacles.push_back(fmt::format(fmt::runtime(_("{} {} needs {} {}, not {}")),
                                             module.name,
                                             module.version,
                                             dependency.name,
                                             dependency.range.to_string(),
                                             other->version));
    }
  }
}

}  // namespace

state::OperationRecord operation_named(Session& session, const std::string& id) {
  std::vector<std::string> begin_so;
  std::optional<state::OperationRecord> found;
  session.store().read([&](const state::ReadTransaction& state) {
    begin_so.clear();
    found = state.operation(id);
    if (found || id.empty())
      return;
    for (std::string& other : state.operation_ids()) {
      if (other.starts_with(id))
        begin_so.push_back(std::move(other));
    }
    if (begin_so.size() == 1)
      found = state.operation(begin_so.front());
  });
  if (begin_so.size() > 1)
    throw Error(ErrorKind::Usage, _("several operations begin so"), id)
        .hint(fmt::format("{}, {}", begin_so[0], begin_so[1]));
  if (!found)
    throw Error(ErrorKind::NotFound, _("no such operation"), id)
        .hint(_("see what was done with: las history"));
  return *std::move(found);
}

state::Generation generation_numbered(Session& session, std::uint64_t number) {
  std::optional<state::Generation> generation;
  session.store().read(
      [&](const state::ReadTransaction& state) { generation = state.generation(number); });
  if (!generation)
    throw Error(ErrorKind::NotFound, _("no such generation"), std::to_string(number))
        .hint(_("see the generations with: las history"));
  return *generation;
}

namespace {

state::Generation still_there(Session& session,
                              std::uint64_t number,
                              const state::OperationRecord& operation) {
  try {
    return generation_numbered(session, number);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::NotFound)
      throw;
    throw Error(ErrorKind::NotFound, _("its generations were collected (las gc)"), operation.id)
        .hint(fmt::format(fmt::runtime(_("see what it did with: las log {}")), operation.id));
  }
}

}  // namespace

PreparedUndo prepare_undo(Session& session, const std::string& id, const Activity& activity) {
  PreparedUndo prepared;
  prepared.operation = operation_named(session, id);
  const std::uint64_t from = prepared.operation.generation_before,
                      to = prepared.operation.generation_after;
  if (from == to)
    throw Error(
        ErrorKind::Usage, _("this operation made no other generation"), prepared.operation.id)
        .hint(fmt::format(fmt::runtime(_("see what it did with: las log {}")),
                          prepared.operation.id));
  const state::Generation present = current_generation(session);
  prepared.base_generation = present.number;
  prepared.undo = plan::undo(present,
                             still_there(session, from, prepared.operation),
                             still_there(session, to, prepared.operation));
  if (prepared.undo.obstacles.empty())
    check_ranges(session, prepared.undo, activity);
  if (!prepared.undo.obstacles.empty())
    throw Error(ErrorKind::Unsatisfiable, _("it cannot be taken back alone"), prepared.operation.id)
        .cause(text::join(prepared.undo.obstacles, "; "))
        .hint(fmt::format(
            fmt::runtime(_("take the later ones back first, or all of them: las rollback {}")),
            from));
  for (const state::DataMove& move :
       transaction::data_moves(session.surroundings(activity), present, prepared.undo.result))
    prepared.irreversible.push_back(describe(move));
  return prepared;
}

transaction::Result execute(Session& session,
                            const PreparedUndo& prepared,
                            const Activity& activity) {
  transaction::Transactor& transactor = writer_that_looks(session, activity);
  check_base(session, prepared.base_generation);
  std::vector<std::string> changes = {"undo " + prepared.operation.id};
  for (std::string& line : plan::describe(prepared.undo.change))
    changes.push_back(std::move(line));
  return transactor.adopt(prepared.undo.result, changes, session.command_line(), activity);
}

}  // namespace las::app
