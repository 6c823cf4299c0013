// SPDX-License-Identifier: Apache-2.0
#include "las/app/install.hpp"

#include "installed_manifest.hpp"
#include "instances.hpp"
#include "planning.hpp"
#include "purge.hpp"
#include "world.hpp"

#include "las/app/overrides.hpp"
#include "las/app/registries.hpp"
#include "las/app/verify.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

state::Generation current_generation(Session& session) {
  state::Generation generation;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { generation = transaction.current(); });
  return generation;
}

namespace {

// Services of a module that goes away go first.
void add_undeployments(const state::Generation& present, plan::Plan& plan) {
  std::vector<plan::PlannedAction> first;
  for (const plan::PlannedAction& action : plan.actions) {
    if (action.action != plan::Action::Remove)
      continue;
    for (const state::ServiceInstance& service : present.services) {
      if (service.module != action.subject)
        continue;
      for (plan::PlannedAction& undeploy : plan::make_undeploy_plan(present, service.id).actions)
        first.push_back(std::move(undeploy));
    }
  }
  plan.actions.insert(plan.actions.begin(), first.begin(), first.end());
}

// A variant's sources may be for other machines (an arm64 archive beside the x86-64 one), and for
// another mode than was chosen.
void drop_foreign_sources(plan::Plan& plan, const hardware::HardwareProfile& profile) {
  for (plan::PlannedAction& action : plan.actions) {
    if (action.sources.empty())
      continue;
    auto& sources = action.sources;
    sources.erase(std::remove_if(sources.begin(),
                                 sources.end(),
                                 [&](const catalog::Source& source) {
                                   return catalog::to_string(source.mode()) != action.mode ||
                                          !resolve::unmet_needs(source.needs, profile).empty();
                                 }),
                  sources.end());
    plan::describe_preferred_source(action);
  }
}

// The resolver sees nothing to do for a module that is there.
void add_reinstallations(const Reinstallations& anew,
                         const resolve::Resolution& resolution,
                         plan::Plan& plan) {
  for (const auto& [name, why] : anew) {
    const std::string& wanted = name;  // a structured binding cannot be captured
    const auto choice =
        std::find_if(resolution.choices.begin(), resolution.choices.end(), [&](const auto& c) {
          return c.name == wanted && c.already_installed && c.variant != nullptr;
        });
    if (choice == resolution.choices.end())
      continue;
    plan::PlannedAction action;
    action.action = plan::Action::Reinstall;
    action.subject = choice->name;
    action.version = action.old_version = choice->version.text();
    action.variant = choice->variant_name;
    action.mode = std::string(catalog::to_string(choice->mode));
    action.reason = choice->reason;
    action.why = why;
    action.sources = choice->variant->sources;
    action.manifest_directory = choice->manifest->directory;
    action.requires_modules = choice->requires_modules;
    plan::describe_release(
        action, *choice->manifest, choice->manifest->find_release(choice->version));
    plan.actions.push_back(std::move(action));
  }
}

}  // namespace

std::string describe(const state::DataMove& move) {
  const auto word = [](const std::string& format) {
    return format.empty() ? std::string(_("unknown")) : format;
  };
  if (move.kind == state::DataMove::Kind::Copy)
    return fmt::format(
        fmt::runtime(_("{} {} changes the data of {} from format {} to {}; a copy of {} is taken "
                       "first, and going back means going back to it")),
        move.snapshot.module,
        move.to_version,
        move.snapshot.service,
        word(move.snapshot.format),
        word(move.to_format),
        move.snapshot.size.to_string());
  return fmt::format(
      fmt::runtime(_("the data of {} goes back to what it was at {} (format {}); what is there now "
                     "({}) is put aside and not read until format {} is back")),
      move.snapshot.service,
      move.restore ? move.restore->created_at : std::string("?"),
      word(move.to_format),
      move.snapshot.size.to_string(),
      word(move.snapshot.format));
}

void check_base(Session& session, std::uint64_t generation) {
  if (current_generation(session).number != generation)
    throw Error(ErrorKind::Busy, _("the installed state changed since the plan was made"))
        .hint(_("run the command again"));
}

