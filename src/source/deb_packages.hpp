// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Pure readers of what dpkg knows and of what apt says about downloads.
namespace las::source {

/// Of dpkg's list of installed packages (its file "status", deb-control(5)) the part that a bare
/// machine of the distribution has: the packages that are essential or of priority required, and
/// what they need. As a list of the same format, for apt to plan against.
std::string bare_machine(std::string_view status);

/// One file of a package, as `apt-get download --print-uris` prints it.
struct DebFile {
  std::string name;    ///< of the file
  std::string digest;  ///< SHA-256 in hex; "" where apt has another
  bool operator==(const DebFile&) const = default;
};

std::vector<DebFile> parse_print_uris(std::string_view output);

/// Whether one of the patterns (a name, or its beginning and '*') is the package's.
bool matches_any(std::string_view package, const std::vector<std::string>& patterns);

/// A program that starts `program` with the payload's libraries.
std::string launcher(const std::string& program, const std::vector<std::string>& library_folders);

}  // namespace las::source
