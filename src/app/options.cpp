// SPDX-License-Identifier: Apache-2.0
#include "las/app/serve.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
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

}  // namespace

std::map<std::string, std::string> option_faults(
    const catalog::Manifest& manifest, const std::map<std::string, std::string>& options) {
  std::vector<std::string> known;
  for (const catalog::Option& option : manifest.options)
    known.push_back(option.name);
  std::map<std::string, std::string> faults;
  for (const auto& [name, value] : options) {
    const auto option = std::find_if(manifest.options.begin(),
                                     manifest.options.end(),
                                     [&](const auto& one) { return one.name == name; });
    if (option == manifest.options.end()) {
      const std::string nearest = nearest_name(name, known);
      faults[name] = nearest.empty()
                         ? fmt::format(fmt::runtime(_("{} has no such option")), manifest.name)
                         : fmt::format(fmt::runtime(_("{} has no such option; did you mean '{}'?")),
                                       manifest.name,
                                       nearest);
    } else if (std::string fault = fault_of(*option, value); !fault.empty()) {
      faults[name] = std::move(fault);
    }
  }
  return faults;
}

}  // namespace las::app
