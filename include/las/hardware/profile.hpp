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

/// What the firmware says this computer is.
struct Board {
  Fact<std::string> vendor, product;  ///< DMI, or the model of the device tree
  /// The family of machines whose GPU and CPU share one memory that this one belongs to ("NVIDIA
  /// GB10", "NVIDIA Jetson", "AMD Strix Halo" ...), "none" for others. Known also where the GPU's
  /// driver is absent: there "no VRAM" must not be read as "no GPU".
  Fact<std::string> unified_memory;
  bool operator==(const Board&) const = default;
};

struct Cpu {
  Fact<std::string> vendor, model;
  Fact<int> sockets, cores, threads, numa_nodes;  ///< those online
  /// Kinds of cores: on a machine with one kind all are performance cores.
  Fact<int> performance_cores, efficiency_cores;
  Fact<ByteSize> l1d_cache, l2_cache, l3_cache;  ///< each: sum over the machine
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
  Fact<ByteSize> huge_page_size;  ///< the default size
  Fact<ByteSize> huge_pages;      ///< reserved for them (number times size)
  bool operator==(const Memory&) const = default;
};

enum class GpuVendor { Nvidia, Amd, Intel, Other };
std::string_view to_string(GpuVendor vendor);  ///< "nvidia", "amd", "intel", "other"

/// A fast way from one GPU to another of the same machine.
struct GpuLink {
  std::string peer;  ///< PCI address of the other GPU; empty: a switch that joins them all
  std::string kind;  ///< "nvlink", "xgmi"
  int lanes = 0;     ///< links of this kind between the two; 0: the driver does not tell
  bool operator==(const GpuLink&) const = default;
};

/// A slice of a GPU that is divided by MIG: to programs it is a GPU of its own.
struct MigInstance {
  std::string uuid, name;
  ByteSize memory;
  bool operator==(const MigInstance&) const = default;
};

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
  Fact<Version> driver_version;
  /// Whether the driver can be computed with: "working", "none" (no driver bound), "nouveau" (the
  /// driver that only draws), "mismatch" (kernel module and library of different versions: reboot),
  /// "broken" (bound, but it does not answer), "reserved" (set aside for virtual machines, or not
  /// given to this container).
  Fact<std::string> driver_state;
  Fact<bool> integrated;
  Fact<ByteSize> gtt;     ///< AMD: main memory that the GPU may map
  Fact<int> power_limit;  ///< watts
  Fact<bool> mig;         ///< NVIDIA: divided into instances
  Fact<std::vector<MigInstance>> mig_instances;
  Fact<std::vector<GpuLink>> links;
  bool operator==(const Gpu&) const = default;
};

/// An accelerator that is no GPU: an NPU beside the CPU, a card for inference.
struct Accelerator {
  std::string vendor;  ///< "intel", "amd", "huawei" ... in small letters
  Fact<std::string> name, pci_address, pci_id, kernel_driver;
  Fact<std::string> device;  ///< "/dev/accel/accel0"; unknown without a driver
  bool operator==(const Accelerator&) const = default;
};

struct Storage {
  std::string purpose;  ///< "state", "models", "cache"
  Fact<std::string> path, file_system;
  Fact<std::string> device;       ///< "nvme0n1", of the whole disk
  Fact<std::string> device_kind;  ///< "nvme", "ssd", "hdd", "virtual", "network", "memory"
  /// How fast a large file can be read at best, from the kind and its bus, not measured: "hdd"
  /// (0.3 GB/s), "sata" (0.6 GB/s), "pcie3", "pcie4", "pcie5" (3.9, 7.9, 15.8 GB/s at four lanes).
  Fact<std::string> read_class;
  Fact<bool> reflink;  ///< files can share blocks until one is changed
  Fact<ByteSize> free, total;
  bool operator==(const Storage&) const = default;
};

struct Tools {
  Fact<bool> systemd_running;
  Fact<bool> systemd_user;  ///< a user manager runs for this user
  Fact<Version> systemd, podman, docker, python, nvidia_driver;
  Fact<Version> cuda_driver;  ///< highest CUDA version the driver supports
  Fact<Version> cuda_toolkit, rocm, level_zero;
  Fact<bool> podman_rootless, docker_rootless;  ///< usable by this user without root
  /// "KIND VERSION" of each Container Device Interface specification ("nvidia.com/gpu 0.6.0").
  Fact<std::vector<std::string>> cdi_specs;
  bool operator==(const Tools&) const = default;
};

/// Normalised facts of one machine. Sizes in bytes. A plain value: saved, loaded, compared.
struct HardwareProfile {
  int schema = 1;
  OperatingSystem os;
  Board board;
  Cpu cpu;
  Memory memory;
  /// Whether the list of GPUs itself could be read. Known and empty: this machine has none.
  Fact<std::vector<Gpu>> gpus;
  Fact<bool> nvlink;  ///< at least two GPUs joined by NVLink
  /// Accelerators other than GPUs; known and empty: there are none.
  Fact<std::vector<Accelerator>> accelerators;
  std::vector<Storage> storage;
  Tools tools;
  bool operator==(const HardwareProfile&) const = default;

  /// Sum of VRAM over discrete GPUs of the vendor that has most; unknown if one of them is unknown.
  /// A program sees one instance of the GPUs that MIG divides, so the largest one counts for them.
  Fact<ByteSize> total_vram() const;
  /// VRAM of the largest single GPU or MIG instance.
  Fact<ByteSize> largest_vram() const;
};

/// How well las is known to run on this distribution.
struct OsSupport {
  bool supported = false;  ///< otherwise best effort
  std::string why;         ///< one clause for a person
};

OsSupport os_support(const OperatingSystem& os);

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
