// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/hardware/profile.hpp"

#include <type_traits>

/// The one list of which facts each struct has and how its JSON keys are spelled. A new fact is
/// added here and in the public header. `visit` is called as visit("key", fact).
namespace las::hardware {

namespace detail {

template <typename T, typename Struct>
concept Is = std::is_same_v<std::remove_const_t<T>, Struct>;

}  // namespace detail

template <detail::Is<OperatingSystem> Os, typename Visit>
void for_each_fact(Os& os, Visit&& visit) {
  visit("id", os.id);
  visit("version", os.version);
  visit("codename", os.codename);
  visit("pretty_name", os.pretty_name);
  visit("kernel", os.kernel);
  visit("architecture", os.architecture);
  visit("glibc", os.glibc);
  visit("virtualization", os.virtualization);
}

template <detail::Is<Board> B, typename Visit>
void for_each_fact(B& board, Visit&& visit) {
  visit("vendor", board.vendor);
  visit("product", board.product);
  visit("unified_memory", board.unified_memory);
}

template <detail::Is<Cpu> C, typename Visit>
void for_each_fact(C& cpu, Visit&& visit) {
  visit("vendor", cpu.vendor);
  visit("model", cpu.model);
  visit("sockets", cpu.sockets);
  visit("cores", cpu.cores);
  visit("threads", cpu.threads);
  visit("numa_nodes", cpu.numa_nodes);
  visit("performance_cores", cpu.performance_cores);
  visit("efficiency_cores", cpu.efficiency_cores);
  visit("l1d_cache", cpu.l1d_cache);
  visit("l2_cache", cpu.l2_cache);
  visit("l3_cache", cpu.l3_cache);
  visit("usable_threads", cpu.usable_threads);
  visit("features", cpu.features);
}

template <detail::Is<Memory> M, typename Visit>
void for_each_fact(M& memory, Visit&& visit) {
  visit("total", memory.total);
  visit("effective", memory.effective);
  visit("available", memory.available);
  visit("swap", memory.swap);
  visit("huge_page_size", memory.huge_page_size);
  visit("huge_pages", memory.huge_pages);
}

template <detail::Is<Gpu> G, typename Visit>
void for_each_fact(G& gpu, Visit&& visit) {
  visit("name", gpu.name);
  visit("pci_address", gpu.pci_address);
  visit("pci_id", gpu.pci_id);
  visit("uuid", gpu.uuid);
  visit("vram", gpu.vram);
  visit("vram_free", gpu.vram_free);
  visit("compute_capability", gpu.compute_capability);
  visit("gfx_target", gpu.gfx_target);
  visit("kernel_driver", gpu.kernel_driver);
  visit("driver_version", gpu.driver_version);
  visit("driver_state", gpu.driver_state);
  visit("integrated", gpu.integrated);
  visit("gtt", gpu.gtt);
  visit("power_limit", gpu.power_limit);
  visit("mig", gpu.mig);
  visit("mig_instances", gpu.mig_instances);
  visit("links", gpu.links);
}

template <detail::Is<Accelerator> A, typename Visit>
void for_each_fact(A& accelerator, Visit&& visit) {
  visit("name", accelerator.name);
  visit("pci_address", accelerator.pci_address);
  visit("pci_id", accelerator.pci_id);
  visit("kernel_driver", accelerator.kernel_driver);
  visit("device", accelerator.device);
}

template <detail::Is<Storage> S, typename Visit>
void for_each_fact(S& storage, Visit&& visit) {
  visit("path", storage.path);
  visit("file_system", storage.file_system);
  visit("device", storage.device);
  visit("device_kind", storage.device_kind);
  visit("read_class", storage.read_class);
  visit("reflink", storage.reflink);
  visit("free", storage.free);
  visit("total", storage.total);
}

template <detail::Is<Tools> T, typename Visit>
void for_each_fact(T& tools, Visit&& visit) {
  visit("systemd_running", tools.systemd_running);
  visit("systemd_user", tools.systemd_user);
  visit("systemd", tools.systemd);
  visit("podman", tools.podman);
  visit("docker", tools.docker);
  visit("python", tools.python);
  visit("nvidia_driver", tools.nvidia_driver);
  visit("cuda_driver", tools.cuda_driver);
  visit("cuda_toolkit", tools.cuda_toolkit);
  visit("rocm", tools.rocm);
  visit("level_zero", tools.level_zero);
  visit("podman_rootless", tools.podman_rootless);
  visit("docker_rootless", tools.docker_rootless);
  visit("cdi_specs", tools.cdi_specs);
}

/// The sections of a profile that are plain structs of facts: visit("os", profile.os) ...
template <detail::Is<HardwareProfile> Profile, typename Visit>
void for_each_section(Profile& profile, Visit&& visit) {
  visit("os", profile.os);
  visit("board", profile.board);
  visit("cpu", profile.cpu);
  visit("memory", profile.memory);
  visit("tools", profile.tools);
}

}  // namespace las::hardware
