// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/catalog/manifest.hpp"
#include "las/platform/file_system.hpp"

#include <string>
#include <vector>

/// The files that lie beside a manifest and belong to it.
namespace las::catalog {

/// Their paths, relative to the manifest's folder; sorted, each once. What hands a manifest on (a
/// registry, a package) hands these on too.
std::vector<std::string> companion_files(const Manifest& manifest);

/// Checks that they are there, and reads the locks among them into their sources. `file` is the
/// manifest's path, for messages; Manifest::directory says where to look. A symlink is a fault: it
/// could lead out of the folder.
void read_companions(const platform::FileReader& files,
                     const std::string& file,
                     Manifest& manifest,
                     Diagnostics& diagnostics);

}  // namespace las::catalog
