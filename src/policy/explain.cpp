// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::policy {

namespace {

using Kind = Condition::Kind;

std::string label(const std::string& fact) {
  if (fact == "gpu.vram_total")
    return _("VRAM");
  if (fact == "gpu.vram")
    return _("VRAM on one GPU");
  if (fact == "gpu.count")
    return _("GPUs");
  if (fact == "gpu.vendor" || fact == "gpu.vendors")
    return _("GPU vendor");
  if (fact == "gpu.compute_capability")
    return _("compute capability");
  if (fact == "gpu.gfx_target")
    return _("GPU target");
  if (fact == "gpu.nvlink")
    return _("NVLink");
  if (fact == "gpu.driver")
    return _("kernel driver of the GPU");
  if (fact == "gpu.driver_state")
    return _("GPU driver");
  if (fact == "memory.effective" || fact == "memory.total")
    return _("memory");
  if (fact == "memory.unified")
    return _("memory shared with the GPU");
  if (fact == "memory.swap")
    return _("swap");
  if (fact == "cpu.cores")
    return _("CPU cores");
  if (fact == "cpu.usable_threads")
    return _("usable CPU threads");
  if (fact == "cpu.features")
    return _("CPU feature");
  if (fact == "cpu.vendor")
    return _("CPU vendor");
  if (fact == "os.id")
    return _("distribution");
  if (fact == "os.version")
    return _("version of the distribution");
  if (fact == "os.kernel")
    return _("kernel");
  if (fact == "os.architecture")
    return _("architecture");
  if (fact == "os.virtualization")
    return _("virtualization");
  if (fact == "os.glibc")
    return _("glibc");
  if (fact == "tools.nvidia_driver")
    return _("NVIDIA driver");
  if (fact == "tools.podman")
    return _("podman");
  if (fact == "tools.cdi_specs")
    return _("a CDI specification of");
  if (fact == "accelerator.vendors")
    return _("an accelerator of");
  if (fact == "tools.cuda_driver")
    return _("CUDA support of the driver");
  return fact;
}

// States are words for rules; a person gets the words of a person.
std::string driver_state(const std::string& state) {
  if (state == "working")
    return _("a GPU driver that works");
  if (state == "none")
    return _("no driver for its GPU");
  if (state == "nouveau")
    return _("the nouveau driver, which only draws");
  if (state == "mismatch")
    return _("a kernel module and a library of the GPU driver that are of different versions");
  if (state == "broken")
    return _("a GPU driver that does not answer");
  if (state == "reserved")
    return _("its GPU set aside for virtual machines");
  return state;
}

std::string listed(const Condition& comparison) {
  return text::join(comparison.values, _(" or "));
}

// The condition on the fact that would have to hold.
std::string requirement(const Condition& comparison, bool wanted, NamedFact::Kind kind) {
  const std::string name = label(comparison.fact);
  const std::string values = listed(comparison);
  const auto with = [&](const std::string& format) {
    return fmt::format(fmt::runtime(format), name, values);
  };
  const bool version = kind == NamedFact::Kind::Version;
  const bool count = kind == NamedFact::Kind::Number;
  switch (comparison.kind) {
    case Kind::Min:
      if (version)
        return with(wanted ? _("{} {} or newer") : _("{} older than {}"));
      if (count)
        return with(wanted ? _("at least {1} {0}") : _("fewer than {1} {0}"));
      return with(wanted ? _("{} of at least {}") : _("{} below {}"));
    case Kind::Max:
      if (version)
        return with(wanted ? _("{} {} or older") : _("{} newer than {}"));
      if (count)
        return with(wanted ? _("at most {1} {0}") : _("more than {1} {0}"));
      return with(wanted ? _("{} of at most {}") : _("{} above {}"));
    case Kind::Exists:
      return with(wanted == (comparison.values.empty() || comparison.values[0] == "true")
                      ? _("a known {}")
                      : _("an unknown {}"));
    default:
      break;
  }
  if (comparison.fact == "gpu.driver_state" && wanted && values == "working")
    return driver_state(values);
  if (kind == NamedFact::Kind::Boolean)
    return with(wanted == (values == "true") ? _("{}") : _("no {}"));
  return with(wanted ? _("{} {}") : _("{} other than {}"));
}

using Unmet = Shortfall::Item;

Truth flipped(Truth truth, bool wanted) {
  if (wanted || truth == Truth::Unknown)
    return truth;
  return truth == Truth::True ? Truth::False : Truth::True;
}

// In "deny when A and B and not C" a person asks for C: A and B only say whom the rule is about.
std::vector<const Condition*> what_a_denial_asks_for(const std::vector<Condition>& children) {
  std::vector<const Condition*> asked, all;
  for (const Condition& child : children) {
    all.push_back(&child);
    if (child.kind == Kind::Not || child.kind == Kind::Max)
      asked.push_back(&child);
  }
  return asked.empty() ? all : asked;
}

void collect(const Condition& condition, bool wanted, const Facts& facts, std::vector<Unmet>& out);

// A group that must hold as a whole fails by one child: the first that fails for sure, or else the
// first that is unknown. Of any other group one child would have to change: all are alternatives.
void collect_group(const std::vector<Condition>& children,
                   bool all,
                   bool wanted,
                   const Facts& facts,
                   std::vector<Unmet>& out) {
  if (all != wanted) {
    for (const Condition* child : what_a_denial_asks_for(children))
      collect(*child, wanted, facts, out);
    return;
  }
  for (const Truth blamed : {Truth::False, Truth::Unknown}) {
    for (const Condition& child : children) {
      if (flipped(evaluate(child, facts), wanted) == blamed)
        return collect(child, wanted, facts, out);
    }
  }
}

// Collects the comparisons of which one would have to change for `condition` to be `wanted`.
void collect(const Condition& condition, bool wanted, const Facts& facts, std::vector<Unmet>& out) {
  switch (condition.kind) {
    case Kind::Not:
      return collect_group(condition.children, true, !wanted, facts, out);
    case Kind::All:
    case Kind::Any:
      return collect_group(condition.children, condition.kind == Kind::All, wanted, facts, out);
    default:
      out.push_back({&condition, wanted});
  }
}

void add_once(std::vector<std::string>& parts, std::string part) {
  if (std::find(parts.begin(), parts.end(), part) == parts.end())
    parts.push_back(std::move(part));
}

// Without words around it: its name stands beside it.
std::string shown(const NamedFact& fact) {
  if (!fact.text.is_known())
    return _("unknown");
  const std::string& value = *fact.text.value;
  const auto size = fact.kind == NamedFact::Kind::Size ? ByteSize::parse(value) : std::nullopt;
  return size ? size->to_string() : value.empty() ? std::string(_("none")) : value;
}

}  // namespace

