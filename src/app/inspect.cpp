// SPDX-License-Identifier: Apache-2.0
#include "las/app/inspect.hpp"

#include "las/app/models.hpp"
#include "las/base/i18n.hpp"
#include "las/model/library.hpp"
#include "las/platform/hasher.hpp"
#include "las/resolve/resolve.hpp"
#include "las/service/unit.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

bool wanted(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

std::string reinstall(const std::string& module) {
  return "las install --reinstall " + module;
}

// What makes links and units equal to the generation that is current.
std::string converge_again(const state::Generation& current) {
  if (current.number == 0)
    return _("the next install removes it");
  return fmt::format("las rollback {}", current.number);
}

void verify_module(Session& session,
                   const state::InstalledModule& module,
                   std::vector<Finding>& findings,
                   const Activity& activity) {
  activity.cancellation.throw_if_requested();
  if (!module.store_name.empty()) {
    const fs::path payload = session.layout().store() / module.store_name;
    if (!session.files().exists(payload)) {
      findings.push_back(
          {"payload-missing", module.name, payload.string(), reinstall(module.name)});
      return;
    }
    const Digest now = platform::digest_of_tree(session.files(), payload);
    if (module.tree_digest && now != *module.tree_digest)
      findings.push_back({"payload-damaged",
                          module.name,
                          fmt::format(fmt::runtime(_("{}: {} recorded, {} found")),
                                      payload.string(),
                                      module.tree_digest->short_hex(),
                                      now.short_hex()),
                          reinstall(module.name)});
  }
  for (const state::ExternalChange& change : module.external) {
    const auto kind = session.sources().find(change.kind);
    if (kind == session.sources().end())
      continue;
    for (const std::string& fault : kind->second->verify_external(change.wanted, activity))
      findings.push_back({"package-missing", module.name, fault, reinstall(module.name)});
  }
}

// The folder that `current` points at: the record in it, and the links to the executables.
void verify_generation_folder(Session& session,
                              const state::Generation& generation,
                              std::vector<Finding>& findings) {
  if (generation.number == 0)
    return;
  const fs::path folder = session.layout().generation(generation.number);
  const std::string mend = generation.modules.empty() ? std::string("las rollback")
                                                      : reinstall(generation.modules.front().name);
  const auto record = session.files().try_read(folder / "generation.json");
  if (!record || *record != state::to_json(generation)) {
    findings.push_back({"generation-damaged",
                        std::to_string(generation.number),
                        (folder / "generation.json").string(),
                        mend});
    return;
  }
  for (const state::InstalledModule& module : generation.modules) {
    for (const auto& [name, path] : module.executables) {
      if (!session.files().exists(folder / "bin" / name))
        findings.push_back({"link-missing",
                            module.name,
                            (folder / "bin" / name).string(),
                            reinstall(module.name)});
    }
  }
}

void verify_services(Session& session,
                     const state::Generation& generation,
                     std::vector<Finding>& findings) {
  const std::vector<std::string> installed = session.supervisor().installed();
  for (const state::ServiceInstance& service : generation.services) {
    if (std::find(installed.begin(), installed.end(), service.id) == installed.end()) {
      findings.push_back(
          {"unit-missing", service.id, service::unit_name(service.id), "las start " + service.id});
      continue;
    }
    const fs::path unit = session.layout().units / service::unit_name(service.id);
    if (session.supervisor().name() == "systemd" &&
        session.files().try_read(unit).value_or("") + "\n" != service.unit_text)
      findings.push_back({"unit-edited", service.id, unit.string(), "las start " + service.id});
    if (session.supervisor().status(service).state == service::RunState::Failed)
      findings.push_back({"service-failed",
                          service.id,
                          session.supervisor().status(service).detail,
                          "las logs " + service.id});
  }
  for (const std::string& id : installed) {
    if (generation.find_service(id) == nullptr)
      findings.push_back({"unit-unknown", id, service::unit_name(id), converge_again(generation)});
  }
}

void verify_models(Session& session,
                   const std::vector<state::ModelRecord>& models,
                   bool deep,
                   std::vector<Finding>& findings,
                   const Activity& activity) {
  const model::ModelLibrary library(
      session.files(), session.clock(), session.layout(), session.store());
  for (const state::ModelRecord& model : models) {
    activity.cancellation.throw_if_requested();
    const fs::path blob = library.blob_path(model.digest);
    const auto status = session.files().status(blob);
    const std::string mend = import_again(session, model);
    if (!status)
      findings.push_back({"model-missing", model.name, blob.string(), mend});
    else if (status->size != model.size.bytes() ||
             (deep && platform::digest_of_file(blob) != model.digest))
      findings.push_back({"model-damaged", model.name, blob.string(), mend});
  }
}

template <typename Read>
auto unless_damaged(Read&& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::CorruptState)
      throw;
    return std::nullopt;
  }
}

