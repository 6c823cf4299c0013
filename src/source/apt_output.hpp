// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Pure readers of what apt and dpkg print under LC_ALL=C.
namespace las::source {

/// What `apt-get -s` says would happen: package → version.
struct AptChanges {
  struct Upgrade {
    std::string from, to;
    bool operator==(const Upgrade&) const = default;
  };

  std::map<std::string, std::string> installed;
  std::map<std::string, Upgrade> upgraded;
  std::map<std::string, std::string> removed;
  bool operator==(const AptChanges&) const = default;
};

AptChanges parse_apt_simulation(std::string_view output);

/// Packages of `apt-cache policy` that have a candidate, with its version.
std::map<std::string, std::string> parse_apt_candidates(std::string_view output);

/// A row of `dpkg-query -W` with kDpkgFormat.
struct PackageStatus {
  std::string status;  ///< "installed", "config-files", "half-configured" ...
  std::string version;

  bool installed() const { return status == "installed"; }

  /// Whether files of it are on the disk, perhaps not yet configured.
  bool present() const;
  bool operator==(const PackageStatus&) const = default;
};

inline constexpr const char* kDpkgFormat =
    R"(${Package}\t${Architecture}\t${db:Status-Status}\t${Version}\n)";
/// By "name" and by "name:architecture". Of several architectures the installed one gives "name".
std::map<std::string, PackageStatus> parse_dpkg_status(std::string_view output);

/// The Error that a failed apt-get ended in. Network only where another source may help.
Error apt_failure(std::string_view output, std::string message, std::string subject);

}  // namespace las::source
