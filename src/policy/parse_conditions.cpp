// SPDX-License-Identifier: Apache-2.0
#include "parse_conditions.hpp"

#include "facts.hpp"
#include "keys.hpp"

#include "las/base/i18n.hpp"

#include <array>

#include <fmt/format.h>

namespace las::policy {

namespace {

using document::Node;
using Kind = Condition::Kind;

// The published short forms: "gpu_vram_min: 24GB" is {fact: gpu.vram_total, min: 24GB}.
struct ShortForm {
  const char* key;
  const char* fact;
  Kind kind;
};

constexpr std::array<ShortForm, 17> kShortForms = {{
    {"gpu_vram_min", "gpu.vram_total", Kind::Min},
    {"gpu_vram_max", "gpu.vram_total", Kind::Max},
    {"gpu_count_min", "gpu.count", Kind::Min},
    {"gpu_count_max", "gpu.count", Kind::Max},
    {"gpu_vendor", "gpu.vendor", Kind::In},
    {"compute_capability_min", "gpu.compute_capability", Kind::Min},
    {"compute_capability_max", "gpu.compute_capability", Kind::Max},
    {"nvlink", "gpu.nvlink", Kind::Equal},
    {"ram_min", "memory.effective", Kind::Min},
    {"ram_max", "memory.effective", Kind::Max},
    {"cpu_cores_min", "cpu.cores", Kind::Min},
    {"cpu_cores_max", "cpu.cores", Kind::Max},
    {"cpu_features", "cpu.features", Kind::Equal},
    {"os", "os.id", Kind::In},
    {"architecture", "os.architecture", Kind::In},
    {"virtualization", "os.virtualization", Kind::In},
    {"nvidia_driver_min", "tools.nvidia_driver", Kind::Min},
}};

struct Operator {
  const char* key;
  Kind kind;
  bool negated;
};

constexpr std::array<Operator, 6> kOperators = {{{"min", Kind::Min, false},
                                                 {"max", Kind::Max, false},
                                                 {"below", Kind::Min, true},
                                                 {"eq", Kind::Equal, false},
                                                 {"in", Kind::In, false},
                                                 {"exists", Kind::Exists, false}}};

std::string kind_name(NamedFact::Kind kind) {
  switch (kind) {
    case NamedFact::Kind::Size:
      return _("a size such as 24GB");
    case NamedFact::Kind::Number:
      return _("a number");
    case NamedFact::Kind::Version:
      return _("a version");
    case NamedFact::Kind::Boolean:
      return _("true or false");
    case NamedFact::Kind::Text:
    case NamedFact::Kind::List:
      break;
  }
  return _("text");
}

bool is_ordered(NamedFact::Kind kind) {
  return kind == NamedFact::Kind::Size || kind == NamedFact::Kind::Number ||
         kind == NamedFact::Kind::Version;
}

// Checks the values of one comparison against the kind of its fact.
void check(const Node& node, const Condition& comparison, NamedFact::Kind kind) {
  if (comparison.values.empty())
    return node.fault(_("must have a value"));
  const bool needs_order = comparison.kind == Kind::Min || comparison.kind == Kind::Max;
  if (needs_order && !is_ordered(kind))
    return node.fault(fmt::format(
        fmt::runtime(_("{} has no order, so it has no minimum or maximum")), comparison.fact));
  for (const std::string& value : comparison.values) {
    if (!is_value_of(kind, value))
      node.fault(fmt::format(fmt::runtime(_("'{}' is not {}")), value, kind_name(kind)));
  }
}

void place(const Node& node, Condition& condition) {
  condition.key_path = node.key_path();
  condition.line = node.line();
  condition.column = node.column();
}

Condition comparison_of(const Node& node,
                        Kind kind,
                        const std::string& fact,
                        NamedFact::Kind fact_kind,
                        std::string key) {
  Condition comparison;
  comparison.kind = kind;
  comparison.fact = fact;
  comparison.key = std::move(key);
  place(node, comparison);
  if (kind == Kind::Exists) {
    if (const auto value = node.boolean())
      comparison.values = {*value ? "true" : "false"};
    return comparison;
  }
  if (kind == Kind::In) {
    comparison.values = node.strings();
  } else if (fact_kind == NamedFact::Kind::Boolean) {
    if (const auto value = node.boolean())  // YAML's "yes" is true as well
      comparison.values = {*value ? "true" : "false"};
    else
      return comparison;
  } else if (auto value = node.string()) {
    comparison.values = {std::move(*value)};
  }
  check(node, comparison, fact_kind);
  return comparison;
}

Condition negation_of(Condition condition) {
  Condition negation;
  negation.kind = Kind::Not;
  negation.key = condition.key;
  negation.children.push_back(std::move(condition));
  return negation;
}

// {fact: NAME, min: ..., max: ..., below: ..., eq: ..., in: [...], exists: ...}
void add_comparisons(const Node& node, std::vector<Condition>& out) {
  node.allow_only(comparison_keys());
  const auto name = node["fact"].string();
  if (!name)
    return;
  const auto kind = kind_of_fact(*name);
  if (!kind) {
    const std::string nearest = nearest_name(*name, fact_names());
    node["fact"].fault(fmt::format(fmt::runtime(_("there is no fact '{}'")), *name),
                       nearest.empty()
                           ? std::string()
                           : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
    return;
  }
  bool any = false;
  for (const Operator& op : kOperators) {
    const Node value = node[op.key];
    if (!value.present())
      continue;
    any = true;
    Condition comparison = comparison_of(value, op.kind, *name, *kind, *name + " " + op.key);
    out.push_back(op.negated ? negation_of(std::move(comparison)) : std::move(comparison));
  }
  if (!any)
    node.fault(_("a condition needs one of min, max, below, eq, in, exists"));
}

void add_conditions(const Node& node, std::vector<Condition>& out);

Condition combination_of(const Node& node, Kind kind, std::string key) {
  Condition combination;
  combination.kind = kind;
  combination.key = std::move(key);
  // Each item of a list stands for itself; a map is one item.
  if (!node.is_sequence()) {
    Condition all;
    add_conditions(node, all.children);
    if (kind == Kind::Any)
      combination.children = std::move(all.children);
    else
      combination.children.push_back(std::move(all));
    return combination;
  }
  for (const Node& item : node.items()) {
    Condition all;
    add_conditions(item, all.children);
    combination.children.push_back(all.children.size() == 1 ? std::move(all.children[0])
                                                            : std::move(all));
  }
  if (combination.children.empty())
    node.fault(_("must hold at least one condition"));
  return combination;
}

// One cpu_features entry per feature: all must be there.
void add_short_form(const Node& node, const ShortForm& form, std::vector<Condition>& out) {
  const auto kind = kind_of_fact(form.fact);
  if (!kind)
    return;
  if (*kind != NamedFact::Kind::List) {
    out.push_back(comparison_of(node, form.kind, form.fact, *kind, form.key));
    return;
  }
  for (std::string& value : node.strings()) {
    Condition comparison;
    comparison.kind = form.kind;
    comparison.fact = form.fact;
    comparison.key = form.key;
    comparison.values = {std::move(value)};
    place(node, comparison);
    out.push_back(std::move(comparison));
  }
}

// A map of short forms and of all, any, not; all its entries must hold.
void add_conditions(const Node& node, std::vector<Condition>& out) {
  if (node["fact"].present())
    return add_comparisons(node, out);
  node.allow_only(condition_keys());
  if (!node.is_map())
    return;
  for (const std::string& key : node.keys()) {
    if (key == "all")
      out.push_back(combination_of(node[key], Kind::All, key));
    else if (key == "any")
      out.push_back(combination_of(node[key], Kind::Any, key));
    else if (key == "not")
      out.push_back(combination_of(node[key], Kind::Not, key));
    for (const ShortForm& form : kShortForms) {
      if (key == form.key)
        add_short_form(node[key], form, out);
    }
  }
}

}  // namespace

Keys condition_keys() {
  Keys keys = {"all", "any", "not", "fact"};
  for (const ShortForm& form : kShortForms)
    keys.emplace_back(form.key);
  return keys;
}

Keys comparison_keys() {
  Keys keys = {"fact"};
  for (const Operator& op : kOperators)
    keys.emplace_back(op.key);
  return keys;
}

Condition parse_conditions(const Node& node) {
  if (node.is_sequence())
    return combination_of(node, Kind::All, "");
  Condition all;
  if (node.present())
    add_conditions(node, all.children);
  return all;
}

}  // namespace las::policy
