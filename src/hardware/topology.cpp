// SPDX-License-Identifier: Apache-2.0
#include "topology.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <hwloc.h>

namespace las::hardware {

namespace {

// hwloc takes some of its settings from the environment only; they are put back at once.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name))
      old_ = old;
    setenv(name, value.c_str(), 1);
  }

  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

  ~ScopedVariable() {
    if (old_)
      setenv(name_, old_->c_str(), 1);
    else
      unsetenv(name_);
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

struct Destroy {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};

using TopologyPtr = std::unique_ptr<hwloc_topology, Destroy>;

TopologyPtr load_topology(const std::optional<std::filesystem::path>& sysroot) {
  // Plugins look for GPUs, X servers and more: dear to load, and they may wake devices.
  const ScopedVariable no_plugins("HWLOC_PLUGINS_PATH", "/nonexistent");
  const ScopedVariable quiet("HWLOC_HIDE_ERRORS", "2");  // only cli writes to a stream
  std::optional<ScopedVariable> root;
  if (sysroot)
    root.emplace("HWLOC_FSROOT", sysroot->string());
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0)
    return nullptr;
  TopologyPtr topology(raw);
  hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  return hwloc_topology_load(raw) == 0 ? std::move(topology) : nullptr;
}

void read_hwloc(const hwloc_topology_t topology, Cpu& cpu) {
  const auto count = [&](hwloc_obj_type_t type) {
    const int number = hwloc_get_nbobjs_by_type(topology, type);
    return number > 0 ? Fact<int>::known(number, "hwloc")
                      : Fact<int>::missing(_("hwloc found none"));
  };
  cpu.sockets = count(HWLOC_OBJ_PACKAGE);
  cpu.cores = count(HWLOC_OBJ_CORE);
  cpu.threads = count(HWLOC_OBJ_PU);
  cpu.numa_nodes = count(HWLOC_OBJ_NUMANODE);
}

void read_cpuinfo(const platform::FileReader& files, Cpu& cpu) {
  const auto text = files.try_read("/proc/cpuinfo");
  const CpuCounts counts = text ? count_cpuinfo(*text) : CpuCounts{};
  const auto fact = [&](const std::optional<int>& count) {
    return count ? Fact<int>::known(*count, "/proc/cpuinfo")
                 : Fact<int>::missing(
                       _("neither /sys/devices/system/cpu nor /proc/cpuinfo tells it"));
  };
  cpu.sockets = fact(counts.sockets);
  cpu.cores = fact(counts.cores);
  cpu.threads = fact(counts.threads);
  cpu.numa_nodes = Fact<int>::missing(_("there is no /sys/devices/system/cpu to read"));
}

}  // namespace

CpuCounts count_cpuinfo(std::string_view text) {
  std::set<std::string> sockets;
  std::set<std::pair<std::string, std::string>> cores;
  int threads = 0;
  std::string socket;
  for (const std::string& line : text::lines(text)) {
    const auto colon = line.find(':');
    if (colon == std::string::npos)
      continue;
    const std::string_view key = text::trim(std::string_view(line).substr(0, colon));
    const std::string value(text::trim(std::string_view(line).substr(colon + 1)));
    if (key == "processor" && parse_unsigned(value))
      ++threads;
    else if (key == "physical id")
      sockets.insert(socket = value);
    else if (key == "core id")
      cores.emplace(socket, value);
  }
  const auto positive = [](std::size_t number) {
    return number > 0 ? std::optional<int>(static_cast<int>(number)) : std::nullopt;
  };
  return {positive(sockets.size()),
          positive(cores.size()),
          positive(static_cast<std::size_t>(threads))};
}

void read_topology(const platform::FileReader& files,
                   const std::optional<std::filesystem::path>& sysroot,
                   Cpu& cpu) {
  const bool described = files.exists("/sys/devices/system/cpu/cpu0/topology");
  if (const TopologyPtr topology = described ? load_topology(sysroot) : nullptr)
    read_hwloc(topology.get(), cpu);
  else
    read_cpuinfo(files, cpu);
}

}  // namespace las::hardware
