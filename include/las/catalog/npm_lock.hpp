// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// npm's lock file (npm's documentation: "package-lock.json", lockfileVersion 3), as far as a
/// manifest may bring one: every package from the registry, with its version and a sha512, and no
/// registry named, so that each machine's own one (a mirror, a proxy) serves it. Written by
///
///     npm install --package-lock-only --lockfile-version=3 --omit-lockfile-registry-resolved
namespace las::catalog {

struct NpmPackage {
  std::string path;  ///< "node_modules/@scope/name", perhaps below another package
  std::string name;  ///< "@scope/name"
  std::string version;
  std::string integrity;  ///< "sha512-…"; "" for one that comes inside another's archive
  bool has_install_scripts = false;  ///< npm would run something of it
  bool operator==(const NpmPackage&) const = default;
};

struct NpmLock {
  std::string name;                  ///< of the root; npm wants one
  std::vector<NpmPackage> packages;  ///< sorted by path
  std::vector<NpmPackage> wanted;    ///< those of them that the root asks for, by name
  bool operator==(const NpmLock&) const = default;
};

/// Nothing, with all its faults, if it is not such a lock. `file` is only used in messages.
std::optional<NpmLock> parse_npm_lock(std::string_view json,
                                      const std::string& file,
                                      Diagnostics& diagnostics);

/// What may stand for a package's name: a path below node_modules is made of it.
bool is_npm_package(std::string_view name);

}  // namespace las::catalog