std::string has(const NamedFact& fact) {
  const std::string name = label(fact.name);
  if (!fact.text.is_known())
    return fmt::format(fmt::runtime(_("{} unknown ({})")), name, fact.text.unknown);
  const std::string& value = *fact.text.value;
  const auto size = fact.kind == NamedFact::Kind::Size ? ByteSize::parse(value) : std::nullopt;
  if (size)
    return size->bytes() == 0 ? fmt::format(fmt::runtime(_("no {}")), name) : size->to_string();
  if (fact.kind == NamedFact::Kind::Boolean)
    return fmt::format(fmt::runtime(value == "true" ? _("{}") : _("no {}")), name);
  if (fact.name == "cpu.features")
    return _("none such");  // the list is long, and in the trace
  if (fact.name == "gpu.vendor" && value == "none")
    return _("no GPU");
  if (fact.name == "gpu.driver_state")
    return driver_state(value);
  if (fact.kind == NamedFact::Kind::Number)
    return value + " " + name;
  return value.empty() ? std::string(_("none")) : value;
}

TraceEntry trace_entry(const std::string& rule,
                       const Condition& comparison,
                       const NamedFact& fact,
                       Truth outcome) {
  return {rule,
          fact.name,
          fact.text.is_known(),
          fact.text.value.value_or(""),
          shown(fact),
          fact.text.is_known() ? fact.text.origin : fact.text.unknown,
          spell(comparison),
          outcome};
}

std::string spell(const Condition& comparison) {
  switch (comparison.kind) {
    case Kind::Min:
      return comparison.fact + " >= " + listed(comparison);
    case Kind::Max:
      return comparison.fact + " <= " + listed(comparison);
    case Kind::Equal:
      return comparison.fact + " == " + listed(comparison);
    case Kind::In:
      return comparison.fact + " in [" + text::join(comparison.values, ", ") + "]";
    case Kind::Exists:
      return comparison.fact + (comparison.values.empty() || comparison.values[0] == "true"
                                    ? " is known"
                                    : " is unknown");
    default:
      break;
  }
  return {};
}

Shortfall shortfall(const Condition& condition, bool wanted, const Facts& facts) {
  Shortfall result;
  collect(condition, wanted, facts, result.items);
  std::vector<std::string> needs, haves;
  for (const Unmet& item : result.items) {
    const NamedFact& fact = facts.get(item.comparison->fact);
    add_once(needs, requirement(*item.comparison, item.wanted, fact.kind));
    add_once(haves, has(fact));
  }
  result.needs = text::join(needs, _(" or "));
  result.has = text::join(haves, ", ");
  return result;
}

}  // namespace las::policy
