// SPDX-License-Identifier: Apache-2.0
// gc, clean, audit: making room, and the trail of what was done.
#include "command.hpp"
#include "render.hpp"

#include "las/app/clean.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

template <typename Number>
std::optional<Number> whole_number(const std::string& text) {
  Number number{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return number;
}

// ---- gc, clean

// "30d", "12h", "2w".
std::chrono::seconds parse_age(const std::string& text) {
  static const std::map<char, std::chrono::seconds> kUnits = {
      {'h', std::chrono::hours(1)}, {'d', std::chrono::hours(24)}, {'w', std::chrono::hours(168)}};
  const auto unit = text.empty() ? kUnits.end() : kUnits.find(text.back());
  const auto number = unit == kUnits.end()
                          ? std::nullopt
                          : whole_number<std::uint32_t>(text.substr(0, text.size() - 1));
  if (!number)
    throw Error(ErrorKind::Usage, _("not an age"), "'" + text + "'")
        .hint(_("write it like 12h, 30d or 4w"));
  return unit->second * *number;
}

ByteSize total(const std::vector<transaction::Garbage>& garbage) {
  ByteSize sum;
  for (const transaction::Garbage& one : garbage)
    sum += one.size;
  return sum;
}

ordered_json garbage_json(const transaction::Survey& survey) {
  ordered_json all = ordered_json::array();
  for (const transaction::Garbage& one : survey.garbage)
    all.push_back({{"kind", std::string(transaction::to_string(one.kind))},
                   {"name", one.name},
                   {"path", one.path.string()},
                   {"bytes", one.size.bytes()}});
  return all;
}

ordered_json in_use_json(const transaction::Survey& survey) {
  ordered_json all = ordered_json::array();
  for (const transaction::InUse& one : survey.in_use)
    all.push_back({{"name", one.name}, {"user", one.user}});
  return all;
}

int run_gc(Context& context, const transaction::GarbageRules& rules) {
  const transaction::Survey survey = app::plan_collection(context.session, rules, context.activity);
  for (const transaction::InUse& one : survey.in_use)
    context.note(fmt::format(
        fmt::runtime(_("{} is of no generation, but stays: {} uses it")), one.name, one.user));
  const bool looks = context.options.dry_run;
  if (survey.garbage.empty() || looks) {
    if (context.options.json) {
      context.print_json({{"success", true},
                          {"changed", false},
                          {"garbage", garbage_json(survey)},
                          {"outside", strings_json(survey.outside)},
                          {"in_use", in_use_json(survey)}});
      return looks && !survey.garbage.empty() && context.options.detailed_exit ? 10 : 0;
    }
    if (survey.garbage.empty()) {
      context.note(_("There is nothing to collect."));
      return 0;
    }
  }
  if (!context.options.json && !context.options.quiet) {
    std::vector<std::vector<std::string>> rows;
    for (const transaction::Garbage& one : survey.garbage)
      rows.push_back(
          {std::string(transaction::to_string(one.kind)), one.name, one.size.to_string()});
    for (const std::string& one : survey.outside) {
      const auto space = one.find(' ');
      rows.push_back({one.substr(0, space), one.substr(space + 1), ""});
    }
    context.out << render_table({_("kind"), _("name"), _("size")}, rows)
                << fmt::format(fmt::runtime(_("Together: {}")), total(survey.garbage).to_string())
                << "\n"
                << std::flush;
  }
  if (looks)
    return context.options.detailed_exit ? 10 : 0;
  if (!context.confirm(_("Remove them?"))) {
    context.unchanged(_("Nothing was changed."), false);
    return 1;
  }
  const transaction::Collected done =
      app::collect(context.session, rules, survey.garbage, context.activity);
  if (context.options.json)
    context.print_json({{"success", done.failed.empty()},
                        {"changed", done.removed > 0},
                        {"removed", done.removed},
                        {"freed_bytes", done.freed.bytes()},
                        {"failed", strings_json(done.failed)},
                        {"in_use", in_use_json(survey)}});
  else
    context.note(fmt::format(fmt::runtime(_("{} freed.")), done.freed.to_string()));
  if (!done.failed.empty() && !context.options.json)
    throw Error(
        ErrorKind::Io, _("some of what nothing needs could not be removed"), done.failed.front())
        .hint(_("when the cause is mended, try again: las gc"));
  return done.failed.empty() ? 0 : 1;
}

int run_clean(Context& context) {
  const std::vector<app::CachePart> parts = app::cache_parts(context.session);
  ByteSize sum;
  ordered_json all = ordered_json::array();
  for (const app::CachePart& part : parts) {
    sum += part.size;
    all.push_back({{"path", part.path.string()}, {"bytes", part.size.bytes()}});
    if (!context.options.json && !context.options.quiet)
      context.out << part.path.string() << "  " << part.size.to_string() << "\n";
  }
  if (parts.empty()) {
    context.unchanged(_("The cache is empty."));
    return 0;
  }
  if (context.options.dry_run) {
    if (context.options.json)
      context.print_json({{"success", true}, {"changed", false}, {"cache", std::move(all)}});
    return context.options.detailed_exit ? 10 : 0;
  }
  app::clean(context.session, parts, context.activity);
  if (context.options.json)
    context.print_json({{"success", true}, {"changed", true}, {"cache", std::move(all)}});
  else
    context.note(fmt::format(fmt::runtime(_("{} freed.")), sum.to_string()));
  return 0;
}

// ---- audit

std::vector<state::AuditEntry> audit_entries(Context& context) {
  std::vector<state::AuditEntry> entries;
  context.session.store().read(
      [&](const state::ReadTransaction& state) { entries = state.audit(); });
  return entries;
}

int run_audit(Context& context) {
  const std::vector<state::AuditEntry> entries = audit_entries(context);
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const state::AuditEntry& entry : entries)
      all.push_back({{"number", entry.number},
                     {"at", entry.at},
                     {"user", entry.user},
                     {"sudo_user", entry.sudo_user},
                     {"operation_id", entry.operation_id},
                     {"event", entry.event},
                     {"subject", entry.subject},
                     {"detail", entry.detail},
                     {"previous", entry.previous},
                     {"hash", entry.hash}});
    context.print_json({{"entries", std::move(all)}});
    return 0;
  }
  for (const state::AuditEntry& entry : entries)
    context.out << entry.number << "  " << entry.at << "  " << shown(entry.user) << "  "
                << entry.event << "  " << shown(entry.subject)
                << (entry.detail.empty() ? "" : "  " + shown(entry.detail)) << "\n";
  if (entries.empty())
    context.note(_("Nothing was done yet."));
  return 0;
}

