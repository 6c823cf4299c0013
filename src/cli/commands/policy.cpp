// SPDX-License-Identifier: Apache-2.0
// policy show, list, explain, test, lint.
#include "command.hpp"
#include "render.hpp"

#include "las/app/policies.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

template <typename... Values>
std::string sentence(const std::string& format, const Values&... values) {
  return fmt::format(fmt::runtime(format), values...);
}

std::string place(const std::string& file, int line) {
  return sentence(_("{}, line {}"), file, line);
}

std::string truth_word(policy::Truth truth) {
  switch (truth) {
    case policy::Truth::True:
      return _("holds");
    case policy::Truth::False:
      return _("does not hold");
    case policy::Truth::Unknown:
      break;
  }
  return _("unknown");
}

ordered_json truth_json(policy::Truth truth) {
  if (truth == policy::Truth::Unknown)
    return nullptr;
  return truth == policy::Truth::True;
}

ordered_json trace_json(const std::vector<policy::TraceEntry>& trace) {
  ordered_json all = ordered_json::array();
  for (const policy::TraceEntry& entry : trace)
    all.push_back({{"rule", entry.rule},
                   {"fact", entry.fact},
                   {"value", entry.fact_value},
                   {"shown", entry.fact_shown},
                   {"origin", entry.fact_origin},
                   {"condition", entry.condition},
                   {"outcome", truth_json(entry.outcome)}});
  return all;
}

ordered_json decision_json(const std::string& capability, const policy::Decision& decision) {
  ordered_json reasons = ordered_json::array();
  for (const policy::Reason& reason : decision.reasons)
    reasons.push_back({{"rule", reason.rule},
                       {"description", reason.description},
                       {"file", reason.file},
                       {"line", reason.line},
                       {"needs", reason.needs},
                       {"has", reason.has},
                       {"facts", trace_json(reason.facts)},
                       {"remedies", strings_json(reason.remedies)},
                       {"instead", strings_json(reason.instead)}});
  return {
      {"capability", capability},
      {"allowed", decision.allowed},
      {"rule", decision.rule},
      {"explanation", decision.explanation},
      {"override",
       decision.override_id.empty() ? ordered_json(nullptr) : ordered_json(decision.override_id)},
      {"reasons", std::move(reasons)}};
}

ordered_json tier_json(const policy::Verdict& verdict) {
  ordered_json next = nullptr;
  if (verdict.next_tier)
    next = {{"tier", verdict.next_tier->tier},
            {"description", verdict.next_tier->description},
            {"rule", verdict.next_tier->rule},
            {"needs", verdict.next_tier->needs},
            {"has", verdict.next_tier->has}};
  return {{"tier", verdict.tier},
          {"description", verdict.tier_description},
          {"tier_rule", verdict.tier_rule},
          {"max_model_billions",
           verdict.max_model_billions ? ordered_json(*verdict.max_model_billions)
                                      : ordered_json(nullptr)},
          {"limit_rule", verdict.limit_rule},
          {"next_tier", std::move(next)}};
}

std::string tier_line(const policy::Verdict& verdict) {
  if (verdict.tier.empty())
    return _("No rule gives this machine a tier.");
  return verdict.tier_description.empty()
             ? sentence(_("This machine is in tier {}."), verdict.tier)
             : sentence(
                   _("This machine is in tier {}: {}."), verdict.tier, verdict.tier_description);
}

std::string models_line(const policy::Verdict& verdict) {
  return verdict.max_model_billions
             ? sentence(_("Models up to about {:g} billion parameters (4-bit) are sensible here."),
                        *verdict.max_model_billions)
             : _("No rule limits the size of models here.");
}

