// SPDX-License-Identifier: Apache-2.0
#include "las/app/registries.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/registry/copy.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

constexpr const char* kBuiltIn = "built-in";
constexpr const char* kLocal = "local";

registry::Surroundings surroundings(Session& session) {
  return {session.files(),
          session.fetcher(),
          session.clock(),
          session.layout().registries(),
          session.layout().cache / "registries"};
}

std::optional<state::RegistryRecord> find_registry(Session& session, const std::string& name) {
  std::optional<state::RegistryRecord> found;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { found = transaction.registry(name); });
  return found;
}

state::RegistryRecord get_registry(Session& session, const std::string& name) {
  if (auto found = find_registry(session, name))
    return *std::move(found);
  std::vector<std::string> names;
  for (const state::RegistryRecord& record : remote_registries(session))
    names.push_back(record.name);
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorKind::NotFound, _("no such registry was added"), name)
      .hint(nearest.empty() ? _("see them with: las registry list")
                            : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
}

// Who trusts whom is kept in the history, in the same breath as the change.
void note_in_history(Session& session,
                     state::WriteTransaction& transaction,
                     const std::string& change) {
  state::OperationRecord operation;
  operation.id = session.options().operation_id;
  operation.command = session.command_line();
  operation.user = session.environment().user;
  operation.started_at = operation.ended_at = platform::to_iso8601(session.clock().now());
  operation.outcome = "done";
  operation.generation_before = operation.generation_after = transaction.current_generation();
  if (const auto earlier = transaction.operation(operation.id))
    operation.changes = earlier->changes;
  operation.changes.push_back(change);
  transaction.put_operation(operation);
}

// From here on the new snapshot counts.
void commit(Session& session, const state::RegistryRecord& record, const std::string& change) {
  session.store().write([&](state::WriteTransaction& transaction) {
    transaction.put_registry(record);
    if (!change.empty())
      note_in_history(session, transaction, change);
  });
  registry::sweep(session.files(), session.layout().registries(), record);
}

std::string id_of(const std::string& key) {
  const auto parsed = registry::parse_public_key(key);
  return parsed ? registry::to_string(parsed->id) : std::string("?");
}

void check_name(const std::string& name) {
  if (!text::is_name(name) || name == kBuiltIn || name == kLocal)
    throw Error(ErrorKind::Usage, _("not a name for a registry"), name)
        .hint(_("small letters, digits, and . _ + - between them; not built-in or local"));
}

template <typename Body>
decltype(auto) about(const std::string& name, Body&& body) {
  return with_context([&] { return fmt::format(fmt::runtime(_("getting the registry {}")), name); },
                      std::forward<Body>(body));
}

}  // namespace

std::vector<state::RegistryRecord> remote_registries(Session& session) {
  std::vector<state::RegistryRecord> records;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { records = transaction.registries(); });
  return records;
}

std::vector<catalog::Registry> catalog_folders(Session& session) {
  std::vector<catalog::Registry> folders = {{kBuiltIn, session.data_directory() / "manifests"}};
  for (const state::RegistryRecord& record : remote_registries(session)) {
    const fs::path folder = registry::snapshot_folder(session.layout().registries(), record);
    if (!folder.empty())
      folders.push_back({record.name, folder, record.snapshot});
  }
  folders.push_back({kLocal, session.layout().config / "manifests.d"});
  for (const std::string& folder : session.config().list("registries"))
    folders.push_back({folder, folder});
  return folders;
}

void warn_about_registries(Session& session, const Activity& activity) {
  for (const state::RegistryRecord& record : remote_registries(session)) {
    const fs::path folder = registry::snapshot_folder(session.layout().registries(), record);
    if (!session.files().exists(folder))
      activity.warn("registry",
                    fmt::format(fmt::runtime(_("the copy of the registry {0} is gone; get it with: "
                                               "las update {0}")),
                                record.name));
    else if (registry::is_expired(record.expires, session.clock().now()))
      activity.warn("registry",
                    fmt::format(fmt::runtime(_("what is known of the registry {0} expired at {1}; "
                                               "bring it up to date with: las update {0}")),
                                record.name,
                                record.expires));
  }
}

void refuse_expired_origins(Session& session, const plan::Plan& plan, const Activity& activity) {
  if (session.config().text("registry.expired") == "warn")
    return;
  std::map<std::string, state::RegistryRecord> expired;
  for (state::RegistryRecord& record : remote_registries(session)) {
    if (registry::is_expired(record.expires, session.clock().now()))
      expired.emplace(record.name, std::move(record));
  }
  if (expired.empty())
    return;
  for (const plan::PlannedAction& action : plan.actions) {
    const catalog::Manifest* manifest = plan::brings_module(action.action)
                                            ? session.catalog(activity).find(action.subject)
                                            : nullptr;
    const auto origin = manifest == nullptr ? expired.end() : expired.find(manifest->origin);
    if (origin == expired.end())
      continue;
    throw Error(ErrorKind::Integrity, _("its registry has expired"), action.subject)
        .cause(fmt::format(fmt::runtime(_("registry {}, expired at {}")),
                           origin->second.name,
                           origin->second.expires))
        .hint(
            fmt::format(fmt::runtime(_("bring it up to date with: las update {}; to install on its "
                                       "old word all the same: las config set registry.expired "
                                       "warn")),
                        origin->second.name));
  }
}

