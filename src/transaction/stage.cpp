// SPDX-License-Identifier: Apache-2.0
// Step 3: fetch and stage. Downloads land in the cache by digest; payloads are unpacked beside the
// store, synced, and renamed into it.
#include "run_state.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::transaction {

namespace fs = std::filesystem;

namespace {

// The digest with which a payload of this name was published. A damaged generation tells nothing.
std::optional<platform::TreeFacts> recorded_payload(const Run& run, const std::string& store_name) {
  std::optional<platform::TreeFacts> payload;
  run.world.store.read([&](const state::ReadTransaction& transaction) {
    payload.reset();
    const std::vector<std::uint64_t> numbers = transaction.generation_numbers();
    for (auto number = numbers.rbegin(); number != numbers.rend() && !payload; ++number) {
      try {
        const auto generation = transaction.generation(*number);
        for (const state::InstalledModule& module : generation->modules) {
          if (module.store_name == store_name && module.tree_digest)
            payload = platform::TreeFacts{*module.tree_digest, module.size};
        }
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::CorruptState)
          throw;
      }
    }
  });
  return payload;
}

// Nothing may run from a damaged payload, so what lies in the store counts only after it was hashed
// once more.
bool is_whole_in_store(const Run& run, const std::string& store_name) {
  const fs::path payload = run.world.layout.store() / store_name;
  const auto status = run.world.files.status(payload);
  if (!status || status->kind != platform::FileKind::Directory)
    return false;
  const auto recorded = recorded_payload(run, store_name);
  return recorded && platform::digest_of_tree(run.world.files, payload) == recorded->digest;
}

source::StageRequest make_request(Run& run,
                                  const plan::PlannedAction& action,
                                  const catalog::Source& source,
                                  const fs::path& staging) {
  source::StageRequest request;
  request.module = action.subject;
  request.version = action.version;
  request.variant = action.variant;
  request.source = &source;
  request.manifest_directory = action.manifest_directory;
  request.staging = staging;
  request.pinned = [&run](const std::string& url) {
    std::optional<Digest> digest;
    run.world.store.read([&](const state::ReadTransaction& transaction) {
      if (const auto pin = transaction.pinned_digest(url))
        digest = pin->digest;
    });
    return digest;
  };
  request.in_store = [&run](const std::string& store_name) {
    return is_whole_in_store(run, store_name);
  };
  request.journal_external = [&run, kind = source.kind()](const std::string& before,
                                                          const std::string& wanted) {
    run.journal.external.push_back({kind, before, wanted});
    record(run);
  };
  return request;
}

// Moves the staged payload into the store; an equal payload that is there already is kept.
platform::TreeFacts publish(Run& run, const source::Staged& staged) {
  platform::FileSystem& files = run.world.files;
  const platform::Layout& layout = run.world.layout;
  const fs::path target = layout.store() / staged.store_name;
  if (staged.payload.empty())
    return recorded_payload(run, staged.store_name).value();  // what in_store compared
  const platform::TreeFacts facts = platform::examine_tree(files, staged.payload);
  bool damaged = false;
  if (files.exists(target)) {
    if (platform::digest_of_tree(files, target) == facts.digest)
      return facts;
    damaged = true;
  }
  files.sync_tree(staged.payload);
  run.journal.staged_payloads.push_back(staged.store_name);
  record(run);
  // Nothing may run from a damaged payload: the fresh one takes its place, and the old one lies
  // aside until this operation is done, so that it can be put back.
  if (damaged)
    files.rename(target, layout.store() / damaged_name(run, staged.store_name));
  files.rename(staged.payload, target);
  run.operation.stored += facts.size;
  return facts;
}

