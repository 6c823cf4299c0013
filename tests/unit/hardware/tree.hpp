// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stand_ins.hpp"
#include "support/temp_directory.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <fmt/format.h>

namespace las::hardware::test {

/// A tree of kernel files that a test writes, to be read as the root of a machine.
class MachineTree {
 public:
  MachineTree& file(const std::string& path, const std::string& content) {
    std::filesystem::create_directories(at(path).parent_path());
    std::ofstream(at(path), std::ios::binary) << content;
    return *this;
  }

  MachineTree& folder(const std::string& path) {
    std::filesystem::create_directories(at(path));
    return *this;
  }

  MachineTree& link(const std::string& path, const std::string& target) {
    std::filesystem::create_directories(at(path).parent_path());
    std::filesystem::create_symlink(target, at(path));
    return *this;
  }

  std::filesystem::path at(const std::string& path) const {
    return folder_.path() / path.substr(1);
  }

  std::filesystem::path root() const { return folder_.path(); }

  std::unique_ptr<platform::FileReader> files() const {
    return platform::make_sysroot_reader(folder_.path());
  }

 private:
  las::test::TempDirectory folder_;
};

/// CPUs as Linux shows them in /sys/devices/system (Documentation/ABI/stable/
/// sysfs-devices-system-cpu and -node): only what hwloc needs.
class CpuTree : public MachineTree {
 public:
  struct Cpu {
    int core = 0, package = 0, node = 0;
    int capacity = 0;  ///< 0: not told
    int max_khz = 0;   ///< 0: not told
    bool online = true;
  };

  std::map<int, Cpu> cpus;
  std::map<int, long> node_kib;  ///< memory of each NUMA node; nodes may be without CPUs
  long l3_kib = 0;               ///< of each package; 0: no cache is described

  void write() {
    const std::string top = "/sys/devices/system/";
    std::set<int> all, online;
    for (const auto& [number, cpu] : cpus) {
      all.insert(number);
      if (cpu.online)
        online.insert(number);
    }
    file(top + "cpu/possible", list(all)).file(top + "cpu/present", list(all));
    file(top + "cpu/online", list(online));
    for (const auto& [number, cpu] : cpus)
      write_cpu(fmt::format("{}cpu/cpu{}/", top, number), number, cpu, online);
    std::set<int> nodes;
    for (const auto& [node, kib] : node_kib) {
      nodes.insert(node);
      const std::string folder = fmt::format("{}node/node{}/", top, node);
      file(folder + "cpumap",
           mask(those(online, [&](const Cpu& cpu) { return cpu.node == node; })));
      file(folder + "meminfo", fmt::format("Node {} MemTotal: {} kB\n", node, kib));
    }
    file(top + "node/online", list(nodes)).file(top + "node/possible", list(nodes));
  }

  static std::string list(const std::set<int>& numbers) {
    std::string out;
    for (const int number : numbers)
      out += (out.empty() ? "" : ",") + std::to_string(number);
    return out + "\n";
  }

 private:
  template <typename Wanted>
  std::set<int> those(const std::set<int>& numbers, Wanted&& wanted) const {
    std::set<int> out;
    for (const int number : numbers) {
      if (wanted(cpus.at(number)))
        out.insert(number);
    }
    return out;
  }

  // "00000000,000000ff"
  static std::string mask(const std::set<int>& numbers) {
    std::string out;
    for (int word = 3; word >= 0; --word) {
      unsigned bits = 0;
      for (const int number : numbers) {
        if (number / 32 == word)
          bits |= 1U << (number % 32);
      }
      out += fmt::format("{}{:08x}", out.empty() ? "" : ",", bits);
    }
    return out + "\n";
  }

  void write_cpu(const std::string& folder,
                 int number,
                 const Cpu& cpu,
                 const std::set<int>& online) {
    if (number != 0)
      file(folder + "online", cpu.online ? "1\n" : "0\n");
    if (!cpu.online)
      return;  // an offline CPU has no topology
    const std::string package =
        mask(those(online, [&](const Cpu& other) { return other.package == cpu.package; }));
    const std::string core = mask(those(online, [&](const Cpu& other) {
      return other.package == cpu.package && other.core == cpu.core;
    }));
    file(folder + "topology/core_cpus", core).file(folder + "topology/thread_siblings", core);
    file(folder + "topology/package_cpus", package);
    file(folder + "topology/core_siblings", package);
    file(folder + "topology/core_id", fmt::format("{}\n", cpu.core));
    file(folder + "topology/physical_package_id", fmt::format("{}\n", cpu.package));
    if (cpu.capacity > 0)
      file(folder + "cpu_capacity", fmt::format("{}\n", cpu.capacity));
    if (cpu.max_khz > 0)
      file(folder + "cpufreq/cpuinfo_max_freq", fmt::format("{}\n", cpu.max_khz));
    if (l3_kib > 0) {
      write_cache(folder + "cache/index0/", 1, "Data", 32, core);
      write_cache(folder + "cache/index1/", 2, "Unified", 1024, core);
      write_cache(folder + "cache/index2/", 3, "Unified", l3_kib, package);
    }
  }

  void write_cache(const std::string& folder,
                   int level,
                   const char* type,
                   long kib,
                   const std::string& cpumask) {
    file(folder + "level", fmt::format("{}\n", level)).file(folder + "type", type);
    file(folder + "size", fmt::format("{}K\n", kib)).file(folder + "shared_cpu_map", cpumask);
  }
};

}  // namespace las::hardware::test