void verify_current_link(Session& session,
                         const state::Generation& generation,
                         std::vector<Finding>& findings) {
  const fs::path current = session.layout().current();
  const bool linked = session.files().exists(current);
  const std::string target = linked ? session.files().read_symlink(current).string() : "";
  const std::string expected =
      generation.number == 0 ? "" : "generations/" + std::to_string(generation.number);
  if (target != expected)
    findings.push_back({"current-link-wrong",
                        "",
                        fmt::format("{} -> {}", current.string(), target.empty() ? "-" : target),
                        converge_again(generation)});
}

// What a run in flight has begun is no finding while it holds the lock.
void verify_no_interrupted_run(Session& session,
                               std::vector<Finding>& findings,
                               const Activity& activity) {
  const auto journal_open = [&] {
    std::optional<std::optional<state::Journal>> journal;
    session.store().read([&](const state::ReadTransaction& state) {
      journal = unless_damaged([&] { return state.journal(); });
    });
    return journal && journal->has_value();
  };
  if (!journal_open())
    return;
  if (const auto owner = platform::FileLock::holder(session.layout().lock_file())) {
    activity.info(
        "app",
        fmt::format(fmt::runtime(_("running: {}; verify again when it is done, since what it is "
                                   "changing may be listed here")),
                    owner->pid == 0 ? std::string(_("another las"))
                                    : fmt::format("pid {} ({})", owner->pid, owner->command)));
    return;
  }
  // It may have come to its end between the two looks.
  if (journal_open())
    findings.push_back(
        {"run-interrupted", "", _("a run was interrupted"), _("any changing command finishes it")});
}

/// What verify compares with.
struct Recorded {
  state::Generation generation;
  std::vector<state::ModelRecord> models;
};

// Every damaged record is a finding, and those that can be read are taken. Nothing when it cannot
// be known what is installed.
std::optional<Recorded> read_records(Session& session, std::vector<Finding>& findings) {
  try {
    session.store();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::CorruptState)
      throw;
    findings.push_back({"state-damaged", "", error.what(), error.hint()});
    return std::nullopt;
  }
  for (const state::RecordFault& fault : session.store().check())
    findings.push_back(
        {"state-damaged", fault.record, fault.cause, state::way_out(session.layout().database())});
  std::optional<state::Generation> generation;
  Recorded recorded;
  session.store().read([&](const state::ReadTransaction& state) {
    generation = unless_damaged([&] { return state.current(); });
    recorded.models.clear();
    for (const std::string& name : state.model_names()) {
      if (const auto model = unless_damaged([&] { return state.model(name); }); model && *model)
        recorded.models.push_back(**model);
    }
  });
  if (!generation)
    return std::nullopt;
  recorded.generation = *std::move(generation);
  return recorded;
}

}  // namespace

DetectResult detect(Session& session, const Activity& activity) {
  const policy::Verdict& verdict = session.verdict(activity);
  DetectResult result{session.profile(activity), verdict, {}};
  const state::Generation nothing;
  for (const catalog::Brief& module : session.catalog(activity).briefs()) {
    if (!module.serves_models && module.category != catalog::Category::Runtime)
      continue;
    resolve::Request request;
    request.install.push_back(resolve::parse_wish(module.name));
    const resolve::Outcome outcome = resolve::resolve(
        request, {session.catalog(activity), result.profile, result.verdict, nothing});
    EngineFit fit;
    fit.name = std::string(module.name);
    if (outcome.resolution) {
      for (const resolve::Choice& choice : outcome.resolution->choices) {
        if (choice.name != module.name)
          continue;
        fit.usable = true;
        fit.version = choice.version.text();
        fit.variant = choice.variant_name;
        fit.why = choice.why;
      }
    } else {
      for (const resolve::Explanation::Reason& reason : outcome.explanation->reasons)
        fit.why += (fit.why.empty() ? "" : "; ") + reason.text;
    }
    result.engines.push_back(std::move(fit));
  }
  return result;
}

std::vector<Finding> verify(Session& session,
                            const std::vector<std::string>& names,
                            bool deep,
                            const Activity& activity) {
  std::vector<Finding> findings;
  const auto recorded = read_records(session, findings);
  if (!recorded)
    return findings;
  const state::Generation& generation = recorded->generation;
  for (const std::string& name : names) {
    if (generation.find(name) == nullptr)
      throw Error(ErrorKind::NotFound, _("this module is not installed"), name)
          .hint(_("see what is installed with: las list"));
  }

  for (const state::InstalledModule& module : generation.modules) {
    if (wanted(names, module.name))
      verify_module(session, module, findings, activity);
  }
  if (!names.empty())
    return findings;

  verify_no_interrupted_run(session, findings, activity);
  verify_current_link(session, generation, findings);
  verify_generation_folder(session, generation, findings);
  verify_services(session, generation, findings);
  verify_models(session, recorded->models, deep, findings, activity);
  return findings;
}

}  // namespace las::app