int run_audit_verify(Context& context, const std::string& head) {
  const std::vector<state::AuditEntry> entries = audit_entries(context);
  std::vector<state::AuditFault> faults = state::check_audit(entries);
  const bool head_known =
      head.empty() || std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
        return entry.hash == head;
      });
  if (!head_known)
    faults.push_back({0, _("no entry has the hash that was noted: entries were taken away")});
  const std::string newest = entries.empty() ? std::string() : entries.back().hash;
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const state::AuditFault& fault : faults)
      all.push_back({{"number", fault.number}, {"cause", fault.cause}});
    context.print_json({{"clean", faults.empty()},
                        {"entries", entries.size()},
                        {"head", newest},
                        {"faults", std::move(all)}});
    return faults.empty() ? 0 : 6;
  }
  for (const state::AuditFault& fault : faults)
    context.out << fault.number << ": " << fault.cause << "\n";
  context.out << fmt::format(fmt::runtime(_("{} entries; the newest hash is {}")),
                             entries.size(),
                             newest.empty() ? "-" : newest)
              << "\n";
  if (faults.empty())
    context.note(
        _("The chain is whole. Note the hash elsewhere, and give it with --head later, to "
          "see that nothing was taken from the end."));
  return faults.empty() ? 0 : 6;
}

}  // namespace

Run setup_gc(CLI::App& app) {
  struct Options {
    std::string keep, older_than;
  };

  auto options = std::make_shared<Options>();
  app.add_option("--keep", options->keep, _("remove generations too, but for the newest N"))
      ->type_name("N");
  app.add_option("--older-than",
                 options->older_than,
                 _("remove generations too that were made longer ago (12h, 30d, 4w)"))
      ->type_name("AGE");
  return [options](Context& context) {
    transaction::GarbageRules rules;
    if (!options->keep.empty()) {
      rules.keep = whole_number<std::size_t>(options->keep);
      if (!rules.keep || *rules.keep == 0)
        throw Error(ErrorKind::Usage, _("not a number of generations"), "'" + options->keep + "'")
            .hint(_("the current one always stays: at least 1"));
    }
    if (!options->older_than.empty())
      rules.older_than = parse_age(options->older_than);
    return run_gc(context, rules);
  };
}

Run setup_clean(CLI::App&) {
  return [](Context& context) { return run_clean(context); };
}

Run setup_audit(CLI::App&) {
  return [](Context& context) { return run_audit(context); };
}

Run setup_audit_verify(CLI::App& app) {
  auto head = std::make_shared<std::string>();
  app.add_option("--head", *head, _("a hash that was noted before: it has to be in the chain"))
      ->type_name("HASH");
  return [head](Context& context) { return run_audit_verify(context, *head); };
}

}  // namespace las::cli
