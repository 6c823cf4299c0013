// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/catalog/manifest.hpp"
#include "las/platform/file_system.hpp"

#include <map>
#include <optional>
#include <string>

/// What a manifest says of one release, kept beside what was installed by it: by tomorrow the
/// catalog may have another manifest, which is for another release.
namespace las::catalog {

/// File name → content: "manifest.yaml", and by "config/NAME" the configuration files of its
/// service as they lay beside it. Text, so that another version of las can read it.
using Recipe = std::map<std::string, std::string>;

/// The recipe of `release`, a release of the manifest; the other releases are left out. Empty for a
/// module without a service. Errors: those of read_file(); InvalidData where the file is no
/// manifest any more.
Recipe make_recipe(const platform::FileReader& files,
                   const Manifest& manifest,
                   const Version& release);

/// The manifest with that one release; locks of packages are not in it. Nothing for an empty
/// recipe, and for one that this las cannot read: the faults are in `diagnostics`.
std::optional<Manifest> read_recipe(const Recipe& recipe, Diagnostics& diagnostics);

}  // namespace las::catalog
