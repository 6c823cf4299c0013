// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/gpu_memory.hpp"

#include "nvml.hpp"
#include "parse.hpp"

#include "las/base/error.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include <fmt/format.h>

namespace las::hardware {

namespace {

using ByProcess = std::optional<std::map<std::uint32_t, ByteSize>>;

ByProcess nvidia_memory() {
  constexpr std::chrono::seconds kPatience{2};
  const std::function<ByProcess()> ask = []() -> ByProcess {
    try {
      return ask_process_memory(nvml::open());
    } catch (const Error&) {
      return std::nullopt;
    }
  };
  return answer_within(kPatience, ask).value_or(std::nullopt);
}

// "drm-resident-vram0: 12 KiB"
std::optional<ByteSize> drm_size(const std::string& value) {
  const auto words = text::split(value, ' ');
  const auto number = parse_unsigned(words.front());
  if (!number)
    return std::nullopt;
  const std::string unit = words.size() > 1 ? words[1] : "";
  if (unit == "KiB")
    return ByteSize(*number << 10);
  if (unit == "MiB")
    return ByteSize(*number << 20);
  return ByteSize(*number);
}

// Memory on the card: the regions "vram", "vram0" and "local0". Older drivers say drm-memory- for
// what newer ones call drm-resident-.
std::map<std::string, ByteSize> regions_of(const std::map<std::string, std::string>& values) {
  std::map<std::string, ByteSize> regions;
  for (const std::string prefix : {"drm-memory-", "drm-resident-"}) {
    for (const auto& [key, value] : values) {
      const std::string region = key.starts_with(prefix) ? key.substr(prefix.size()) : "";
      if (!region.starts_with("vram") && !region.starts_with("local"))
        continue;
      if (const auto size = drm_size(value))
        regions[region] = *size;
    }
  }
  return regions;
}

// One client of a GPU may be open under several descriptors, and in several processes.
ByteSize drm_memory(const platform::FileReader& files,
                    const std::set<std::uint32_t>& pids,
                    bool& told) {
  std::map<std::string, ByteSize> clients;
  for (const std::uint32_t pid : pids) {
    const std::string folder = fmt::format("/proc/{}/fdinfo", pid);
    for (const std::string& name : try_list(files, folder).value_or(std::vector<std::string>{})) {
      const auto text = files.try_read(folder + "/" + name);
      if (!text || text->find("drm-") == std::string::npos)
        continue;
      const auto values = parse_colon_lines(*text);
      const auto client = values.find("drm-client-id"), device = values.find("drm-pdev");
      if (client == values.end())
        continue;
      const std::string where = device == values.end() ? "" : device->second;
      for (const auto& [region, size] : regions_of(values)) {
        clients[fmt::format("{} {} {}", where, client->second, region)] = size;
        told = true;
      }
    }
  }
  ByteSize sum;
  for (const auto& [client, size] : clients)
    sum += size;
  return sum;
}

}  // namespace

std::optional<ByteSize> gpu_memory(const platform::FileReader& files,
                                   const std::set<std::uint32_t>& pids,
                                   const std::set<GpuVendor>& vendors) {
  ByteSize sum;
  bool told = false;
  if (vendors.contains(GpuVendor::Nvidia)) {
    if (const ByProcess used = nvidia_memory()) {
      told = true;
      for (const auto& [pid, bytes] : *used) {
        if (pids.contains(pid))
          sum += bytes;
      }
    }
  }
  if (vendors.contains(GpuVendor::Amd) || vendors.contains(GpuVendor::Intel))
    sum += drm_memory(files, pids, told);
  return told ? std::optional(sum) : std::nullopt;
}

}  // namespace las::hardware
