// SPDX-License-Identifier: Apache-2.0
// The modules of a document: resolved, and for a lock held to the very bytes.
#include "apply_parts.hpp"

#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

namespace {

bool is_lock(const lockfile::Document& document) {
  return document.kind == lockfile::Document::Kind::Lock;
}

bool is_build(const state::InstalledModule& installed, const lockfile::Module& module) {
  return module.version.contains(Version(installed.version)) &&
         installed.variant == module.variant && installed.mode == module.mode;
}

bool is_made_of(const state::InstalledModule& installed, const lockfile::Module& module) {
  return installed.source == module.source.kind &&
         (module.source.artifacts.empty() || installed.artifacts == module.source.artifacts);
}

// "2.0, 1.5": what there is instead, newest first.
std::string known_releases(const catalog::Manifest& manifest) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> versions;
  for (const catalog::Release& release : manifest.releases) {
    if (versions.size() == kShown) {
      versions.emplace_back("...");
      break;
    }
    versions.push_back(release.version.text());
  }
  return versions.empty() ? _("none") : text::join(versions, ", ");
}

// What the catalog lacks of a locked module, "" if nothing.
std::string lack(const catalog::Manifest* manifest, const lockfile::Module& module) {
  if (manifest == nullptr)
    return fmt::format(fmt::runtime(_("{}: the catalog has no such module")), module.name);
  const catalog::Release* release = manifest->find_release(Version(module.exact_version()));
  if (release == nullptr)
    return fmt::format(fmt::runtime(_("{} {}: the catalog has {}")),
                       module.name,
                       module.exact_version(),
                       known_releases(*manifest));
  if (std::none_of(release->variants.begin(), release->variants.end(), [&](const auto& variant) {
        return variant.name == module.variant;
      }))
    return fmt::format(fmt::runtime(_("{} {}: the catalog has no variant {}")),
                       module.name,
                       module.exact_version(),
                       module.variant);
  return {};
}

void check_catalog(Session& session,
                   const std::string& file,
                   const lockfile::Document& lock,
                   const state::Generation& present,
                   const Activity& activity) {
  std::vector<std::string> lacking;
  std::vector<std::string> names;
  for (const lockfile::Module& module : lock.modules) {
    const state::InstalledModule* installed = present.find(module.name);
    if (installed != nullptr && is_build(*installed, module) && is_made_of(*installed, module))
      continue;  // it stays, whatever the catalog has now
    const std::string text = lack(session.catalog(activity).find(module.name), module);
    if (text.empty())
      continue;
    lacking.push_back(text);
    names.push_back(module.name);
  }
  if (lacking.empty())
    return;
  throw Error(ErrorKind::Unsatisfiable,
              _("the catalog no longer has what the lock names"),
              text::join(lacking, "; "))
      .hint(
          fmt::format(fmt::runtime(_("get the catalog that has it (las registry add, las update), "
                                     "or lock what there is now: las install {} && las lock -o "
                                     "{}")),
                      text::join(names, " "),
                      text::shell_word(file)));
}

// The present state as the resolver is to see it: what the document does not want is there for
// others only, so that it stays only while something needs it; the document decides about holds.
state::Generation without_unwanted(const state::Generation& present,
                                   const lockfile::Document& wanted,
                                   lockfile::Prune prune) {
  state::Generation seen = present;
  for (state::WorldEntry& entry : seen.world) {
    if (is_lock(wanted) || wanted.find_module(entry.module) != nullptr)
      entry.held = false;
  }
  if (!is_lock(wanted) && prune == lockfile::Prune::No)
    return seen;
  const auto unwanted = [&](const std::string& name) {
    return wanted.find_module(name) == nullptr;
  };
  seen.world.erase(std::remove_if(seen.world.begin(),
                                  seen.world.end(),
                                  // A hold of what nobody wished for is no wish to prune.
                                  [&](const auto& entry) {
                                    return unwanted(entry.module) &&
                                           (is_lock(wanted) || entry.wished);
                                  }),
                   seen.world.end());
  for (state::InstalledModule& module : seen.modules) {
    if (unwanted(module.name) && (is_lock(wanted) || module.reason == state::Reason::User))
      module.reason = state::Reason::Dependency;
  }
  return seen;
}

resolve::Request request_for(const lockfile::Document& wanted) {
  resolve::Request request;
  for (const lockfile::Module& module : wanted.modules)
    request.install.push_back({module.name, module.version, module.variant, module.mode});
  return request;
}

// A lock also says which modules are there only for others; the resolver was asked for all.
void adopt_reasons(const lockfile::Document& lock, resolve::Resolution& resolution) {
  std::vector<std::string> unnamed;
  for (resolve::Choice& choice : resolution.choices) {
    if (const lockfile::Module* module = lock.find_module(choice.name))
      choice.reason = module->reason;
    else
      unnamed.push_back(choice.name + " " + choice.version.text());
  }
  if (!unnamed.empty())
    throw Error(ErrorKind::Unsatisfiable,
                _("the catalog's modules now need others, which the lock does not name"),
                text::join(unnamed, ", "))
        .hint(_("make a new lock on a machine that is as you want it: las upgrade && las lock"));
}