int show_verdict(Context& context) {
  const policy::Verdict& verdict = context.session.verdict(context.activity);
  if (context.options.json) {
    ordered_json document = tier_json(verdict);
    document["features"] = strings_json(verdict.features);
    document["rules"] = strings_json(verdict.matched_rules);
    document["decisions"] = ordered_json::array();
    for (const auto& [capability, decision] : verdict.decisions)
      document["decisions"].push_back(decision_json(capability, decision));
    document["trace"] = trace_json(verdict.trace);
    context.print_json(std::move(document));
    return 0;
  }
  context.out << context.bold(tier_line(verdict)) << "\n" << models_line(verdict) << "\n";
  std::vector<std::string> allowed;
  std::vector<std::string> denied, overridden;
  for (const auto& [capability, decision] : verdict.decisions) {
    if (!decision.allowed)
      denied.push_back(decision.explanation);
    else if (!decision.override_id.empty())
      overridden.push_back(decision.explanation);
    else
      allowed.push_back(capability);
  }
  context.out << "\n"
              << context.bold(_("Allowed")) << "\n  "
              << (allowed.empty() ? _("nothing that a rule names") : text::join(allowed, ", "))
              << "\n";
  const auto print = [&](const std::string& heading, const std::vector<std::string>& lines) {
    if (lines.empty())
      return;
    context.out << "\n" << context.bold(heading) << "\n";
    for (const std::string& line : lines)
      context.out << "  " << line << "\n";
  };
  print(_("Allowed by an override"), overridden);
  print(_("Denied"), denied);
  context.note(_("More about one of them: las policy explain NAME"));
  return 0;
}

std::string gives(const policy::Rule& rule) {
  std::vector<std::string> parts;
  if (rule.tier)
    parts.push_back(sentence(_("tier {}"), *rule.tier));
  if (rule.max_model_billions)
    parts.push_back(
        sentence(_("models up to {}"), policy::spell_model_size(*rule.max_model_billions)));
  std::vector<std::string> allowed = rule.allow_runtimes;
  allowed.insert(allowed.end(), rule.allow_features.begin(), rule.allow_features.end());
  if (!allowed.empty())
    parts.push_back(sentence(_("allows {}"), text::join(allowed, " ")));
  if (!rule.deny.empty())
    parts.push_back(sentence(_("denies {}"), text::join(rule.deny, " ")));
  return parts.empty() ? "-" : text::join(parts, ", ");
}

int list_rules(Context& context) {
  const std::vector<policy::Rule>& rules = context.session.rules();
  const policy::Verdict& verdict = context.session.verdict(context.activity);
  ordered_json all = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const policy::Rule& rule = rules[i];
    const policy::Truth truth = verdict.outcomes[i].truth;
    rows.push_back(
        {rule.name, truth_word(truth), gives(rule), sentence("{}:{}", rule.file, rule.line)});
    ordered_json item = {
        {"name", rule.name},
        {"description", rule.description},
        {"layer", std::string(policy::to_string(rule.layer))},
        {"file", rule.file},
        {"line", rule.line},
        {"holds", truth_json(truth)},
        {"tier", rule.tier ? ordered_json(*rule.tier) : ordered_json(nullptr)},
        {"max_model_billions",
         rule.max_model_billions ? ordered_json(*rule.max_model_billions) : ordered_json(nullptr)},
        {"runtimes", strings_json(rule.allow_runtimes)},
        {"features", strings_json(rule.allow_features)},
        {"deny", strings_json(rule.deny)},
        {"extends", rule.extends},
        {"replaces", rule.replaces}};
    all.push_back(std::move(item));
  }
  if (context.options.json)
    context.print_json({{"rules", std::move(all)}});
  else
    context.out << render_table({_("RULE"), _("HERE"), _("GIVES"), _("FROM")}, rows);
  return 0;
}

// "gpu.compute_capability is 6.1 (NVML)".
std::string fact_line(const policy::TraceEntry& entry) {
  if (entry.fact.empty())
    return _("it holds on every machine");
  if (!entry.fact_known)
    return sentence(_("{} is unknown: {}"), entry.fact, entry.fact_origin);
  return sentence(_("{} is {}, read from {}"), entry.fact, entry.fact_shown, entry.fact_origin);
}

