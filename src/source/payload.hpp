// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/digest.hpp"
#include "las/catalog/manifest.hpp"
#include "las/platform/file_system.hpp"
#include "las/source/source.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// What the kinds that fill the store have in common.
namespace las::source {

/// A file that comes with the manifest, read.
struct PayloadFile {
  std::string to;  ///< relative to the payload, tidy
  std::string content;
  bool executable = false;
};

/// Reads the manifest's `files`. A path that leaves the manifest's folder, also by a symlink, is
/// InvalidData.
std::vector<PayloadFile> read_manifest_files(const platform::FileReader& files,
                                             const std::vector<catalog::ManifestFile>& wanted,
                                             const std::string& manifest_directory);

/// Puts them into the payload. Never over an existing file and never through a symlink
/// (InvalidData).
void place_manifest_files(platform::FileSystem& files,
                          const std::vector<PayloadFile>& placed,
                          const std::filesystem::path& payload);

/// For kinds whose one artifact is a lock that names every file with its hash: Unsatisfiable when
/// `artifacts` is not that one, Integrity when it is one with another digest. `subject` is told.
void require_lock(const std::vector<InputArtifact>& artifacts,
                  const InputArtifact& lock,
                  const std::string& subject);

/// Throws InvalidData naming the first executable that is not there or not executable.
void check_executables(const platform::FileReader& files,
                       const std::map<std::string, std::string>& executables,
                       const std::filesystem::path& payload);

/// Whether `path`, after symlinks, is a regular file with an execute bit.
bool is_executable(const platform::FileReader& files, std::filesystem::path path);

/// One line per manifest file, for the identity.
std::string identity_of(const std::vector<PayloadFile>& placed);

/// "<module>-<version>-<digest12>"; characters of a version that do not fit a file name become "_".
std::string make_store_name(std::string_view module,
                            std::string_view version,
                            std::string_view identity);

}  // namespace las::source
