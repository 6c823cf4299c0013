// SPDX-License-Identifier: Apache-2.0
#include "las/app/models.hpp"

namespace las::app {

namespace {

model::ModelLibrary library(Session& session) {
  return {session.files(), session.clock(), session.layout(), session.store()};
}

// Models are outside the generations, but not outside the history.
template <typename Body>
void with_history(Session& session, const std::string& change, Body&& body) {
  state::OperationRecord operation;
  operation.id = session.options().operation_id;
  operation.command = session.command_line();
  operation.user = session.environment().user;
  operation.started_at = platform::to_iso8601(session.clock().now());
  operation.changes = {change};
  const auto record = [&](const std::string& outcome, const std::string& error) {
    operation.outcome = outcome;
    operation.error = error;
    operation.ended_at = platform::to_iso8601(session.clock().now());
    session.store().write([&](state::WriteTransaction& transaction) {
      operation.generation_before = operation.generation_after = transaction.current_generation();
      transaction.put_operation(operation);
    });
  };
  try {
    body();
  } catch (const Error& error) {
    record(error.kind() == ErrorKind::Interrupted ? "interrupted" : "failed", error.what());
    throw;
  }
  record("done", "");
}

}  // namespace

model::ModelLibrary::Import import_model(Session& session,
                                         const std::string& file,
                                         const std::string& name,
                                         const Activity& activity) {
  session.writer(activity);
  model::ModelLibrary::Import result;
  with_history(session, "import model " + (name.empty() ? file : name), [&] {
    result = library(session).import_file(std::filesystem::absolute(file), name, activity);
  });
  return result;
}

void remove_model(Session& session, const std::string& name, const Activity& activity) {
  session.writer(activity);
  with_history(session, "remove model " + name, [&] { library(session).remove(name, activity); });
}

std::vector<state::ModelRecord> models(Session& session) {
  std::vector<state::ModelRecord> all;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { all = transaction.models(); });
  return all;
}

}  // namespace las::app
