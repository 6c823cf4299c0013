// SPDX-License-Identifier: Apache-2.0
#include "drafts.hpp"
#include "keys.hpp"
#include "parse_conditions.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/document/node.hpp"
#include "las/policy/policy.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace las::policy {

namespace {

using document::Node;

// "14B", "0.5B", "500M", "1.6T": billions of parameters.
std::optional<double> parse_model_size(std::string_view text) {
  const std::string lower = text::lower(text::trim(text));
  double number = 0;
  const auto parsed = std::from_chars(lower.data(), lower.data() + lower.size(), number);
  if (parsed.ec != std::errc{} || !(number > 0) || number > 1e6)
    return std::nullopt;
  const std::string_view unit(parsed.ptr,
                              static_cast<std::size_t>(lower.data() + lower.size() - parsed.ptr));
  if (unit == "b")
    return number;
  if (unit == "m")
    return number / 1000;
  if (unit == "t")
    return number * 1000;
  return std::nullopt;
}

std::vector<std::string> capabilities(const Node& node) {
  std::vector<std::string> names;
  for (std::string& name : node.strings()) {
    if (!text::is_name(name))
      node.fault(fmt::format(
          fmt::runtime(_("'{}' is not the name of a module, runtime or feature")), name));
    else if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

void parse_allowances(const Node& node, Rule& rule) {
  node.allow_only(kKeys.at("allow"));
  if (const auto size = node["max_model_size"].string()) {
    rule.max_model_billions = parse_model_size(*size);
    if (!rule.max_model_billions)
      node["max_model_size"].fault(
          fmt::format(fmt::runtime(_("'{}' is not a number of parameters such as 14B")), *size));
  }
  rule.allow_runtimes = capabilities(node["runtimes"]);
  rule.allow_features = capabilities(node["features"]);
}

void set_file(Condition& condition, const std::string& file) {
  condition.file = file;
  for (Condition& child : condition.children)
    set_file(child, file);
}

Rule parse_rule(const Node& node, const Document& document) {
  node.allow_only(kKeys.at("rule"));
  Rule rule;
  rule.file = document.file;
  rule.line = node.line();
  rule.layer = document.layer;
  rule.name = node["name"].required_string();
  rule.description = std::string(text::trim(node["description"].string().value_or("")));
  rule.tier = node["tier"].string();
  rule.extends = node["extends"].string().value_or("");
  rule.replaces = node["replaces"].string().value_or("");
  rule.conditions = parse_conditions(node["conditions"]);
  set_file(rule.conditions, document.file);
  parse_allowances(node["allow"], rule);
  rule.deny = capabilities(node["deny"]);
  rule.instead = capabilities(node["instead"]);
  return rule;
}

std::ptrdiff_t errors(const Diagnostics& diagnostics) {
  return std::count_if(diagnostics.items().begin(),
                       diagnostics.items().end(),
                       [](const Diagnostic& d) { return d.severity == Severity::Error; });
}

}  // namespace

std::string_view to_string(Layer layer) {
  return layer == Layer::Shipped ? "shipped" : "site";
}

std::string spell_model_size(double billions) {
  return fmt::format("{:g}B", billions);
}

std::vector<Draft> parse_document(const Document& document, Diagnostics& diagnostics) {
  const auto before = errors(diagnostics);
  const Node root = document::parse(document.text, document.file, diagnostics);
  std::vector<Draft> drafts;
  if (errors(diagnostics) > before)
    return drafts;
  root.allow_only(kKeys.at("document"));
  if (const auto schema = root["schema"].integer(); schema && *schema != 1)
    root["schema"].fault(
        fmt::format(fmt::runtime(_("this las reads policies of schema 1, not {}")), *schema));
  if (!root["policies"].present())
    root.fault(_("a policy document needs a list 'policies'"));
  for (const Node& item : root["policies"].items()) {
    const auto faults = errors(diagnostics);
    Rule rule = parse_rule(item, document);
    drafts.push_back({std::move(rule), item, errors(diagnostics) > faults});
  }
  return drafts;
}

std::vector<Rule> load_rules(const std::vector<Document>& documents, Diagnostics& diagnostics) {
  Diagnostics found;  // nodes write here; then everything is told in the order of the documents
  std::vector<Draft> drafts;
  for (const Document& document : documents) {
    for (Draft& draft : parse_document(document, found))
      drafts.push_back(std::move(draft));
  }
  std::vector<Rule> rules = link(drafts, found);
  const auto rank = [&](const Diagnostic& item) {
    const auto place = std::find_if(
        documents.begin(), documents.end(), [&](const Document& d) { return d.file == item.file; });
    return std::make_pair(place - documents.begin(), item.line);
  };
  std::vector<Diagnostic> items = found.items();
  std::stable_sort(items.begin(), items.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return rank(a) < rank(b);
  });
  for (Diagnostic& item : items)
    diagnostics.add(std::move(item));
  return rules;
}

std::vector<Rule> parse_rules(std::string_view yaml,
                              const std::string& file,
                              Diagnostics& diagnostics) {
  return load_rules({{file, std::string(yaml), Layer::Site}}, diagnostics);
}

}  // namespace las::policy
