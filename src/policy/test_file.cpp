// SPDX-License-Identifier: Apache-2.0
#include "las/policy/test_file.hpp"

#include "keys.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/document/node.hpp"
#include "las/hardware/set_fact.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::policy {

namespace {

using document::Node;
using hardware::Fact;
using hardware::HardwareProfile;
using hardware::SetFact;
using ExpectedKind = Expectation::Kind;

constexpr std::string_view kUnknown = "unknown";

std::string suggestion(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? std::string()
                         : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest);
}

class Parser {
 public:
  Parser(std::string file, const ReadProfile& read_profile) : read_profile_(read_profile) {
    tests_.file = std::move(file);
  }

  TestFile run(const Node& root) {
    root.allow_only(kKeys.at("test"));
    if (const auto schema = root["schema"].integer(); schema && *schema != 1)
      root["schema"].fault(
          fmt::format(fmt::runtime(_("this las reads policy tests of schema 1, not {}")), *schema));
    if (!root["machines"].present())
      root.fault(_("a policy test needs 'machines'"));
    HardwareProfile defaults;
    defaults.gpus = Fact<std::vector<hardware::Gpu>>::known({}, tests_.file);
    defaults.nvlink = Fact<bool>::known(false, tests_.file);
    defaults.accelerators = Fact<std::vector<hardware::Accelerator>>::known({}, tests_.file);
    if (root["defaults"].present())
      read_machine(root["defaults"], defaults);
    for (const std::string& name : root["machines"].keys()) {
      const Node node = root["machines"][name];
      TestMachine machine{name, defaults};
      if (node["hardware"].present())
        read_hardware(node["hardware"], machine.profile);
      read_machine(node, machine.profile);
      read_expectations(node["expect"], name);
      tests_.machines.push_back(std::move(machine));
    }
    if (root["expect"].present())
      read_table(root["expect"]);
    return std::move(tests_);
  }

 private:
  void read_hardware(const Node& node, HardwareProfile& profile) {
    const auto file = node.string();
    if (!file)
      return;
    try {
      profile = read_profile_(*file);
    } catch (const Error& error) {
      node.fault(error.what());
    }
  }

  // A scalar, or a list as its words; "unknown REASON" where it could not be read.
  Fact<std::string> read_fact(const Node& node) const {
    const std::string text =
        node.is_sequence() ? text::join(node.strings(), " ") : node.string().value_or("");
    if (text == kUnknown || text.starts_with(std::string(kUnknown) + " "))
      return Fact<std::string>::missing(std::string(text::trim(text.substr(kUnknown.size()))));
    return Fact<std::string>::known(text, tests_.file);
  }

  static void tell(const Node& node,
                   SetFact result,
                   const std::string& name,
                   const std::vector<std::string>& names) {
    if (result == SetFact::NoSuchFact)
      node.fault(fmt::format(fmt::runtime(_("there is no fact '{}' to set")), name),
                 suggestion(name, names));
    else if (result == SetFact::WrongValue)
      node.fault(
          fmt::format(fmt::runtime(_("'{}' is no value of {}")), node.string().value_or(""), name));
  }

  void read_machine(const Node& node, HardwareProfile& profile) {
    for (const std::string& key : node.keys()) {
      const Node value = node[key];
      if (key == "gpus")
        read_gpus(value, profile);
      else if (key == "accelerators")
        read_accelerators(value, profile);
      else if (key == "ram")
        read_ram(value, profile);
      else if (key != "hardware" && key != "expect")
        tell(value,
             set_fact(profile, key, read_fact(value)),
             key,
             names_with({"ram", "gpus", "accelerators", "hardware", "expect"}));
    }
  }

  void read_ram(const Node& node, HardwareProfile& profile) const {
    const Fact<std::string> size = read_fact(node);
    tell(node, set_fact(profile, "memory.effective", size), "memory.effective", {});
    set_fact(profile, "memory.total", size);
  }

  static std::vector<std::string> names_with(std::vector<std::string> names) {
    for (std::string& name : hardware::settable_facts())
      names.push_back(std::move(name));
    return names;
  }

