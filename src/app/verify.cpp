// SPDX-License-Identifier: Apache-2.0
#include "las/app/verify.hpp"

#include "instances.hpp"

#include "las/app/models.hpp"
#include "las/base/i18n.hpp"
#include "las/model/library.hpp"
#include "las/platform/hasher.hpp"
#include "las/platform/net.hpp"
#include "las/service/unit.hpp"
#include "las/transaction/garbage.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

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

// Another las that changes something now; this one's own lock is none.
std::optional<platform::LockOwner> running_las(Session& session) {
  auto owner = platform::FileLock::holder(session.layout().lock_file());
  return owner && owner->pid != static_cast<int>(::getpid()) ? owner : std::nullopt;
}

bool wanted(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

std::string reinstall(const std::string& module) {
  return "las install --reinstall " + module;
}

constexpr const char* kRepair = "las repair";

void verify_module(Session& session,
                   const state::InstalledModule& module,
                   Depth depth,
                   std::vector<Finding>& findings,
                   const Activity& activity) {
  activity.cancellation.throw_if_requested();
  if (!module.store_name.empty()) {
    const fs::path payload = session.layout().store() / module.store_name;
    if (!session.files().exists(payload)) {
      findings.push_back({"payload-missing",
                          module.name,
                          payload.string(),
                          reinstall(module.name),
                          Mend::Reinstall});
      return;
    }
    if (depth >= Depth::Full && module.tree_digest) {
      const Digest now = platform::digest_of_tree(session.files(), payload);
      if (now != *module.tree_digest)
        findings.push_back({"payload-damaged",
                            module.name,
                            fmt::format(fmt::runtime(_("{}: {} recorded, {} found")),
                                        payload.string(),
                                        module.tree_digest->short_hex(),
                                        now.short_hex()),
                            reinstall(module.name),
                            Mend::Reinstall});
    }
  }
  for (const state::ExternalChange& change : module.external) {
    source::ExternalKind* kind =
        transaction::external_kind(session.surroundings(activity), change.kind);
    if (kind == nullptr)
      continue;
    try {
      for (const std::string& fault : kind->verify_external(change.wanted, activity))
        findings.push_back(
            {"package-missing", module.name, fault, reinstall(module.name), Mend::Reinstall});
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Interrupted)
        throw;
      findings.push_back({"package-unknown",
                          module.name,
                          fmt::format("{}: {}", error.what(), error.cause()),
                          error.hint()});
    }
  }
}

// The folder that `current` points at: the record in it, and the links to the executables.
void verify_generation_folder(Session& session,
                              const state::Generation& generation,
                              std::vector<Finding>& findings) {
  if (generation.number == 0)
    return;
  const fs::path folder = session.layout().generation(generation.number);
  const auto record = session.files().try_read(folder / "generation.json");
  if (!record || *record != state::to_json(generation)) {
    findings.push_back({"generation-damaged",
                        std::to_string(generation.number),
                        (folder / "generation.json").string(),
                        kRepair,
                        Mend::Converge});
    return;
  }
  for (const state::InstalledModule& module : generation.modules) {
    for (const auto& [name, path] : module.executables) {
      if (!session.files().exists(folder / "bin" / name))
        findings.push_back({"link-missing",
                            module.name,
                            (folder / "bin" / name).string(),
                            kRepair,
                            Mend::Converge});
    }
  }
}

// Whose the port is that a service which does not run ought to have.
void verify_port(const state::ServiceInstance& service, std::vector<Finding>& findings) {
  // Behind its socket: that port is held for it whether it runs or not.
  const std::uint16_t port = service.own_port();
  if (port != 0 && !platform::port_is_free(port))
    findings.push_back({"port-taken",
                        service.id,
                        fmt::format(fmt::runtime(_("something else listens on port {}")), port),
                        fmt::format("ss -ltnp 'sport = :{}'", port)});
}

void verify_units(Session& session,
                  const state::ServiceInstance& service,
                  std::vector<Finding>& findings) {
  for (const auto& [name, text] : service::units_of(service)) {
    const fs::path unit = session.layout().units / name;
    if (service::without_comments(session.files().try_read(unit).value_or("") + "\n") !=
        service::without_comments(text))
      findings.push_back({"unit-edited", service.id, unit.string(), kRepair, Mend::Converge});
  }
}