std::string_view to_string(RegistryView::Kind kind) {
  switch (kind) {
    case RegistryView::Kind::BuiltIn:
      return "built-in";
    case RegistryView::Kind::Remote:
      return "remote";
    case RegistryView::Kind::Local:
      return "local";
    case RegistryView::Kind::Folder:
      return "folder";
  }
  return "folder";
}

std::vector<RegistryView> registries(Session& session) {
  using Kind = RegistryView::Kind;
  std::vector<RegistryView> views;
  const auto add_folder = [&](Kind kind, const std::string& name, const fs::path& folder) {
    views.push_back({kind, name, folder.string(), {}, {}, false});
  };
  add_folder(Kind::BuiltIn, kBuiltIn, session.data_directory() / "manifests");
  for (state::RegistryRecord& record : remote_registries(session)) {
    RegistryView view{Kind::Remote, record.name, record.url, {}, id_of(record.public_key), false};
    view.expired =
        !record.snapshot.empty() && registry::is_expired(record.expires, session.clock().now());
    view.record = std::move(record);
    views.push_back(std::move(view));
  }
  add_folder(Kind::Local, kLocal, session.layout().config / "manifests.d");
  for (const std::string& folder : session.config().list("registries"))
    add_folder(Kind::Folder, folder, folder);
  return views;
}

AddedRegistry add_registry(Session& session,
                           const std::string& name,
                           const std::string& url,
                           const std::string& key_text,
                           bool only_check,
                           const Activity& activity) {
  check_name(name);
  state::RegistryRecord record;
  record.name = name;
  record.url = registry::check_url(url);
  record.public_key = registry::key_line(read_public_key(session, key_text));
  const std::string key_id = id_of(record.public_key);
  if (!only_check)
    session.writer(activity);
  if (const auto there = find_registry(session, name)) {
    if (there->url == record.url && there->public_key == record.public_key)
      return {false, {*there, false, {}, 0, {}}, key_id};
    throw Error(ErrorKind::Usage, _("a registry of this name was added already"), name)
        .cause(there->url)
        .hint(fmt::format(fmt::runtime(_("for another key: las registry trust {0} --key KEY; for "
                                         "another address: las registry remove {0} first")),
                          name));
  }
  record.added_at = platform::to_iso8601(session.clock().now());
  record.added_by = session.environment().user;
  registry::Refreshed refreshed = about(name, [&] {
    return registry::refresh(surroundings(session), record, {only_check, false}, activity);
  });
  if (!only_check)
    commit(session,
           refreshed.record,
           fmt::format("trust registry {} at {} with key {}", name, record.url, key_id));
  return {true, std::move(refreshed), key_id};
}

void remove_registry(Session& session,
                     const std::string& name,
                     bool only_check,
                     const Activity& activity) {
  get_registry(session, name);
  if (only_check)
    return;
  session.writer(activity);
  get_registry(session, name);
  session.store().write([&](state::WriteTransaction& transaction) {
    transaction.erase_registry(name);
    note_in_history(session, transaction, "forget registry " + name);
  });
  // A death before this leaves a folder that nobody reads; adding the name again clears it.
  session.files().remove_tree(session.layout().registries() / name);
}

TrustChange compare_key(Session& session, const std::string& name, const std::string& key_text) {
  const state::RegistryRecord record = get_registry(session, name);
  const std::string key = registry::key_line(read_public_key(session, key_text));
  return {key != record.public_key, record.public_key, id_of(record.public_key), key, id_of(key)};
}

registry::Refreshed trust_key(Session& session,
                              const std::string& name,
                              const std::string& key_text,
                              bool only_check,
                              const Activity& activity) {
  if (!only_check)
    session.writer(activity);
  state::RegistryRecord record = get_registry(session, name);
  const std::string old_id = id_of(record.public_key);
  record.public_key = registry::key_line(read_public_key(session, key_text));
  record.version = 0;
  record.etag.clear();
  record.last_modified.clear();
  registry::Refreshed refreshed = about(name, [&] {
    return registry::refresh(surroundings(session), record, {only_check, false}, activity);
  });
  if (!only_check)
    commit(session,
           refreshed.record,
           fmt::format("trust registry {} with key {} in place of {}",
                       name,
                       id_of(record.public_key),
                       old_id));
  return refreshed;
}

std::vector<UpdateOutcome> update_registries(Session& session,
                                             const std::vector<std::string>& names,
                                             const registry::RefreshOptions& options,
                                             const Activity& activity) {
  for (const std::string& name : names)
    get_registry(session, name);
  if (names.empty() && remote_registries(session).empty())
    return {};
  if (!options.only_check)
    session.writer(activity);
  std::vector<UpdateOutcome> outcomes;
  for (const state::RegistryRecord& record : remote_registries(session)) {
    if (!names.empty() && std::find(names.begin(), names.end(), record.name) == names.end())
      continue;
    UpdateOutcome outcome{record.name, record.version, {record, false, {}, 0, {}}, {}};
    try {
      outcome.refreshed = registry::refresh(surroundings(session), record, options, activity);
      if (!options.only_check)
        commit(session,
               outcome.refreshed.record,
               outcome.refreshed.changed ? fmt::format("update registry {} to version {}",
                                                       record.name,
                                                       outcome.refreshed.record.version)
                                         : "");
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Interrupted)
        throw;
      outcome.error = error;
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

std::vector<std::string> verify_registry_copy(Session& session, const std::string& name) {
  return registry::verify_copy(
      session.files(), session.layout().registries(), get_registry(session, name));
}

}  // namespace las::app