  void read_gpus(const Node& node, HardwareProfile& profile) {
    if (node.is_scalar()) {
      const Fact<std::string> text = read_fact(node);
      if (text.is_known())
        return node.fault(_("GPUs are a list of maps, or 'unknown REASON'"));
      profile.gpus = Fact<std::vector<hardware::Gpu>>::missing(text.unknown);
      profile.nvlink = Fact<bool>::missing(text.unknown);
      return;
    }
    profile.gpus = Fact<std::vector<hardware::Gpu>>::known({}, tests_.file);
    for (const Node& item : node.items()) {
      hardware::Gpu gpu;
      gpu.vendor = read_vendor(item["vendor"]);
      for (const std::string& key : item.keys()) {
        if (key != "vendor" && key != "count")
          tell(item[key],
               set_fact(gpu, key, read_fact(item[key])),
               key,
               hardware::settable_gpu_facts());
      }
      const long long count = item["count"].present() ? item["count"].integer().value_or(1) : 1;
      if (count < 1 || count > 64)
        item["count"].fault(_("a machine has between 1 and 64 GPUs"));
      for (long long i = 0; i < std::clamp(count, 1LL, 64LL); ++i)
        profile.gpus.value->push_back(gpu);
    }
  }

  static hardware::GpuVendor read_vendor(const Node& node) {
    using hardware::GpuVendor;
    const auto name = node.one_of({"nvidia", "amd", "intel", "other"});
    for (const GpuVendor vendor : {GpuVendor::Nvidia, GpuVendor::Amd, GpuVendor::Intel}) {
      if (name && *name == to_string(vendor))
        return vendor;
    }
    return GpuVendor::Other;
  }

  void read_accelerators(const Node& node, HardwareProfile& profile) {
    profile.accelerators = Fact<std::vector<hardware::Accelerator>>::known({}, tests_.file);
    for (const Node& item : node.items()) {
      hardware::Accelerator accelerator;
      accelerator.vendor = item["vendor"].required_string();
      for (const std::string& key : item.keys()) {
        if (key != "vendor")
          tell(item[key],
               set_fact(accelerator, key, read_fact(item[key])),
               key,
               hardware::settable_accelerator_facts());
      }
      profile.accelerators.value->push_back(std::move(accelerator));
    }
  }

  void expect(ExpectedKind kind,
              const std::string& machine,
              std::string subject,
              std::string expected,
              int line) {
    tests_.expectations.push_back({kind, machine, std::move(subject), std::move(expected), line});
  }

  void read_expectations(const Node& node, const std::string& machine) {
    if (!node.present())
      return;
    node.allow_only(kKeys.at("test.expect"));
    if (const auto tier = node["tier"].string())
      expect(ExpectedKind::Tier, machine, "", *tier, node["tier"].line());
    if (const auto models = node["models"].string())
      expect(ExpectedKind::Models, machine, "", *models, node["models"].line());
    if (node["features"].present())
      expect(ExpectedKind::Features,
             machine,
             "",
             sorted(node["features"].strings()),
             node["features"].line());
    for (const std::string& name : node["allow"].strings())
      expect(ExpectedKind::Capability, machine, name, "yes", node["allow"].line());
    const std::vector<std::string> denied = node["deny"].strings();
    for (const std::string& name : denied)
      expect(ExpectedKind::Capability, machine, name, "no", node["deny"].line());
    if (const auto why = node["why"].string()) {
      if (denied.empty())
        node["why"].fault(_("'why' is about the first capability that is denied; none is"));
      else
        expect(ExpectedKind::Why, machine, denied.front(), *why, node["why"].line());
    }
  }

  static std::string sorted(std::vector<std::string> words) {
    words.erase(std::remove(words.begin(), words.end(), "-"), words.end());
    std::sort(words.begin(), words.end());
    return words.empty() ? "-" : text::join(words, " ");
  }