state::InstalledModule installed_from(Run& run,
                                      const plan::PlannedAction& action,
                                      const catalog::Source& source,
                                      const source::Staged& staged) {
  state::InstalledModule module;
  module.name = action.subject;
  module.version = action.version;
  module.delivered = staged.delivered == action.version ? "" : staged.delivered;
  module.variant = action.variant;
  module.mode = action.mode;
  module.reason = action.reason;
  module.source = source.kind();
  module.source_detail = staged.detail;
  module.store_name = staged.store_name;
  module.pinned_now = !staged.newly_pinned.empty();
  module.installed_at = platform::to_iso8601(run.world.clock.now());
  module.requires_modules = action.requires_modules;
  module.data_format = action.data_format;
  module.recipe = action.recipe;
  for (const source::InputArtifact& artifact : staged.artifacts)
    module.artifacts.push_back({artifact.from, artifact.digest});
  fs::path base;
  if (!staged.store_name.empty()) {
    const platform::TreeFacts facts = publish(run, staged);
    module.tree_digest = facts.digest;
    module.size = facts.size;
    base = run.world.layout.store() / staged.store_name;
  }
  for (const auto& [name, path] : staged.executables)
    module.executables[name] = base.empty() ? path : (base / path).string();
  if (staged.external_wanted)
    module.external.push_back(
        {source.kind(), staged.external_before.value_or(""), *staged.external_wanted});
  if (!staged.newly_pinned.empty()) {
    run.world.store.write([&](state::WriteTransaction& transaction) {
      for (const auto& [url, digest] : staged.newly_pinned)
        transaction.put_pinned_digest({url, digest, module.installed_at});
    });
  }
  return module;
}

// The distribution's packages that the module needs to run. Where las may not install them (below
// --root, without root) it says which are missing and goes on: the module may work all the same.
void stage_system_packages(Run& run,
                           const plan::PlannedAction& action,
                           state::InstalledModule& module,
                           const Activity& activity) {
  const auto apt = run.world.sources.find("apt");
  if (action.system_packages.empty() || apt == run.world.sources.end())
    return;
  catalog::Source source;
  source.how = catalog::AptSource{action.system_packages};
  const std::vector<std::string> absent = apt->second->absent(source, activity);
  const std::string why = apt->second->unavailable(source, activity);
  if (!why.empty()) {
    if (absent.empty())
      return;
    activity.warn("transaction",
                  fmt::format(fmt::runtime(_("{} needs packages that las cannot install here ({}); "
                                             "if it does not run: apt install {}")),
                              action.subject,
                              why,
                              text::join(absent, " ")));
    return;
  }
  // Also when they are there already: the record keeps another module's removal from taking them.
  const fs::path staging =
      run.world.layout.staging() / run.journal.operation_id / (action.subject + "-packages");
  run.world.files.make_directories(staging);
  const source::Staged staged =
      apt->second->stage(make_request(run, action, source, staging), activity);
  if (staged.external_wanted)
    module.external.push_back(
        {source.kind(), staged.external_before.value_or(""), *staged.external_wanted});
}

// Accounts and kernel parameters: looked at, made durable as an intent, then done. Recorded also
// when everything is there already, so that another module's removal does not take it away.
void stage_system_changes(Run& run,
                          const plan::PlannedAction& action,
                          state::InstalledModule& module,
                          const Activity& activity) {
  for (const auto& step : run.world.steps) {
    const std::string wanted = step->wanted(action.system);
    if (wanted.empty())
      continue;
    if (const std::string why = step->unavailable(); !why.empty()) {
      activity.warn("transaction",
                    fmt::format(fmt::runtime(_(
                                    "{} needs a change of the system ({}: {}) that las cannot make "
                                    "here: {}")),
                                action.subject,
                                step->kind(),
                                wanted,
                                why));
      continue;
    }
    const std::string before = step->look(wanted, activity);
    run.journal.external.push_back({step->kind(), before, wanted});
    record(run);
    step->apply(before, wanted, activity);
    module.external.push_back({step->kind(), before, wanted});
  }
}

