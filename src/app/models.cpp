// SPDX-License-Identifier: Apache-2.0
#include "las/app/models.hpp"

#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::app {

namespace {

model::ModelLibrary library(Session& session) {
  return {session.files(), session.clock(), session.layout(), session.store()};
}

// Models are outside the generations, but not outside the history.
template <typename Body>
void with_history(Session& session, const std::vector<std::string>& changes, Body&& body) {
  state::OperationRecord operation;
  // What this run has done before, in a transaction, belongs to the same line of history.
  session.store().read([&](const state::ReadTransaction& transaction) {
    operation =
        transaction.operation(session.options().operation_id).value_or(state::OperationRecord{});
  });
  const bool goes_on = !operation.id.empty();
  if (!goes_on) {
    operation.id = session.options().operation_id;
    operation.command = session.command_line();
    operation.user = session.environment().user;
    operation.started_at = platform::to_iso8601(session.clock().now());
  }
  operation.changes.insert(operation.changes.end(), changes.begin(), changes.end());
  const auto record = [&](const std::string& outcome, const std::string& error) {
    operation.outcome = outcome;
    operation.error = error;
    operation.ended_at = platform::to_iso8601(session.clock().now());
    session.store().write([&](state::WriteTransaction& transaction) {
      operation.generation_after = transaction.current_generation();
      if (!goes_on)
        operation.generation_before = operation.generation_after;
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
  const std::filesystem::path path = std::filesystem::absolute(file);
  const std::string chosen = library(session).check_import(path, name);
  session.writer(activity);
  model::ModelLibrary::Import result;
  with_history(session, {"import model " + chosen}, [&] {
    result = library(session).import_file(path, chosen, activity);
  });
  return result;
}

void import_models(Session& session,
                   const std::vector<ModelImport>& imports,
                   const Activity& activity) {
  session.writer(activity);
  std::vector<std::string> changes;
  for (const ModelImport& model : imports)
    changes.push_back("import model " + model.name);
  with_history(session, changes, [&] {
    std::vector<std::string> done;
    with_context(
        [&] {
          return done.empty()
                     ? _("no model was taken in before")
                     : fmt::format(fmt::runtime(_("taken in before: {}; the same command goes on "
                                                  "from there")),
                                   text::join(done, ", "));
        },
        [&] {
          for (const ModelImport& model : imports) {
            library(session).import_file(
                model.path,
                model.name,
                activity,
                model::ModelLibrary::Expectation{model.digest, model.source});
            done.push_back(model.name);
          }
        });
  });
}

void remove_model(Session& session, const std::string& name, const Activity& activity) {
  (void)model_named(session, name);
  session.writer(activity);
  with_history(session, {"remove model " + name}, [&] { library(session).remove(name, activity); });
}

std::vector<state::ModelRecord> models(Session& session) {
  std::vector<state::ModelRecord> all;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { all = transaction.models(); });
  return all;
}

state::ModelRecord model_named(Session& session, const std::string& name) {
  return library(session).get(name);
}

std::string import_again(Session& session, const state::ModelRecord& model) {
  const auto source = session.files().status(model.source);
  const bool is_there =
      source && source->kind == platform::FileKind::Regular && source->size == model.size.bytes();
  return fmt::format("las model import {} --name {}",
                     is_there ? text::shell_word(model.source) : "FILE",
                     model.name);
}

void require_model_file(Session& session, const std::string& name, const std::string& digest) {
  const auto parsed = Digest::parse(digest);
  if (name.empty() || !parsed)
    return;
  std::optional<state::ModelRecord> record;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { record = transaction.model(name); });
  // An older generation may serve what was forgotten, or imported anew under the same name.
  if (record && record->digest != *parsed)
    record.reset();
  const std::filesystem::path blob = library(session).blob_path(*parsed);
  const auto status = session.files().status(blob);
  if (status && (!record || status->size == record->size.bytes()))
    return;
  Error error(ErrorKind::CorruptState,
              status ? _("the model's file in the library is damaged")
                     : _("the model's file in the library is gone"),
              name);
  error.cause(blob.string());
  error.hint(fmt::format(fmt::runtime(_("make it whole with: {}")),
                         record ? import_again(session, *record)
                                : fmt::format("las model import FILE --name {}", name)));
  throw error;
}

}  // namespace las::app
