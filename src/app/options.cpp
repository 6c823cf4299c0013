// SPDX-License-Identifier: Apache-2.0
#include "las/app/service_options.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace las::app {

namespace {

bool is_integer(const std::string& text) {
  long long value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

// What is wrong with a value, "" if nothing is.
std::string fault_of(const catalog::Option& option, const std::string& value) {
  switch (option.type) {
    case catalog::Option::Type::Text:
      return {};
    case catalog::Option::Type::Integer:
      return is_integer(value) ? ""
                               : fmt::format(fmt::runtime(_("'{}' is not a whole number")), value);
    case catalog::Option::Type::Boolean:
      return value == "true" || value == "false"
                 ? ""
                 : fmt::format(fmt::runtime(_("'{}' is neither true nor false")), value);
    case catalog::Option::Type::Size:
      return ByteSize::parse(value) ? ""
                                    : fmt::format(fmt::runtime(_("'{}' is not a size")), value);
    case catalog::Option::Type::Choice:
      return std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end()
                 ? ""
                 : fmt::format(fmt::runtime(_("'{}' is not one of {}")),
                               value,
                               text::join(option.choices, ", "));
  }
  return {};
}

struct Range {
  const char* option;
  long long least, most;
};

constexpr std::array kRanges{Range{"idle-seconds", 1, 604'800},
                             Range{"limits.cpu_percent", 1, 100'000},
                             Range{"limits.tasks", 1, 4'000'000},
                             Range{"limits.io_weight", 1, 10'000}};

// What the type of a common option does not say.
std::string common_fault_of(const std::string& name, const std::string& value) {
  for (const Range& range : kRanges) {
    long long number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    if (name == range.option && (number < range.least || number > range.most))
      return fmt::format(
          fmt::runtime(_("'{}' is not between {} and {}")), value, range.least, range.most);
  }
  if (name == "limits.memory" && ByteSize::parse(value).value_or(ByteSize()).bytes() == 0)
    return fmt::format(fmt::runtime(_("'{}' would leave it no memory at all")), value);
  if (name == "limits.numa_nodes" && !catalog::is_cpu_list(value))
    return fmt::format(fmt::runtime(_("'{}' is not a list of NUMA nodes such as 0,1")), value);
  if (name == "limits.cpus" && !catalog::is_cpu_list(value))
    return fmt::format(fmt::runtime(_("'{}' is not a list of cores such as 0-3,8")), value);
  return {};
}

}  // namespace

const std::vector<catalog::Option>& common_service_options() {
  using Type = catalog::Option::Type;
  static const std::vector<catalog::Option> kOptions = {
      {Type::Choice,
       "network",
       _("who may reach it: this machine, the local network, everybody"),
       "local",
       {"local", "lan", "public"}},
      {Type::Boolean,
       "without-auth",
       _("let others in although it asks nobody who they are"),
       "false",
       {}},
      {Type::Choice,
       "start",
       _("whether it runs all the time, or starts with the first request"),
       "always",
       {"always", "on-demand"}},
      {Type::Integer,
       "idle-seconds",
       _("without a connection until one on demand is ended"),
       "600",
       {}},
      {Type::Text,
       "gpu",
       _("GPUs it may use: none, all, or a list of numbers (0,1) or UUIDs as las detect has them; "
         "by itself those that its build needs"),
       "",
       {}},
      {Type::Size, "limits.memory", _("memory it may use; beyond it the kernel ends it"), "", {}},
      {Type::Integer, "limits.cpu_percent", _("of one core: 200 = two cores"), "", {}},
      {Type::Integer, "limits.tasks", _("processes and threads"), "", {}},
      {Type::Integer, "limits.io_weight", _("1 to 10000; what is not said weighs 100"), "", {}},
      {Type::Text, "limits.cpus", _("cores it may run on: 0-3,8"), "", {}},
      {Type::Text,
       "limits.numa_nodes",
       _("NUMA nodes whose cores and memory it may use: 0,1"),
       "",
       {}},
  };
  return kOptions;
}

std::map<std::string, std::string> option_faults(
    const catalog::Manifest& manifest, const std::map<std::string, std::string>& options) {
  std::vector<catalog::Option> all = manifest.options;
  all.insert(all.end(), common_service_options().begin(), common_service_options().end());
  std::vector<std::string> known;
  for (const catalog::Option& option : all)
    known.push_back(option.name);
  std::map<std::string, std::string> faults;
  for (const auto& [name, value] : options) {
    // A structured binding cannot be captured.
    const std::string& wanted = name;
    const auto option =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == wanted; });
    if (option == all.end()) {
      const std::string nearest = nearest_name(name, known);
      faults[name] = nearest.empty()
                         ? fmt::format(fmt::runtime(_("{} has no such option")), manifest.name)
                         : fmt::format(fmt::runtime(_("{} has no such option; did you mean '{}'?")),
                                       manifest.name,
                                       nearest);
    } else if (std::string fault = fault_of(*option, value); !fault.empty()) {
      faults[name] = std::move(fault);
    } else if (std::string common = common_fault_of(name, value); !common.empty()) {
      faults[name] = std::move(common);
    }
  }
  return faults;
}

}  // namespace las::app