// Tries the sources in order. Only "cannot be reached" and "not possible here" move on to the next;
// wrong or hostile bytes end the transaction.
state::InstalledModule stage_one(Run& run,
                                 const plan::PlannedAction& action,
                                 const Activity& activity) {
  const fs::path staging = run.world.layout.staging() / run.journal.operation_id / action.subject;
  std::vector<std::string> failures;
  bool network = false;
  for (std::size_t index = 0; index < action.sources.size(); ++index) {
    const catalog::Source& source = action.sources[index];
    activity.cancellation.throw_if_requested();
    const auto found = run.world.sources.find(source.kind());
    if (found == run.world.sources.end()) {
      failures.push_back(source.kind() + ": " + _("unknown kind of source"));
      continue;
    }
    source::SourceKind& kind = *found->second;
    std::string why = kind.unavailable(source, activity);
    if (why.empty()) {
      try {
        run.world.files.remove_tree(staging);
        run.world.files.make_directories(staging, 0755);
        const source::Staged staged =
            kind.stage(make_request(run, action, source, staging), activity);
        state::InstalledModule module = installed_from(run, action, source, staged);
        stage_system_packages(run, action, module, activity);
        stage_system_changes(run, action, module, activity);
        return module;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::Network)
          throw;
        network = true;
        why = error.cause().empty() ? error.what() : error.cause();
      }
    }
    failures.push_back(fmt::format("{}: {}", source.kind(), why));
    if (index + 1 < action.sources.size())
      activity.warn(
          "transaction",
          fmt::format(fmt::runtime(_("{}: the {} source cannot be used ({}); trying the next: {}")),
                      action.subject,
                      source.kind(),
                      why,
                      action.sources[index + 1].kind()));
  }
  throw Error(network ? ErrorKind::Network : ErrorKind::Unsatisfiable,
              _("no source could deliver it"),
              action.subject + " " + action.version)
      .cause(text::join(failures, "; "))
      .hint(network ? _("check the network, or set a mirror; nothing was changed")
                    : _("nothing was changed; see the sources with: las show NAME"));
}

// All downloads side by side. What goes wrong with one of them is for stage_one() to find again,
// which knows what to try next; what came so far is in the cache.
void fetch_ahead(Run& run, const plan::Plan& plan, const Activity& activity) {
  std::vector<fetch::Artifact> artifacts;
  for (const plan::PlannedAction& action : plan.actions) {
    if (!plan::brings_module(action.action) || action.sources.empty())
      continue;
    const catalog::Source& source = action.sources.front();
    const auto kind = run.world.sources.find(source.kind());
    if (kind == run.world.sources.end())
      continue;
    for (fetch::Artifact& artifact : kind->second->artifacts(make_request(run, action, source, {})))
      artifacts.push_back(std::move(artifact));
  }
  if (artifacts.size() < 2)
    return;
  try {
    run.world.fetcher.fetch(artifacts, run.world.layout.downloads(), activity);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Network && error.kind() != ErrorKind::Integrity)
      throw;
    activity.debug("transaction", fmt::format("to be fetched one by one: {}", error.what()));
  }
}

}  // namespace

std::vector<state::InstalledModule> stage_modules(Run& run,
                                                  const plan::Plan& plan,
                                                  const Activity& activity) {
  run.journal.phase = state::Phase::Staging;
  record(run);
  timed(run, "fetch", [&] { fetch_ahead(run, plan, activity); });
  std::vector<state::InstalledModule> staged;
  for (const plan::PlannedAction& action : plan.actions) {
    if (!plan::brings_module(action.action))
      continue;
    with_context(
        [&] {
          return fmt::format(fmt::runtime(_("installing {} {}")), action.subject, action.version);
        },
        [&] { staged.push_back(stage_one(run, action, activity)); });
  }
  run.world.files.remove_tree(run.world.layout.staging() / run.journal.operation_id);
  run.journal.phase = state::Phase::Staged;
  record(run);
  return staged;
}

}  // namespace las::transaction