// Which version a distribution's packages have is the distribution's choice: of one release there
// may be a newer build now.
std::string newer_build(Session& session,
                        const state::InstalledModule& installed,
                        const Activity& activity) {
  const auto kind = session.sources().find(installed.source);
  const catalog::Manifest* manifest = session.catalog(activity).find(installed.name);
  const catalog::Release* release =
      manifest == nullptr ? nullptr : manifest->find_release(Version(installed.version));
  if (kind == session.sources().end() || release == nullptr)
    return {};
  for (const catalog::Variant& variant : release->variants) {
    for (const catalog::Source& source : variant.sources) {
      if (variant.name != installed.variant || source.kind() != installed.source ||
          !resolve::unmet_needs(source.needs, session.profile(activity)).empty())
        continue;
      const std::string now = kind->second->newest(source, activity);
      return now == installed.delivered ? std::string() : now;
    }
  }
  return {};
}

PreparedPlan plan_resolution(Session& session,
                             const state::Generation& present,
                             const resolve::Request& request,
                             const resolve::Resolution& resolution,
                             const Reinstallations& anew,
                             const Activity& activity) {
  PreparedPlan prepared;
  prepared.plan = plan::make_plan(present, request, resolution);
  add_reinstallations(anew, resolution, prepared.plan);
  drop_foreign_sources(prepared.plan, session.profile(activity));
  add_undeployments(present, prepared.plan);
  add_recipes(session, prepared.plan, activity);
  add_own_services(session, present, prepared, activity);
  refuse_expired_origins(session, prepared.plan, activity);
  prepared.base_generation = present.number;
  return prepared;
}

void describe_plan(Session& session, PreparedPlan& prepared, const Activity& activity) {
  for (const plan::PlannedAction& action : prepared.plan.actions) {
    for (const catalog::Source& source : action.sources) {
      const auto kind = session.sources().find(source.kind());
      if (kind == session.sources().end())
        continue;
      prepared.sources.push_back(
          {action.subject, source.kind(), kind->second->describe(source), source.note});
    }
  }
  add_override_lines(session, prepared, activity);
}

void add_override_lines(Session& session, PreparedPlan& prepared, const Activity& activity) {
  const std::vector<policy::Override> in_force = overrides_in_force(session);
  if (in_force.empty())
    return;
  for (const plan::PlannedAction& action : prepared.plan.actions) {
    if (action.action == plan::Action::Remove || action.action == plan::Action::Undeploy)
      continue;
    const std::string& module = action.service ? action.service->module : action.subject;
    for (const std::string& capability : {module, action.variant, action.mode}) {
      const policy::Decision decision = session.verdict(activity).decide(capability);
      const auto found = std::find_if(in_force.begin(), in_force.end(), [&](const auto& o) {
        return o.id == decision.override_id;
      });
      if (found != in_force.end())
        prepared.overrides.push_back(
            {action.subject, capability, found->id, found->reason, decision.denial});
    }
  }
}

namespace {

resolve::Request wishes_of(const ChangeRequest& request) {
  resolve::Request wishes;
  for (const std::string& text : request.install) {
    resolve::Wish wish = resolve::parse_wish(text);
    if (!request.variant.empty())
      wish.variant = request.variant;
    if (!request.mode.empty())
      wish.mode = request.mode;
    wishes.install.push_back(std::move(wish));
  }
  wishes.remove = request.remove;
  wishes.upgrade = request.upgrade;
  wishes.upgrade_all = request.upgrade_all;
  wishes.prefer = request.prefer;
  wishes.optionals = request.optionals;
  return wishes;
}

// Going back loses what is written from now on, or finds what was written until now put aside.
void add_data_notes(const std::vector<state::DataMove>& moves, PreparedPlan& prepared) {
  for (const state::DataMove& move : moves)
    prepared.irreversible.push_back(describe(move));
}

// What the plan cannot know or would not do by itself.
void add_notes(const resolve::Resolution& resolution, PreparedPlan& prepared) {
  for (const resolve::Choice& choice : resolution.choices) {
    for (const std::string& tool : choice.unverified_tools)
      prepared.notes.push_back(
          fmt::format(fmt::runtime(_("{} needs {}; las cannot tell whether this machine has it")),
                      choice.name,
                      tool));
  }
  for (const resolve::Explanation::Reason& reason : resolution.passed_over)
    prepared.notes.push_back(
        fmt::format(fmt::runtime(_("not taken: {}: {}")), reason.subject, reason.text));
}

Reinstallations newer_builds(Session& session,
                             const ChangeRequest& request,
                             const state::Generation& present,
                             const resolve::Resolution& resolution,
                             const Activity& activity) {
  Reinstallations newer;
  for (const resolve::Choice& choice : resolution.choices) {
    const state::InstalledModule* installed = present.find(choice.name);
    const bool asked = request.upgrade_all ||
                       std::find(request.upgrade.begin(), request.upgrade.end(), choice.name) !=
                           request.upgrade.end();
    const bool held = std::any_of(present.world.begin(), present.world.end(), [&](const auto& one) {
      return one.module == choice.name && one.held;
    });
    if (installed == nullptr || !asked || held || !choice.already_installed)
      continue;
    if (const std::string now = newer_build(session, *installed, activity); !now.empty())
      newer[choice.name] =
          fmt::format(fmt::runtime(_("the distribution has {} now; {} is installed")),
                      now,
                      installed->delivered);
  }
  return newer;
}

}  // namespace