void print_rule(Context& context,
                const std::string& name,
                const std::string& description,
                const std::string& where) {
  context.out << sentence(description.empty() ? _("  The rule {} says so.")
                                              : _("  The rule {} says so ({})."),
                          context.bold(name),
                          description)
              << "\n"
              << context.dim("    " + where) << "\n";
}

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

void print_reason(Context& context, const policy::Reason& reason, bool first) {
  if (reason.needs.empty())
    context.out << (first ? _("It is denied on every machine.")
                          : _("It is denied on every machine as well."))
                << "\n";
  else
    context.out << sentence(first ? _("It needs {}; this machine has {}.")
                                  : _("It also needs {}; this machine has {}."),
                            reason.needs,
                            reason.has)
                << "\n";
  print_rule(context, reason.rule, reason.description, place(reason.file, reason.line));
  for (const policy::TraceEntry& entry : reason.facts)
    context.out << context.dim("    " + fact_line(entry)) << "\n";
}

std::vector<std::string> collect(const policy::Decision& decision,
                                 std::vector<std::string> policy::Reason::*member) {
  std::vector<std::string> all;
  for (const policy::Reason& reason : decision.reasons) {
    for (const std::string& item : reason.*member) {
      if (std::find(all.begin(), all.end(), item) == all.end())
        all.push_back(item);
    }
  }
  return all;
}

void print_help(Context& context, const std::string& capability, const policy::Decision& decision) {
  context.out << "\n" << context.bold(_("What would help")) << "\n";
  for (const std::string& remedy : collect(decision, &policy::Reason::remedies))
    context.out << "  " << capital(remedy) << "\n";
  const std::vector<std::string> instead = collect(decision, &policy::Reason::instead);
  if (!instead.empty())
    context.out << sentence(_("  In its place: {}"), text::join(instead, _(" or "))) << "\n";
  context.out << sentence(_("  If you know better: las override add {} --reason \"...\""),
                          capability)
              << "\n";
}

void explain_allowed(Context& context,
                     const std::string& capability,
                     const policy::Decision& decision) {
  if (decision.rule.empty()) {
    context.out << sentence(_("{} may be used on this machine: no policy rule forbids it."),
                            capability)
                << "\n";
    return;
  }
  context.out << context.bold(sentence(_("{} may be used on this machine."), capability)) << "\n\n";
  for (const policy::Rule& rule : context.session.rules()) {
    if (rule.name == decision.rule)
      print_rule(context, rule.name, rule.description, place(rule.file, rule.line));
  }
  for (const policy::TraceEntry& entry : context.session.verdict(context.activity).trace) {
    if (entry.rule == decision.rule)
      context.out << context.dim("    " + fact_line(entry)) << "\n";
  }
}

int explain_capability(Context& context, const std::string& capability) {
  app::require_capability(context.session, capability, context.activity);
  const policy::Decision decision = context.session.verdict(context.activity).decide(capability);
  if (context.options.json) {
    context.print_json(decision_json(capability, decision));
    return 0;
  }
  if (decision.reasons.empty()) {
    explain_allowed(context, capability, decision);
    return 0;
  }
  context.out << context.bold(sentence(
                     decision.allowed ? _("{} may be used on this machine only by the override {}.")
                                      : _("{} may not be used on this machine."),
                     capability,
                     decision.override_id))
              << "\n\n";
  for (std::size_t i = 0; i < decision.reasons.size(); ++i)
    print_reason(context, decision.reasons[i], i == 0);
  if (!decision.allowed)
    print_help(context, capability, decision);
  return 0;
}