  static std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    for (const std::string& cell : text::split(line, '|'))
      cells.emplace_back(text::trim(cell));
    return cells;
  }

  void read_table(const Node& node) {
    const auto table = node.string();
    if (!table)
      return;
    std::vector<std::string> header;
    int line = node.line();
    for (const std::string& row : text::lines(*table)) {
      ++line;
      const std::string_view trimmed = text::trim(row);
      if (trimmed.empty() || trimmed.front() == '#')
        continue;
      const std::vector<std::string> cells = cells_of(row);
      if (header.empty()) {
        header = cells;
        if (header.front() != "machine")
          return node.fault(_("the first column of the table is 'machine'"));
        continue;
      }
      read_row(node, header, cells, line);
    }
    if (header.empty())
      node.fault(_("the table has no header"));
  }

  void read_row(const Node& node,
                const std::vector<std::string>& header,
                const std::vector<std::string>& cells,
                int line) {
    const std::string& machine = cells.front();
    if (cells.size() != header.size())
      return node.fault(
          fmt::format(fmt::runtime(_("the row of '{}' has {} cells under {} columns")),
                      machine,
                      cells.size(),
                      header.size()));
    std::vector<std::string> names;
    for (const TestMachine& known : tests_.machines)
      names.push_back(known.name);
    if (std::find(names.begin(), names.end(), machine) == names.end())
      return node.fault(fmt::format(fmt::runtime(_("there is no machine '{}'")), machine),
                        suggestion(machine, names));
    std::string first_denied;
    for (std::size_t i = 1; i < cells.size(); ++i) {
      const std::string& column = header[i];
      const std::string& cell = cells[i];
      if (cell.empty())
        continue;
      if (column == "tier") {
        expect(ExpectedKind::Tier, machine, "", cell, line);
      } else if (column == "models") {
        expect(ExpectedKind::Models, machine, "", cell, line);
      } else if (column == "features") {
        expect(ExpectedKind::Features, machine, "", sorted(text::split(cell, ' ')), line);
      } else if (column == "why") {
        if (first_denied.empty())
          node.fault(fmt::format(
              fmt::runtime(_("'why' of '{}' explains nothing: no column before it says no")),
              machine));
        else
          expect(ExpectedKind::Why, machine, first_denied, cell, line);
      } else if (cell == "yes" || cell == "no") {
        expect(ExpectedKind::Capability, machine, column, cell, line);
        if (cell == "no" && first_denied.empty())
          first_denied = column;
      } else {
        node.fault(fmt::format(
            fmt::runtime(_("'{}' of '{}' is '{}', neither yes nor no")), column, machine, cell));
      }
    }
  }

  const ReadProfile& read_profile_;
  TestFile tests_;
};

std::string actual_of(const Expectation& expectation, const Verdict& verdict) {
  switch (expectation.kind) {
    case ExpectedKind::Tier:
      return verdict.tier.empty() ? "-" : verdict.tier;
    case ExpectedKind::Models:
      return verdict.max_model_billions ? spell_model_size(*verdict.max_model_billions) : "-";
    case ExpectedKind::Features:
      return verdict.features.empty() ? "-" : text::join(verdict.features, " ");
    case ExpectedKind::Capability:
      return verdict.decide(expectation.subject).allowed ? "yes" : "no";
    case ExpectedKind::Why:
      return verdict.decide(expectation.subject).explanation;
  }
  return {};
}

std::string explanation_of(const Expectation& expectation, const Verdict& verdict) {
  switch (expectation.kind) {
    case ExpectedKind::Tier:
      return verdict.tier_rule;
    case ExpectedKind::Models:
      return verdict.limit_rule;
    case ExpectedKind::Capability:
      return verdict.decide(expectation.subject).explanation;
    case ExpectedKind::Features:
    case ExpectedKind::Why:
      break;
  }
  return {};
}

}  // namespace

TestFile parse_test_file(std::string_view yaml,
                         const std::string& file,
                         const ReadProfile& read_profile,
                         Diagnostics& diagnostics) {
  return Parser(file, read_profile).run(document::parse(yaml, file, diagnostics));
}

std::vector<Mismatch> run_tests(const TestFile& tests, const std::vector<Rule>& rules) {
  std::vector<Mismatch> mismatches;
  for (const TestMachine& machine : tests.machines) {
    const Verdict verdict = evaluate(machine.profile, rules);
    for (const Expectation& expectation : tests.expectations) {
      if (expectation.machine != machine.name)
        continue;
      std::string actual = actual_of(expectation, verdict);
      const bool met = expectation.kind == ExpectedKind::Why
                           ? actual.find(expectation.expected) != std::string::npos
                           : actual == expectation.expected;
      if (!met)
        mismatches.push_back(
            {expectation, std::move(actual), explanation_of(expectation, verdict)});
    }
  }
  std::stable_sort(mismatches.begin(), mismatches.end(), [](const auto& a, const auto& b) {
    return a.expectation.line < b.expectation.line;
  });
  return mismatches;
}

}  // namespace las::policy