std::vector<state::WorldEntry> next_world(const lockfile::Document& wanted,
                                          const state::Generation& present,
                                          std::vector<state::WorldEntry> world) {
  if (is_lock(wanted))
    return wanted.world;
  for (state::WorldEntry& entry : world) {
    const lockfile::Module* module = wanted.find_module(entry.module);
    if (module == nullptr)
      continue;
    const auto before =
        std::find_if(present.world.begin(), present.world.end(), [&](const auto& known) {
          return known.module == entry.module;
        });
    entry.held = module->hold.value_or(before != present.world.end() && before->held);
  }
  return world;
}

void change_reasons(const state::Generation& present,
                    const resolve::Resolution& resolution,
                    plan::Plan& plan) {
  for (const resolve::Choice& choice : resolution.choices) {
    const state::InstalledModule* installed = present.find(choice.name);
    if (installed != nullptr && installed->reason != choice.reason)
      plan.reasons[choice.name] = choice.reason;
  }
}

// The first source that can deliver exactly what the lock names.
catalog::Source source_for(Session& session,
                           const lockfile::Module& module,
                           const std::vector<catalog::Source>& sources) {
  std::vector<source::InputArtifact> artifacts;
  for (const state::InstalledArtifact& artifact : module.source.artifacts)
    artifacts.push_back({artifact.from, artifact.digest});
  Error fault(ErrorKind::Unsatisfiable,
              fmt::format(fmt::runtime(_("the catalog no longer has the {} source that the lock "
                                         "names")),
                          module.source.kind),
              module.name + " " + module.exact_version());
  for (const catalog::Source& source : sources) {
    const auto kind = session.sources().find(source.kind());
    if (source.kind() != module.source.kind || kind == session.sources().end())
      continue;
    try {
      return artifacts.empty() ? source : kind->second->bound_to(source, artifacts);
    } catch (const Error& error) {
      // Other bytes under the same address are worse than another address.
      if (fault.kind() != ErrorKind::Integrity)
        fault = error;
    }
  }
  fault.context(fmt::format(fmt::runtime(_("looking for what the lock names of {} {}")),
                            module.name,
                            module.exact_version()));
  const std::string lock_anew = fmt::format("las install --reinstall {} && las lock", module.name);
  throw fault.hint(
      fault.kind() == ErrorKind::Integrity
          ? fmt::format(
                fmt::runtime(_("these bytes were replaced since the lock was made; find out "
                               "why, and only then lock the new ones: {}")),
                lock_anew)
          : fmt::format(fmt::runtime(_("see its sources with: las show {}; to lock what there is "
                                       "now: {}")),
                        module.name,
                        lock_anew));
}

void hold_to_bytes(Session& session, const lockfile::Document& lock, plan::Plan& plan) {
  for (plan::PlannedAction& action : plan.actions) {
    const lockfile::Module* module = lock.find_module(action.subject);
    if (module == nullptr || action.sources.empty())
      continue;
    action.sources = {source_for(session, *module, action.sources)};
    plan::describe_preferred_source(action);
  }
}

Reinstallations made_of_other_bytes(const lockfile::Document& wanted,
                                    const state::Generation& present) {
  Reinstallations anew;
  if (!is_lock(wanted))
    return anew;
  for (const lockfile::Module& module : wanted.modules) {
    const state::InstalledModule* installed = present.find(module.name);
    if (installed != nullptr && is_build(*installed, module) && !is_made_of(*installed, module))
      anew[module.name] = _("the lock names other bytes");
  }
  return anew;
}

}  // namespace

PreparedPlan plan_modules(Session& session,
                          const ApplyRequest& request,
                          const lockfile::Document& wanted,
                          const state::Generation& present,
                          std::vector<std::string>& modules_after,
                          const Activity& activity) {
  if (is_lock(wanted))
    check_catalog(session, request.file, wanted, present, activity);
  const state::Generation seen = without_unwanted(present, wanted, request.prune);
  const resolve::Request wishes = request_for(wanted);
  resolve::Outcome outcome = resolve::resolve(
      wishes,
      {session.catalog(activity), session.profile(activity), session.verdict(activity), seen});
  if (outcome.explanation)
    throw resolve::to_error(*outcome.explanation);
  resolve::Resolution& resolution = *outcome.resolution;
  if (is_lock(wanted))
    adopt_reasons(wanted, resolution);

  PreparedPlan prepared = plan_resolution(
      session, seen, wishes, resolution, made_of_other_bytes(wanted, present), activity);
  for (plan::PlannedAction& action : prepared.plan.actions) {
    if (action.action == plan::Action::Remove)
      action.why = _("not in the file, and nothing there needs it");
    else if (is_lock(wanted) && action.action != plan::Action::Undeploy &&
             action.action != plan::Action::Reinstall)
      action.why = _("as the lock names it");
  }
  if (is_lock(wanted))
    hold_to_bytes(session, wanted, prepared.plan);
  change_reasons(present, resolution, prepared.plan);
  prepared.plan.world = next_world(wanted, present, std::move(prepared.plan.world));
  for (const resolve::Choice& choice : resolution.choices)
    modules_after.push_back(choice.name);
  return prepared;
}

}  // namespace las::app