int explain_tier(Context& context) {
  const policy::Verdict& verdict = context.session.verdict(context.activity);
  std::vector<policy::TraceEntry> trace;
  for (const policy::TraceEntry& entry : verdict.trace) {
    if (entry.rule == verdict.tier_rule)
      trace.push_back(entry);
  }
  if (context.options.json) {
    ordered_json document = tier_json(verdict);
    document["trace"] = trace_json(trace);
    context.print_json(std::move(document));
    return 0;
  }
  context.out << context.bold(tier_line(verdict)) << "\n" << models_line(verdict) << "\n\n";
  for (const policy::Rule& rule : context.session.rules()) {
    if (rule.name == verdict.tier_rule)
      print_rule(context, rule.name, "", place(rule.file, rule.line));
  }
  std::vector<std::string> told;
  for (const policy::TraceEntry& entry : trace) {
    const std::string line = fact_line(entry);
    if (std::find(told.begin(), told.end(), line) != told.end())
      continue;
    told.push_back(line);
    context.out << context.dim("    " + line) << "\n";
  }
  if (!verdict.limit_rule.empty() && verdict.limit_rule != verdict.tier_rule)
    context.out << "\n"
                << sentence(_("The limit on models comes from the rule {}."), verdict.limit_rule)
                << "\n";
  if (verdict.next_tier)
    context.out << "\n"
                << sentence(_("For {} it would need {}; it has {}."),
                            verdict.next_tier->description.empty()
                                ? sentence(_("tier {}"), verdict.next_tier->tier)
                                : verdict.next_tier->description,
                            verdict.next_tier->needs,
                            verdict.next_tier->has)
                << "\n";
  return 0;
}

std::string subject_of(const policy::Expectation& expectation) {
  using Kind = policy::Expectation::Kind;
  switch (expectation.kind) {
    case Kind::Tier:
      return _("tier");
    case Kind::Models:
      return _("models");
    case Kind::Features:
      return _("features");
    case Kind::Capability:
      return expectation.subject;
    case Kind::Why:
      break;
  }
  return sentence(_("why not {}"), expectation.subject);
}

int run_test(Context& context, const std::string& file) {
  const app::PolicyTest result = app::test_policies(context.session, file);
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const policy::Mismatch& item : result.mismatches)
      all.push_back({{"machine", item.expectation.machine},
                     {"line", item.expectation.line},
                     {"subject", subject_of(item.expectation)},
                     {"expected", item.expectation.expected},
                     {"actual", item.actual},
                     {"explanation", item.explanation}});
    context.print_json({{"machines", result.machines},
                        {"expectations", result.expectations},
                        {"mismatches", std::move(all)}});
    return result.mismatches.empty() ? 0 : 1;
  }
  for (const policy::Mismatch& item : result.mismatches) {
    context.out << sentence("{}:{}: {}: {}\n",
                            file,
                            item.expectation.line,
                            item.expectation.machine,
                            subject_of(item.expectation))
                << context.paint(sentence(_("  expected  {}"), item.expectation.expected), 32)
                << "\n"
                << context.paint(sentence(_("  got       {}"), item.actual), 31) << "\n";
    if (!item.explanation.empty())
      context.out << context.dim("            " + item.explanation) << "\n";
  }
  context.note(sentence(_("{} machines, {} expectations, {} not met."),
                        result.machines,
                        result.expectations,
                        result.mismatches.size()));
  return result.mismatches.empty() ? 0 : 1;
}

}  // namespace

Run setup_policy_show(CLI::App&) {
  return show_verdict;
}

Run setup_policy_list(CLI::App&) {
  return list_rules;
}

Run setup_policy_explain(CLI::App& app) {
  auto capability = std::make_shared<std::string>();
  CLI::Option* option =
      app.add_option(
             "capability", *capability, _("a module, an engine or a feature; none: the tier"))
          ->type_name(kind::kCapability);
  return [capability, option](Context& context) {
    return option->count() == 0 ? explain_tier(context) : explain_capability(context, *capability);
  };
}

Run setup_policy_test(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.add_option("file", *file, _("machines and their expected verdicts (YAML)"))
      ->required()
      ->type_name(kind::kFile);
  return [file](Context& context) { return run_test(context, *file); };
}

Run setup_policy_lint(CLI::App& app) {
  auto paths = std::make_shared<std::vector<std::string>>();
  app.add_option("paths", *paths, _("files or folders; none: the rules in force"))
      ->type_name(kind::kFile);
  return [paths](Context& context) {
    return show_lint(context, app::lint_policies(context.session, *paths));
  };
}

}  // namespace las::cli
