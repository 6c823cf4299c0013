// SPDX-License-Identifier: Apache-2.0
#include "las/service/cdi.hpp"

#include "las/base/diagnostics.hpp"
#include "las/base/i18n.hpp"
#include "las/document/node.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

namespace las::service {

namespace {

namespace fs = std::filesystem;

std::vector<CdiDevice> devices_in(const std::string& text, const fs::path& file) {
  Diagnostics diagnostics;
  // JSON is YAML too.
  const document::Node node = document::parse(text, file.string(), diagnostics);
  const std::string kind = node["kind"].string().value_or("");
  const std::string version = node["cdiVersion"].string().value_or("");
  std::vector<CdiDevice> devices;
  for (const document::Node& item : node["devices"].items()) {
    // Names such as 0 are numbers to YAML; as text they are the same.
    if (const auto name = item["name"].string(); name && !kind.empty() && !version.empty())
      devices.push_back({fmt::format("{}={}", kind, *name), Version(version), file});
  }
  return devices;
}

/// What is known of engines and formats. Sources: NVIDIA's cloud-native-docs (cdi-support.md,
/// container-toolkit release notes 1.19.1); that podman 4.3.1 refuses 0.6.0 and takes 0.5.0 was
/// measured.
struct Reads {
  const char* engine;
  const char* before;  ///< versions of the engine older than this ...
  const char* newest;  ///< ... read formats up to this one; "" = none at all
};

constexpr std::array kReads{Reads{"podman", "4.1", ""},
                            Reads{"podman", "4.4", "0.5.0"},
                            Reads{"podman", "5.1", "0.6.0"},
                            Reads{"docker", "25", ""},
                            Reads{"docker", "26.1", "0.6.0"}};

}  // namespace

std::vector<CdiDevice> cdi_devices(const platform::FileReader& files) {
  std::map<std::string, CdiDevice> found;
  for (const fs::path folder : {"/etc/cdi", "/var/run/cdi"}) {
    if (!files.exists(folder))
      continue;
    for (const std::string& name : files.list_directory(folder)) {
      if (!name.ends_with(".json") && !name.ends_with(".yaml"))
        continue;
      const auto text = files.try_read(folder / name);
      for (CdiDevice& device : devices_in(text.value_or(""), folder / name))
        found.insert_or_assign(device.name, std::move(device));
    }
  }
  std::vector<CdiDevice> all;
  for (auto& [name, device] : found)
    all.push_back(std::move(device));
  return all;
}

std::string cdi_obstacle(const std::string& engine,
                         const Version& engine_version,
                         const CdiDevice& device) {
  for (const Reads& reads : kReads) {
    if (engine != reads.engine || engine_version >= Version(reads.before))
      continue;
    if (*reads.newest == '\0')
      return fmt::format(fmt::runtime(_("{} {} knows no CDI devices: it needs {}")),
                         engine,
                         engine_version.text(),
                         reads.before);
    if (device.version > Version(reads.newest))
      return fmt::format(fmt::runtime(_("{} is of version {}, and {} {} reads at most {}")),
                         device.file.string(),
                         device.version.text(),
                         engine,
                         engine_version.text(),
                         reads.newest);
    return {};
  }
  return {};
}

}  // namespace las::service
