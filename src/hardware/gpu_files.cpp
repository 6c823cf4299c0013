// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/gpu_files.hpp"

#include "parse.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::hardware {

namespace {

std::vector<std::string> render_nodes(const platform::FileReader& files, const std::string& pci) {
  std::vector<std::string> nodes;
  const auto names = try_list(files, "/sys/bus/pci/devices/" + pci + "/drm");
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    if (name.starts_with("renderD"))
      nodes.push_back("/dev/dri/" + name);
  }
  return nodes;
}

std::vector<std::string> nvidia_nodes(const platform::FileReader& files, const std::string& pci) {
  std::vector<std::string> nodes;
  const auto information = files.try_read("/proc/driver/nvidia/gpus/" + pci + "/information");
  const auto values = parse_colon_lines(information.value_or(""));
  const auto number = values.find("Device Minor");
  if (const auto minor = number == values.end() ? std::nullopt : parse_unsigned(number->second))
    nodes.push_back(fmt::format("/dev/nvidia{}", *minor));
  for (const char* shared : {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"})
    nodes.emplace_back(shared);
  const auto parts = try_list(files, "/dev/nvidia-caps");
  for (const std::string& name : parts.value_or(std::vector<std::string>{}))
    nodes.push_back("/dev/nvidia-caps/" + name);
  return nodes;
}

}  // namespace

GpuFiles gpu_files(const platform::FileReader& files, const Gpu& gpu) {
  const std::string pci = gpu.pci_address.value.value_or("");
  GpuFiles found;
  std::vector<std::string> candidates;
  if (gpu.vendor == GpuVendor::Nvidia)
    candidates = nvidia_nodes(files, pci);
  if (gpu.vendor == GpuVendor::Amd)
    candidates.emplace_back("/dev/kfd");
  if (!pci.empty()) {
    for (std::string& node : render_nodes(files, pci))
      candidates.push_back(std::move(node));
  }
  constexpr std::uint32_t kEverybody = 0006;
  for (const std::string& node : candidates) {
    const auto status = files.status(node);
    if (status && (status->mode & kEverybody) != kEverybody && status->gid != 0)
      found.groups.push_back(status->gid);
  }
  found.nodes = std::move(candidates);
  std::sort(found.groups.begin(), found.groups.end());
  found.groups.erase(std::unique(found.groups.begin(), found.groups.end()), found.groups.end());
  return found;
}

bool is_usable(const Gpu& gpu) {
  const auto& state = gpu.driver_state.value;
  return gpu.vendor != GpuVendor::Other && (!state || *state == "working");
}

}  // namespace las::hardware
