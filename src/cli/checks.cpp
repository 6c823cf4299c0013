// SPDX-License-Identifier: Apache-2.0
#include "checks.hpp"

#include "las/base/i18n.hpp"

#include <charconv>

#include <fmt/format.h>

namespace las::cli {

namespace {

template <typename Number>
bool is_between(const std::string& text, Number least, Number most) {
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && value >= least &&
         value <= most;
}

// Octal to the parser underneath.
bool has_leading_zero(const std::string& text) {
  return text.size() > 1 && text[0] == '0';
}

}  // namespace

CLI::Validator whole_number(long long least, long long most) {
  return {[=](std::string& text) {
            return is_between(text, least, most) && !has_leading_zero(text)
                       ? std::string()
                       : fmt::format(fmt::runtime(_("'{}' is not a whole number from {} to {}")),
                                     text,
                                     least,
                                     most);
          },
          ""};
}

CLI::Validator real_number(double least, double most) {
  return {
      [=](std::string& text) {
        return is_between(text, least, most)
                   ? std::string()
                   : fmt::format(
                         fmt::runtime(_("'{}' is not a number from {} to {}")), text, least, most);
      },
      ""};
}

CLI::Validator not_empty() {
  return {[](std::string& text) { return text.empty() ? _("must not be empty") : std::string(); },
          ""};
}

}  // namespace las::cli
