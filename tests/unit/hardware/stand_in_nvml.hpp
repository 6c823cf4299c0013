// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nvml.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware::test {

/// What the stand-in for NVML answers for one GPU. PCI bus numbers are addresses: 0000:BUS:00.0.
struct StandInGpu {
  unsigned bus = 1;
  std::string name = "NVIDIA GeForce RTX 4090";
  std::string uuid = "GPU-a";
  std::uint64_t mib = 24564;
  int major = 8, minor = 9;
  nvml::Return memory_status = 0;
  nvml::Return pci_status = 0;
  nvml::Return capability_status = 0;
  unsigned milliwatts = 450000;
  nvml::Return mig_status = nvml::kNotSupported;
  std::vector<std::uint64_t> instances_mib = {};  ///< MIG instances; 0: a gap in the numbers

  struct Link {
    int type = nvml::kRemoteIsGpu;  ///< -1: NVML fails to tell
    unsigned bus = 0;               ///< of the other GPU
    bool active = true;
  };

  std::vector<Link> links = {};
  std::map<unsigned, unsigned long long> processes = {};  ///< bytes by pid
};

/// A stand-in for NVML on a machine with the given GPUs.
struct StandInMachine {
  nvml::Return init_status = 0;
  std::vector<StandInGpu> gpus = {};
  unsigned lost = 0;  ///< further GPUs that no handle can be had for
  std::string driver = "580.65.06";
  int shutdowns = 0;
};

/// NVML's functions carry no context, so the machine is global; ask() sets it.
inline StandInMachine stand_in_machine;

namespace detail {

// Handles: 1 + index of the GPU, and 100 times the number of a MIG instance.
inline nvml::Device handle(unsigned gpu, unsigned instance = 0) {
  return reinterpret_cast<nvml::Device>(std::uintptr_t{gpu} + 1 + std::uintptr_t{instance} * 100);
}

inline unsigned number(nvml::Device device) {
  return static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(device));
}

inline StandInGpu& gpu(nvml::Device device) {
  return stand_in_machine.gpus.at(number(device) % 100 - 1);
}

inline unsigned instance(nvml::Device device) {
  return number(device) / 100;
}

inline nvml::Return put(const std::string& text, char* out, unsigned size) {
  std::memcpy(out, text.c_str(), std::min<std::size_t>(text.size() + 1, size));
  return 0;
}

}  // namespace detail

inline nvml::Functions stand_in_nvml() {
  using namespace detail;
  nvml::Functions nvml;
  nvml.init = [] { return stand_in_machine.init_status; };
  nvml.shutdown = [] { return ++stand_in_machine.shutdowns, 0; };
  nvml.error_string = [](nvml::Return status) {
    return status == 18   ? "Driver/library version mismatch"
           : status == 15 ? "GPU is lost"
                          : "Unknown Error";
  };
  nvml.cuda_driver_version = [](int* version) { return *version = 12040, 0; };
  nvml.driver_version = [](char* text, unsigned size) {
    return put(stand_in_machine.driver, text, size);
  };
  nvml.device_count = [](unsigned* count) {
    *count = static_cast<unsigned>(stand_in_machine.gpus.size()) + stand_in_machine.lost;
    return 0;
  };
  nvml.device_by_index = [](unsigned index, nvml::Device* device) {
    if (index >= stand_in_machine.gpus.size())
      return 15;
    *device = handle(index);
    return 0;
  };
  nvml.device_name = [](nvml::Device device, char* text, unsigned size) {
    return put(gpu(device).name + (instance(device) != 0 ? " MIG" : ""), text, size);
  };
  nvml.device_uuid = [](nvml::Device device, char* text, unsigned size) {
    const unsigned part = instance(device);
    return put(part != 0 ? "MIG-" + std::to_string(part) : gpu(device).uuid, text, size);
  };
  nvml.device_pci = [](nvml::Device device, nvml::PciInfo* pci) {
    pci->bus = gpu(device).bus;
    return gpu(device).pci_status;
  };
  nvml.device_memory = [](nvml::Device device, nvml::Memory* memory) {
    const unsigned part = instance(device);
    const std::uint64_t mib = part != 0 ? gpu(device).instances_mib.at(part - 1) : gpu(device).mib;
    *memory = {mib << 20, (mib - mib / 8) << 20, (mib / 8) << 20};
    return gpu(device).memory_status;
  };
  nvml.device_compute_capability = [](nvml::Device device, int* major, int* minor) {
    *major = gpu(device).major;
    *minor = gpu(device).minor;
    return gpu(device).capability_status;
  };
  nvml.device_power_limit = [](nvml::Device device, unsigned* milliwatts) {
    return *milliwatts = gpu(device).milliwatts, 0;
  };
  nvml.mig_mode = [](nvml::Device device, unsigned* current, unsigned* pending) {
    *current = *pending = gpu(device).mig_status == 0 ? 1 : 0;
    return gpu(device).mig_status;
  };
  nvml.mig_count = [](nvml::Device device, unsigned* count) {
    return *count = static_cast<unsigned>(gpu(device).instances_mib.size()), 0;
  };
  nvml.mig_device = [](nvml::Device device, unsigned index, nvml::Device* part) {
    if (gpu(device).instances_mib.at(index) == 0)
      return nvml::kNotFound;
    *part = handle(number(device) - 1, index + 1);
    return 0;
  };
  nvml.nvlink_state = [](nvml::Device device, unsigned link, int* active) {
    const auto& links = gpu(device).links;
    *active = link < links.size() && links[link].active ? 1 : 0;
    return link < links.size() ? 0 : 2;
  };
  nvml.nvlink_remote_type = [](nvml::Device device, unsigned link, int* type) {
    *type = gpu(device).links.at(link).type;
    return *type < 0 ? 999 : 0;
  };
  nvml.nvlink_remote_pci = [](nvml::Device device, unsigned link, nvml::PciInfo* pci) {
    return pci->bus = gpu(device).links.at(link).bus, 0;
  };
  nvml.device_processes = [](nvml::Device device, unsigned* count, nvml::ProcessInfo* out) {
    *count = 0;
    for (const auto& [pid, bytes] : gpu(device).processes)
      out[(*count)++] = {pid, bytes, 0, 0};
    return 0;
  };
  return nvml;
}

inline NvmlReport ask(StandInMachine machine) {
  stand_in_machine = std::move(machine);
  return ask_nvml(stand_in_nvml());
}

}  // namespace las::hardware::test