ChangeOutcome plan_change(Session& session,
                          const ChangeRequest& request,
                          const Activity& activity) {
  const resolve::Request wishes = wishes_of(request);
  const state::Generation present = current_generation(session);
  const resolve::World world = world_of(session, present, activity);
  resolve::Outcome outcome = resolve::resolve(wishes, world);
  if (outcome.explanation)
    return {std::nullopt, std::move(outcome.explanation)};

  Reinstallations anew;
  if (request.upgrade_all || !request.upgrade.empty())
    anew = newer_builds(session, request, present, *outcome.resolution, activity);
  for (const resolve::Wish& wish : wishes.install) {
    if (request.reinstall)
      anew[wish.name] = _("asked for again");
  }
  PreparedPlan prepared =
      plan_resolution(session, present, wishes, *outcome.resolution, anew, activity);
  describe_plan(session, prepared, activity);
  if (request.upgrade_all || !request.upgrade.empty()) {
    prepared.kept_back = resolve::standings(world, wishes, *outcome.resolution);
    auto& all = prepared.kept_back;
    all.erase(std::remove_if(
                  all.begin(), all.end(), [](const auto& one) { return one.kept_back.empty(); }),
              all.end());
  }
  if (request.purge)
    add_purge(session, request.remove, present, prepared);
  for (const std::string& name : request.remove) {
    // One that left data is known, and its data are what a purge is about.
    if (present.find(name) == nullptr && prepared.plan.purge.empty())
      prepared.notes.push_back(
          fmt::format(fmt::runtime(_("{} is not installed, so it is not removed")), name));
  }
  add_notes(*outcome.resolution, prepared);
  prepared.keep_unhealthy = request.keep_unhealthy;
  if (!present.services.empty())
    add_data_notes(transaction::data_moves(session.surroundings(activity), present, prepared.plan),
                   prepared);
  prepared.only_world_changes = prepared.plan.empty() && (prepared.plan.world != present.world ||
                                                          !prepared.plan.requirements.empty());
  return {std::move(prepared), std::nullopt};
}

PreparedPlan prepare_change(Session& session,
                            const ChangeRequest& request,
                            const Activity& activity) {
  ChangeOutcome outcome = plan_change(session, request, activity);
  if (outcome.explanation)
    throw resolve::to_error(*outcome.explanation);
  return *std::move(outcome.prepared);
}

PreparedPlan prepare_hold(Session& session,
                          const std::vector<std::string>& names,
                          HoldWish wish,
                          const Activity& activity) {
  resolve::Request request;
  (wish == HoldWish::Hold ? request.hold : request.unhold) = names;
  const state::Generation present = current_generation(session);
  const resolve::World world = world_of(session, present, activity);
  // The resolver knows the names and what to say about those it does not.
  if (const resolve::Outcome outcome = resolve::resolve(request, world); outcome.explanation)
    throw resolve::to_error(*outcome.explanation);
  PreparedPlan prepared;
  prepared.plan = plan::make_hold_plan(present, request);
  prepared.base_generation = present.number;
  prepared.only_world_changes = prepared.plan.world != present.world;
  return prepared;
}

transaction::Result execute(Session& session,
                            const PreparedPlan& prepared,
                            const Activity& activity) {
  transaction::Transactor& transactor = writer_that_looks(session, activity);
  check_base(session, prepared.base_generation);
  return transactor.run(prepared.plan, session.command_line(), activity, {prepared.keep_unhealthy});
}

transaction::Result rollback(Session& session,
                             std::uint64_t base_generation,
                             std::uint64_t target,
                             const Activity& activity) {
  transaction::Transactor& transactor = writer_that_looks(session, activity);
  check_base(session, base_generation);
  return transactor.switch_to(target, session.command_line(), activity);
}

}  // namespace las::app