void verify_service(Session& session,
                    const state::ServiceInstance& service,
                    std::vector<Finding>& findings) {
  if (session.supervisor().name() == "systemd")
    verify_units(session, service, findings);
  state::ServiceWish wish{service.id, true, {}};
  session.store().read([&](const state::ReadTransaction& state) {
    if (const auto found = unless_damaged([&] { return state.service_wish(service.id); });
        found && *found)
      wish = **found;
  });
  const bool wished = wish.running;
  const service::ServiceStatus status = session.supervisor().status(service);
  const bool down = status.state == service::RunState::Failed ||
                    status.state == service::RunState::Stopped ||
                    status.state == service::RunState::Absent;
  std::optional<state::HealthRecord> health;
  session.store().read(
      [&](const state::ReadTransaction& state) { health = state.health(service.id); });
  if (!down && health && !health->gave_up.empty())
    findings.push_back({"service-given-up",
                        service.id,
                        health->gave_up,
                        "las restart " + service.id,
                        Mend::ByHand});
  if (status.state == service::RunState::Failed)
    findings.push_back(
        {"service-failed",
         service.id,
         status.detail.empty() ? std::string(_("it ended by itself")) : status.detail,
         (wished ? "las logs " : "las stop ") + service.id,
         Mend::Converge});
  else if (down && wished && wish.starts_at_boot())
    findings.push_back({"service-stopped",
                        service.id,
                        _("it is to run and does not"),
                        "las start " + service.id,
                        Mend::Converge});
  else if (!down && !wished)
    findings.push_back({"service-runs",
                        service.id,
                        _("it was stopped and runs"),
                        "las stop " + service.id,
                        Mend::Converge});
  if (const bool at_boot = wish.starts_at_boot(); status.enabled && *status.enabled != at_boot)
    findings.push_back({at_boot ? "unit-disabled" : "unit-enabled",
                        service.id,
                        at_boot ? _("it would not start at the next boot")
                                : _("it is not to start at the next boot, and would"),
                        kRepair,
                        Mend::Converge});
  if (down && wished)
    verify_port(service, findings);
  // Where nothing could filter, `las expose` said so.
  if (!down && session.supervisor().name() == "systemd" &&
      session.layout().scope == platform::Scope::System &&
      session.supervisor().lets_everybody_in(service))
    findings.push_back(
        {"network-open",
         service.id,
         _("no filter of addresses is attached to its control group"),
         service.network == "lan" ? "las unexpose " + service.id : "journalctl -b | grep -i bpf"});
}

void verify_services(Session& session,
                     const state::Generation& generation,
                     std::vector<Finding>& findings) {
  const std::vector<std::string> installed = session.supervisor().installed();
  for (const state::ServiceInstance& service : generation.services) {
    if (std::find(installed.begin(), installed.end(), service.id) == installed.end())
      findings.push_back(
          {"unit-missing", service.id, service::unit_name(service.id), kRepair, Mend::Converge});
    else
      verify_service(session, service, findings);
  }
  for (const std::string& id : installed) {
    if (generation.find_service(id) == nullptr)
      findings.push_back({"unit-unknown", id, service::unit_name(id), kRepair, Mend::Converge});
  }
}

// What a policy denies today may have come before the policy, or under an override that ended.
void verify_policies(Session& session,
                     const state::Generation& generation,
                     std::vector<Finding>& findings,
                     const Activity& activity) {
  const auto look = [&](const std::string& subject, const std::string& capability) {
    const policy::Decision decision = session.verdict(activity).decide(capability);
    if (!decision.allowed)
      findings.push_back({"policy-denies",
                          subject,
                          decision.explanation,
                          fmt::format("las policy explain {}", capability)});
  };
  for (const state::InstalledModule& module : generation.modules) {
    for (const std::string& capability : {module.name, module.variant, module.mode})
      look(module.name, capability);
  }
  for (const state::ServiceInstance& service : generation.services) {
    for (const std::string& capability : network_capabilities(service))
      look(service.id, capability);
  }
}

