// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace las::hardware {

/// The few declarations of the NVIDIA Management Library that las uses, after the signatures in
/// NVIDIA's NVML API Reference (nvml.h, stable since the _v2/_v3 names of R470): the header itself
/// is not in Debian main.
namespace nvml {

using Return = int;  // nvmlReturn_t; 0 is NVML_SUCCESS
using Device = struct OpaqueDevice*;

constexpr Return kSuccess = 0;
constexpr Return kNotSupported = 3;
constexpr Return kNotFound = 6;
constexpr Return kVersionMismatch = 18;  // NVML_ERROR_LIB_RM_VERSION_MISMATCH
constexpr unsigned kNameSize = 96;       // NVML_DEVICE_NAME_V2_BUFFER_SIZE
constexpr unsigned kUuidSize = 96;       // NVML_DEVICE_UUID_V2_BUFFER_SIZE
constexpr unsigned kVersionSize = 80;    // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE
constexpr unsigned kMaxLinks = 18;       // NVML_NVLINK_MAX_LINKS
constexpr int kRemoteIsGpu = 0;          // NVML_NVLINK_DEVICE_TYPE_GPU
constexpr int kRemoteIsCpu = 1;          // NVML_NVLINK_DEVICE_TYPE_IBMNPU
constexpr int kRemoteIsSwitch = 2;       // NVML_NVLINK_DEVICE_TYPE_SWITCH

struct Memory {
  unsigned long long total, free, used;  // bytes
};

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};

struct ProcessInfo {  // nvmlProcessInfo_v2_t
  unsigned pid;
  unsigned long long used_memory;  // bytes; ~0 where the driver does not tell
  unsigned gpu_instance, compute_instance;
};

/// Function pointers into the library; tests fill them with stand-ins.
struct Functions {
  Return (*init)() = nullptr;
  Return (*shutdown)() = nullptr;
  const char* (*error_string)(Return) = nullptr;
  Return (*cuda_driver_version)(int*) = nullptr;
  Return (*device_count)(unsigned*) = nullptr;
  Return (*device_by_index)(unsigned, Device*) = nullptr;
  Return (*device_name)(Device, char*, unsigned) = nullptr;
  Return (*device_uuid)(Device, char*, unsigned) = nullptr;
  Return (*device_pci)(Device, PciInfo*) = nullptr;
  Return (*device_memory)(Device, Memory*) = nullptr;
  Return (*device_compute_capability)(Device, int*, int*) = nullptr;
  // These may be absent.
  Return (*driver_version)(char*, unsigned) = nullptr;
  Return (*device_power_limit)(Device, unsigned*) = nullptr;  ///< milliwatts
  Return (*mig_mode)(Device, unsigned*, unsigned*) = nullptr;
  Return (*mig_count)(Device, unsigned*) = nullptr;
  Return (*mig_device)(Device, unsigned, Device*) = nullptr;
  Return (*nvlink_state)(Device, unsigned, int*) = nullptr;
  Return (*nvlink_remote_type)(Device, unsigned, int*) = nullptr;
  Return (*nvlink_remote_pci)(Device, unsigned, PciInfo*) = nullptr;
  Return (*device_processes)(Device, unsigned*, ProcessInfo*) = nullptr;
};

/// Opens libnvidia-ml.so.1, where WSL puts it too; throws NotFound.
Functions open();

}  // namespace nvml

struct NvmlGpu {
  std::string pci_address;  ///< "0000:65:00.0"; empty if NVML does not tell
  Fact<std::string> name, uuid;
  Fact<ByteSize> vram, vram_free;
  Fact<Version> compute_capability;
  Fact<int> power_limit;
  Fact<bool> mig;
  Fact<std::vector<MigInstance>> mig_instances;
  Fact<std::vector<GpuLink>> links;
  bool shares_memory = false;  ///< the driver reports no memory of its own (unified memory)
};

/// What NVML said, or why it said nothing.
struct NvmlReport {
  std::string failure;    ///< empty: it answered
  bool mismatch = false;  ///< it failed since the loaded kernel module is of another version
  std::vector<NvmlGpu> gpus;
  std::string silent_gpu;  ///< why a GPU is missing from `gpus`; empty: none is
  Fact<Version> driver_version, cuda_driver;
};

NvmlReport ask_nvml(const nvml::Functions& functions);
/// The same for a library that could not be opened.
NvmlReport failed_nvml(std::string failure);

/// Bytes of GPU memory by process, over all GPUs; nothing when NVML does not tell.
std::optional<std::map<std::uint32_t, ByteSize>> ask_process_memory(
    const nvml::Functions& functions);

/// What `ask` answers, or nothing once `patience` has passed: a driver whose GPU has fallen off the
/// bus may never answer. The thread that asks is left behind then and ends with the process, so
/// `ask` must own what it uses. Its Error comes through.
template <typename Answer>
std::optional<Answer> answer_within(std::chrono::milliseconds patience,
                                    std::function<Answer()> ask) {
  std::packaged_task<Answer()> task(std::move(ask));
  std::future<Answer> answer = task.get_future();
  std::thread(std::move(task)).detach();
  if (answer.wait_for(patience) != std::future_status::ready)
    return std::nullopt;
  return answer.get();
}

/// The same for a report, which says that the driver does not answer.
NvmlReport ask_within(std::chrono::milliseconds patience, std::function<NvmlReport()> ask);

}  // namespace las::hardware
