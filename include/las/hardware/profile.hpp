// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/version.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::hardware {

/// A fact of the machine: its value with the place it was read from, or why it is unknown. A fact
/// is never guessed: conditions on an unknown fact are unknown too.
template <typename T>
struct Fact {
  std::optional<T> value;
  std::string origin;   ///< "/proc/meminfo", "NVML", "hwloc"; empty when unknown
  std::string unknown;  ///< why it could not be read; empty when known

  static Fact known(T v, std::string from) { return {std::move(v), std::move(from), {}}; }

  static Fact missing(std::string why) { return {std::nullopt, {}, std::move(why)}; }

  bool is_known() const { return value.has_value(); }

  bool operator==(const Fact&) const = default;
};

struct OperatingSystem {
  Fact<std::string> id;        ///< "debian", "ubuntu" (os-release ID)
  Fact<std::string> version;   ///< "12", "24.04"
  Fact<std::string> codename;  ///< "bookworm"
  Fact<std::string> pretty_name;
  Fact<std::string> kernel;        ///< "6.1.0-18-amd64"
  Fact<std::string> architecture;  ///< "x86_64", "aarch64"
  Fact<Version> glibc;
  Fact<std::string> virtualization;  ///< "none", "container:docker", "vm:kvm", "wsl"
  bool operator==(const OperatingSystem&) const = default;
};

struct Cpu {
  Fact<std::string> vendor, model;
  Fact<int> sockets, cores, threads, numa_nodes;
  /// CPUs this process may really use (affinity and cgroup quota, rounded up).
  Fact<int> usable_threads;
  Fact<std::vector<std::string>> features;  ///< "avx2", "avx512f", "neon" ..., sorted
  bool operator==(const Cpu&) const = default;
};

struct Memory {
  Fact<ByteSize> total;      ///< of the machine
  Fact<ByteSize> effective;  ///< the smaller of total and the cgroup limit: what planning uses
  Fact<ByteSize> available;
  Fact<ByteSize> swap;
  bool operator==(const Memory&) const = default;
};

enum class GpuVendor { Nvidia, Amd, Intel, Other };
std::string_view to_string(GpuVendor vendor);  ///< "nvidia", "amd", "intel", "other"

struct Gpu {
  GpuVendor vendor = GpuVendor::Other;
  Fact<std::string> name;
  Fact<std::string> pci_address;  ///< "0000:65:00.0"
  Fact<std::string> pci_id;       ///< "10de:2684"
  Fact<std::string> uuid;
  Fact<ByteSize> vram, vram_free;
  Fact<Version> compute_capability;  ///< NVIDIA: "8.9"
  Fact<std::string> gfx_target;      ///< AMD: "gfx1100"
  Fact<std::string> kernel_driver;   ///< "nvidia", "nouveau", "amdgpu", "i915", "xe"
  Fact<bool> integrated;
  bool operator==(const Gpu&) const = default;
};

struct Storage {
  std::string purpose;  ///< "state", "models", "cache"
  Fact<std::string> path, file_system;
  Fact<ByteSize> free, total;
  bool operator==(const Storage&) const = default;
};

struct Tools {
  Fact<bool> systemd_running;
  Fact<Version> systemd, podman, docker, python, nvidia_driver;
  Fact<Version> cuda_driver;  ///< highest CUDA version the driver supports
  bool operator==(const Tools&) const = default;
};

/// Normalised facts of one machine. Sizes in bytes. A plain value: saved, loaded, compared.
struct HardwareProfile {
  int schema = 1;
  OperatingSystem os;
  Cpu cpu;
  Memory memory;
  /// Whether the list of GPUs itself could be read. Known and empty: this machine has none.
  Fact<std::vector<Gpu>> gpus;
  Fact<bool> nvlink;  ///< at least two GPUs joined by NVLink
  std::vector<Storage> storage;
  Tools tools;
  bool operator==(const HardwareProfile&) const = default;

  /// Sum of VRAM over discrete GPUs of the vendor that has most; unknown if one of them is unknown.
  Fact<ByteSize> total_vram() const;
  /// VRAM of the largest single GPU.
  Fact<ByteSize> largest_vram() const;
};

/// JSON form, schema 1: every fact is {"value": …, "origin": …} or {"value": null, "unknown": …}.
std::string to_json(const HardwareProfile& profile);
/// Throws InvalidData naming the key that is wrong.
HardwareProfile from_json(const std::string& text);

/// The profile's facts under flat names for conditions, traces and scenario files:
/// "cpu.cores", "memory.effective", "gpu.count", "gpu.vram", "gpu.vram_total",
/// "gpu.compute_capability" (the smallest over the GPUs), "gpu.vendor", "gpu.nvlink", "os.id" ...
///
/// The gpu.* facts are about the GPUs that a model would run on: the discrete ones of the vendor
/// that has most VRAM, or without discrete ones the integrated ones; "gpu.vendors" lists all
/// vendors. "memory.unified" is what an integrated GPU shares with the CPU, 0 where GPUs have their
/// own. Every profile has the same names, apart from "storage.<purpose>.<fact>".
struct NamedFact {
  std::string name;
  enum class Kind { Number, Size, Version, Text, Boolean, List } kind = Kind::Text;
  Fact<std::string> text;  ///< in canonical spelling; Size as bytes, List joined by ' '
};

std::vector<NamedFact> named_facts(const HardwareProfile& profile);

}  // namespace las::hardware