// Only root, or the one whose state it is, may change what root's programs are made of.
void verify_state_folder(Session& session, std::vector<Finding>& findings) {
  const auto status = session.files().status(session.layout().state);
  constexpr std::uint32_t kOthersMayWrite = 0022;
  if (status && status->kind == platform::FileKind::Directory &&
      (status->mode & kOthersMayWrite) != 0)
    findings.push_back(
        {"state-open",
         session.layout().state.string(),
         fmt::format(fmt::runtime(_("others may write there (mode {:04o})")), status->mode),
         kRepair,
         Mend::CloseState});
}

// What interrupted or failed runs left, and payloads that no generation has. A run in flight has
// some, and one that begins or ends while this looks may have: what is seen twice while none goes
// on is left over.
void verify_leftovers(Session& session, std::vector<Finding>& findings, const Activity& activity) {
  std::map<std::string, std::string> seen;  // names by path
  for (const bool again : {false, true}) {
    const auto survey = transaction::survey_garbage(session.surroundings(activity), {});
    std::map<std::string, std::string> now;
    for (const transaction::Garbage& garbage : survey.garbage) {
      const std::string path = garbage.path.string();
      if (garbage.kind == transaction::Garbage::Kind::Leftover && (!again || seen.count(path) > 0))
        now.emplace(path, garbage.name);
    }
    seen = std::move(now);
    if (seen.empty() || running_las(session))
      return;
  }
  for (const auto& [path, name] : seen)
    findings.push_back({"leftover", name, path, kRepair, Mend::Collect});
}

void verify_models(Session& session,
                   const std::vector<state::ModelRecord>& models,
                   Depth depth,
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
      findings.push_back({"model-missing", model.name, blob.string(), mend, Mend::Import});
    else if (status->size != model.size.bytes() ||
             (depth == Depth::Deeply && platform::digest_of_file(blob) != model.digest))
      findings.push_back({"model-damaged", model.name, blob.string(), mend, Mend::Import});
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
                        kRepair,
                        Mend::Converge});
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
  if (const auto owner = running_las(session)) {
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
        {"run-interrupted", "", _("a run was interrupted"), kRepair, Mend::Converge});
}

/// What verify compares with.
struct Recorded {
  state::Generation generation;
  std::vector<state::ModelRecord> models;
};

// Those that can be read, and beyond a glance a finding for every damaged one. Nothing when it
// cannot be known what is installed.
std::optional<Recorded> read_records(Session& session,
                                     Depth depth,
                                     std::vector<Finding>& findings) {
  try {
    session.store();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::CorruptState)
      throw;
    findings.push_back({"state-damaged", "", error.what(), error.hint()});
    return std::nullopt;
  }
  if (depth != Depth::Glance) {
    for (const state::RecordFault& fault : session.store().check())
      findings.push_back({"state-damaged",
                          fault.record,
                          fault.cause,
                          state::way_out(session.layout().database())});
  }
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

std::vector<Finding> verify(Session& session,
                            const std::vector<std::string>& names,
                            Depth depth,
                            const Activity& activity) {
  std::vector<Finding> findings;
  const auto recorded = read_records(session, depth, findings);
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
      verify_module(session, module, depth, findings, activity);
  }
  if (!names.empty())
    return findings;

  if (depth >= Depth::Full)
    verify_no_interrupted_run(session, findings, activity);
  verify_current_link(session, generation, findings);
  verify_generation_folder(session, generation, findings);
  verify_services(session, generation, findings);
  verify_models(session, recorded->models, depth, findings, activity);
  verify_state_folder(session, findings);
  if (depth < Depth::Full)
    return findings;
  // What an interrupted run left is the next run's to sweep, with all else of it.
  const bool interrupted = std::any_of(findings.begin(), findings.end(), [](const Finding& found) {
    return found.id == "run-interrupted";
  });
  if (!interrupted)
    verify_leftovers(session, findings, activity);
  verify_policies(session, generation, findings, activity);
  return findings;
}

}  // namespace las::app
