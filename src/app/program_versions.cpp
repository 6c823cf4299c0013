// SPDX-License-Identifier: Apache-2.0
#include "program_versions.hpp"

#include "las/base/error.hpp"

#include <nlohmann/json.hpp>

namespace las::app {

namespace {

constexpr const char* kFile = "program-versions.json";

}  // namespace

hardware::ProgramVersions load_program_versions(const platform::FileReader& files,
                                                const std::filesystem::path& cache,
                                                const std::string& boot_id) {
  hardware::ProgramVersions programs;
  const auto text = files.try_read(cache / kFile);
  const auto json = nlohmann::json::parse(text.value_or(""), nullptr, false);
  if (!json.is_object() || boot_id.empty() || json.value("boot", nlohmann::json()) != boot_id)
    return programs;
  const auto versions = json.find("versions");
  if (versions == json.end() || !versions->is_object())
    return programs;
  for (const auto& [identity, version] : versions->items()) {
    if (version.is_string())
      programs.versions[identity] = version.get<std::string>();
  }
  return programs;
}

void save_program_versions(platform::FileSystem& files,
                           const std::filesystem::path& cache,
                           const std::string& boot_id,
                           const hardware::ProgramVersions& programs) {
  if (!programs.changed || boot_id.empty())
    return;
  const nlohmann::json json = {{"boot", boot_id}, {"versions", programs.versions}};
  try {
    if (files.exists(cache))
      files.replace_file(cache / kFile,
                         json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } catch (const Error&) {
  }
}

}  // namespace las::app
