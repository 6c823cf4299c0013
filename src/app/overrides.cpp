// SPDX-License-Identifier: Apache-2.0
#include "las/app/overrides.hpp"

#include "las/app/policies.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

namespace {

constexpr const char* kAdd = "add";
constexpr const char* kRevert = "revert";

std::vector<OverrideView> fold(const std::vector<state::OverrideEvent>& events,
                               std::chrono::system_clock::time_point now) {
  std::vector<OverrideView> views;
  for (const state::OverrideEvent& event : events) {
    if (event.action == kAdd) {
      OverrideView view{event.id,
                        event.capability,
                        event.reason,
                        event.until,
                        event.at,
                        actor(event),
                        "",
                        "",
                        {}};
      // An end that cannot be read is over: an exception must not outlive its damaged record.
      const auto end = platform::from_iso8601(event.expires_at);
      if (!event.expires_at.empty() && (!end || *end <= now))
        view.state = OverrideState::Expired;
      views.push_back(std::move(view));
      continue;
    }
    for (OverrideView& view : views) {
      if (view.id != event.id)
        continue;
      view.state = OverrideState::Reverted;
      view.reverted_at = event.at;
      view.reverted_by = actor(event);
    }
  }
  return views;
}

state::OverrideEvent new_event(Session& session, const char* action) {
  state::OverrideEvent event;
  event.action = action;
  event.at = platform::to_iso8601(session.clock().now());
  event.user = session.environment().user;
  event.sudo_user = session.environment().get("SUDO_USER").value_or("");
  event.operation_id = session.options().operation_id;
  return event;
}

std::string end_of(Session& session, const std::string& until) {
  if (until.empty())
    return {};
  const auto end = platform::end_of_local_day(until);
  if (!end)
    throw Error(ErrorKind::Usage, _("not a date such as 2026-12-31"), "'" + until + "'")
        .hint(_("las override add NAME --reason \"...\" --until YYYY-MM-DD"));
  if (*end <= session.clock().now())
    throw Error(ErrorKind::Usage, _("this day is over already"), until)
        .hint(_("leave --until out for an override that holds until it is reverted"));
  return platform::to_iso8601(*end);
}

}  // namespace

std::string_view to_string(OverrideState state) {
  switch (state) {
    case OverrideState::InForce:
      return "in-force";
    case OverrideState::Expired:
      return "expired";
    case OverrideState::Reverted:
      return "reverted";
  }
  return "in-force";
}

std::string actor(const state::OverrideEvent& event) {
  if (event.sudo_user.empty() || event.sudo_user == event.user)
    return event.user;
  return fmt::format(fmt::runtime(_("{} (sudo by {})")), event.user, event.sudo_user);
}

std::vector<OverrideView> overrides(Session& session) {
  std::vector<state::OverrideEvent> events;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { events = transaction.override_events(); });
  return fold(events, session.clock().now());
}

std::vector<policy::Override> overrides_in_force(Session& session) {
  std::vector<policy::Override> all;
  for (const OverrideView& view : overrides(session)) {
    if (view.state == OverrideState::InForce)
      all.push_back({view.id, view.capability, view.reason});
  }
  return all;
}

AddedOverride add_override(Session& session,
                           const OverrideRequest& request,
                           bool only_check,
                           const Activity& activity) {
  const std::string reason(text::trim(request.reason));
  if (reason.empty())
    throw Error(ErrorKind::Usage, _("an override needs a reason"), request.capability)
        .hint(fmt::format("las override add {} --reason \"...\"", request.capability));
  const std::string expires_at = end_of(session, request.until);
  require_capability(session, request.capability, activity);
  if (!only_check)
    session.writer(activity);

  for (const OverrideView& view : overrides(session)) {
    if (view.capability != request.capability || view.state != OverrideState::InForce)
      continue;
    if (view.reason == reason && view.until == request.until)
      return {false,
              view,
              fmt::format(
                  fmt::runtime(_("{} is overridden already, by {}.")), view.capability, view.id)};
    throw Error(
        ErrorKind::Usage,
        fmt::format(
            fmt::runtime(_("an override of it is in force already, {}: {}")), view.id, view.reason),
        request.capability)
        .hint("las override revert " + view.id);
  }
  const policy::Decision decision = session.verdict(activity).decide(request.capability);
  if (decision.allowed)
    return {false,
            {},
            fmt::format(fmt::runtime(decision.rule.empty()
                                         ? _("No policy rule names {}: it needs no override.")
                                         : _("{} is allowed on this machine: it needs no "
                                             "override.")),
                        request.capability)};

  state::OverrideEvent event = new_event(session, kAdd);
  event.capability = request.capability;
  event.reason = reason;
  event.until = request.until;
  event.expires_at = expires_at;
  if (!only_check)
    session.store().write([&](state::WriteTransaction& transaction) {
      const std::vector<state::OverrideEvent> events = transaction.override_events();
      event.id = fmt::format("ov-{}", events.empty() ? 1 : events.back().number + 1);
      transaction.add_override_event(event);
    });
  return {
      true,
      {event.id, event.capability, event.reason, event.until, event.at, actor(event), "", "", {}},
      fmt::format(fmt::runtime(_("Without it: {}.")), decision.explanation)};
}

RevertedOverride revert_override(Session& session,
                                 const std::string& id,
                                 bool only_check,
                                 const Activity& activity) {
  const auto find = [&] {
    const std::vector<OverrideView> all = overrides(session);
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const OverrideView& v) { return v.id == id; });
    if (found == all.end())
      throw Error(ErrorKind::NotFound, _("there is no such override"), id)
          .hint(_("see them with: las override list"));
    return *found;
  };
  if (find().state == OverrideState::Reverted || only_check) {
    OverrideView view = find();
    const bool would_change = view.state != OverrideState::Reverted;
    return {would_change, std::move(view)};
  }
  session.writer(activity);
  OverrideView view = find();
  state::OverrideEvent event = new_event(session, kRevert);
  event.id = view.id;
  event.capability = view.capability;
  event.reason = view.reason;
  event.until = view.until;
  session.store().write(
      [&](state::WriteTransaction& transaction) { transaction.add_override_event(event); });
  view.state = OverrideState::Reverted;
  view.reverted_at = event.at;
  view.reverted_by = actor(event);
  return {true, std::move(view)};
}

}  // namespace las::app
