// SPDX-License-Identifier: Apache-2.0
// A scenario run through the resolver and the planner, and what comes of it as text.
#include "support/catch.hpp"
#include "unit/plan/scenario.hpp"

#include "las/base/text.hpp"
#include "las/resolve/inspect.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace scenario {

using namespace las;  // NOLINT: test code about the rooms of las

namespace {

std::string spell(const std::vector<resolve::Explanation::Reason>& reasons) {
  std::string out;
  for (const auto& reason : reasons)
    out += "  " + reason.subject + ": " + reason.text + "\n";
  return out;
}

std::string spell_wish(const state::WorldEntry& entry) {
  std::string wish = entry.module;
  if (!entry.range.empty())
    wish += "@" + entry.range;
  if (!entry.variant.empty())
    wish += " (" + entry.variant + ")";
  if (entry.held)
    wish += entry.wished ? " held" : " only held";
  return wish;
}

std::string spell(const plan::Plan& plan) {
  std::string out;
  for (const plan::PlannedAction& action : plan.actions) {
    out += fmt::format(
        "{}: {}: {}\n", plan::summary(action), state::to_string(action.reason), action.why);
    if (!action.suggests.empty())
      out += "  suggests: " + text::join(action.suggests, ", ") + "\n";
  }
  if (plan.empty())
    out += "nothing to do\n";
  std::vector<std::string> world;
  for (const state::WorldEntry& entry : plan.world)
    world.push_back(spell_wish(entry));
  return out + "world:" + (world.empty() ? "" : " ") + text::join(world, ", ") + "\n";
}

std::string spell(const resolve::Explanation& explanation) {
  using Kind = resolve::Explanation::Kind;
  std::string out = explanation.kind == Kind::UnknownName    ? "unknown name"
                    : explanation.kind == Kind::PolicyDenied ? "policy denied"
                                                             : "unsatisfiable";
  out += ": " + explanation.wanted + "\n" + spell(explanation.reasons);
  for (const std::string& name : explanation.denied)
    out += "  override: " + name + "\n";
  if (!explanation.suggestion.empty())
    out += "  try: " + explanation.suggestion + "\n";
  return out;
}

std::string spell_notes(const resolve::Resolution& resolution) {
  std::string out;
  for (const resolve::Choice& choice : resolution.choices) {
    for (const std::string& tool : choice.unverified_tools)
      out += "not known to be here: " + tool + " for " + choice.name + "\n";
  }
  for (const auto& reason : resolution.passed_over)
    out += "passed over: " + reason.subject + ": " + reason.text + "\n";
  return out;
}

std::string spell(const resolve::Standing& standing) {
  std::string out =
      fmt::format("{} {} ({})", standing.name, standing.installed.text(), standing.variant);
  if (standing.upgradable())
    out += fmt::format(" -> {} ({})", standing.possible.text(), standing.possible_variant);
  if (!standing.newest.empty() && standing.newest != standing.possible)
    out += ", newest " + standing.newest.text();
  return out + "\n" + spell(standing.kept_back);
}

std::string change(const resolve::Request& request, const resolve::World& world) {
  const resolve::Outcome outcome = resolve::resolve(request, world);
  if (!outcome.resolution)
    return spell(*outcome.explanation);
  std::string out = spell(plan::make_plan(world.installed, request, *outcome.resolution)) +
                    spell_notes(*outcome.resolution);
  if (!request.upgrade_all && request.upgrade.empty())
    return out;
  for (const auto& standing : resolve::standings(world, request, *outcome.resolution)) {
    if (!standing.kept_back.empty())
      out += "kept back: " + spell(standing);
  }
  return out;
}

std::string outdated(const resolve::World& world) {
  std::string out;
  for (const auto& standing : resolve::standings(world)) {
    if (standing.upgradable() || !standing.kept_back.empty())
      out += spell(standing);
  }
  return out.empty() ? "all are the newest\n" : out;
}

std::string why(const std::string& name, const resolve::World& world) {
  std::string out = text::join(resolve::chain_to(name, world), " -> ") + "\n";
  for (const auto& user : resolve::dependents_of(name, world))
    out += fmt::format("  {} by {}\n", user.optional ? "suggested" : "needed", user.name);
  return out + spell(resolve::better_variants(name, world));
}

std::string tell_why_not(const resolve::Wish& wish, const resolve::World& world) {
  const resolve::WhyNot answer = resolve::why_not(wish, world);
  std::string out = (answer.possible ? "possible\n" : "not possible\n") + spell(answer.reasons) +
                    spell(answer.consequences);
  return answer.suggestion.empty() ? out : out + "  try: " + answer.suggestion + "\n";
}

// Questions, which are one line; everything else is a request for a change.
std::string answer(const std::string& arguments, const resolve::World& world) {
  const std::string line(text::trim(arguments));
  const std::string command = line.substr(0, line.find(' '));
  const std::string rest = line.substr(std::min(line.size(), command.size() + 1));
  if (command == "outdated")
    return outdated(world);
  if (command == "why")
    return why(rest, world);
  if (command == "why-not")
    return tell_why_not(request("install " + rest).install.at(0), world);
  if (command != "each")
    return change(request(arguments), world);
  std::string out;
  for (const std::string& name : text::split(rest, ' '))
    out += change(request("install " + name), world);
  return out;
}

}  // namespace

std::string run(const Sections& sections, const std::string& source_directory) {
  const auto section = [&](const std::string& name) {
    const auto found = sections.find(name);
    return found == sections.end() ? std::string() : found->second;
  };
  const hardware::HardwareProfile profile = machine(section("MACHINE"));
  const catalog::Catalog all = catalog(section("CATALOG"), source_directory);
  const policy::Verdict verdict =
      policy::evaluate(profile, policy(section("POLICY"), source_directory));
  const state::Generation present = installed(section("INSTALLED"));
  const std::string mode(text::trim(section("MODE")));
  resolve::World world{all, profile, verdict, present};
  if (!mode.empty())
    world.preferred_mode = mode == "container" ? catalog::Mode::Container : catalog::Mode::Native;
  return answer(section("ARGS"), world);
}

}  // namespace scenario

TEST_CASE("a flag that a scenario does not know is a slip", "[plan][scenario]") {
  CHECK_THROWS_WITH(scenario::request("install a --prefers=b\n"), "unknown flag: --prefers=b");
  CHECK(scenario::request("install a --prefer=b --no-optional\n").prefer ==
        std::vector<std::string>{"b"});
}
