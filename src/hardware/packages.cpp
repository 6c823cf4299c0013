// SPDX-License-Identifier: Apache-2.0
#include "packages.hpp"

#include "parse.hpp"

#include "las/base/text.hpp"

#include <string>

namespace las::hardware {

namespace {

std::optional<std::string_view> field(std::string_view paragraph, std::string_view name) {
  const auto found = paragraph.find(name);
  if (found == std::string_view::npos)
    return std::nullopt;
  paragraph.remove_prefix(found + name.size());
  return text::trim(paragraph.substr(0, paragraph.find('\n')));
}

}  // namespace

std::optional<Version> installed_package(std::string_view status, std::string_view package) {
  const std::string first_line = "Package: " + std::string(package) + "\n";
  for (std::size_t from = 0;;) {
    const auto start = status.find(first_line, from);
    if (start == std::string_view::npos)
      return std::nullopt;
    from = start + first_line.size();
    if (start != 0 && status[start - 1] != '\n')
      continue;
    const std::string_view paragraph = status.substr(start, status.find("\n\n", start) - start);
    auto version = field(paragraph, "\nVersion: ");
    if (!version || field(paragraph, "\nStatus: ") != "install ok installed")
      continue;
    if (const auto epoch = version->find(':'); epoch != std::string_view::npos)
      version->remove_prefix(epoch + 1);
    return first_version(*version);
  }
}

}  // namespace las::hardware
