// SPDX-License-Identifier: Apache-2.0
#include "topology.hpp"

#include "cpu_info.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <hwloc.h>

namespace las::hardware {

namespace {

namespace fs = std::filesystem;

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

// The user's own HWLOC_XMLFILE, HWLOC_FSROOT and HWLOC_COMPONENTS go before ours: hwloc obeys them
// by itself as long as nothing here stands in their way.
TopologyPtr load_topology(const platform::Environment& environment,
                          const std::optional<std::filesystem::path>& sysroot) {
  // Plugins look for GPUs, X servers and more: dear to load, and they may wake devices.
  const ScopedVariable no_plugins("HWLOC_PLUGINS_PATH", "/nonexistent");
  const ScopedVariable quiet("HWLOC_HIDE_ERRORS", "2");  // only cli writes to a stream
  std::optional<ScopedVariable> root;
  if (sysroot && !environment.get("HWLOC_FSROOT") && !environment.get("HWLOC_XMLFILE"))
    root.emplace("HWLOC_FSROOT", sysroot->string());
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0)
    return nullptr;
  TopologyPtr topology(raw);
  // It binds this process to every CPU in turn to ask each by the cpuid instruction: dear on large
  // machines, and the kernel has asked already.
  if (!environment.get("HWLOC_COMPONENTS"))
    hwloc_topology_set_components(raw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
  hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  return hwloc_topology_load(raw) == 0 ? std::move(topology) : nullptr;
}

Fact<int> count(hwloc_topology_t topology, hwloc_obj_type_t type) {
  const int number = hwloc_get_nbobjs_by_type(topology, type);
  return number > 0 ? Fact<int>::known(number, "hwloc") : Fact<int>::missing(_("hwloc found none"));
}

// Firmware that does not describe a cache's size gives 0: then the sum would be too small.
Fact<ByteSize> cache_size(hwloc_topology_t topology, hwloc_obj_type_t type) {
  ByteSize sum;
  hwloc_obj_t cache = nullptr;
  int caches = 0;
  while ((cache = hwloc_get_next_obj_by_type(topology, type, cache)) != nullptr) {
    if (cache->attr->cache.size == 0)
      return Fact<ByteSize>::missing(_("the firmware does not tell the size of each cache"));
    sum = sum + ByteSize(cache->attr->cache.size);
    ++caches;
  }
  return caches > 0 ? Fact<ByteSize>::known(sum, "hwloc")
                    : Fact<ByteSize>::missing(_("hwloc found none"));
}

struct Free {
  void operator()(hwloc_bitmap_s* bitmap) const { hwloc_bitmap_free(bitmap); }
};

std::vector<CoreKind> core_kinds(hwloc_topology_t topology) {
  std::vector<CoreKind> kinds;
  const std::unique_ptr<hwloc_bitmap_s, Free> cpus(hwloc_bitmap_alloc());
  const int number = hwloc_cpukinds_get_nr(topology, 0);
  for (int i = 0; i < number; ++i) {
    int efficiency = 0;
    unsigned infos = 0;
    hwloc_info_s* info = nullptr;
    if (hwloc_cpukinds_get_info(
            topology, static_cast<unsigned>(i), cpus.get(), &efficiency, &infos, &info, 0) != 0)
      continue;
    CoreKind kind;
    for (unsigned j = 0; j < infos; ++j) {
      const std::string_view name = info[j].name;
      if (name == "CoreType")
        kind.type = info[j].value;
      else if (name == "LinuxCapacity")
        kind.capacity = parse_int(info[j].value);
    }
    kind.cores = hwloc_get_nbobjs_inside_cpuset_by_type(topology, cpus.get(), HWLOC_OBJ_CORE);
    if (kind.cores > 0)
      kinds.push_back(std::move(kind));
  }
  return kinds;
}

// Intel's hybrid CPUs show each kind of core as a performance monitor of its own.
std::vector<CoreKind> monitored_kinds(const platform::FileReader& files,
                                      hwloc_topology_t topology) {
  constexpr std::array<std::pair<const char*, const char*>, 3> kMonitors = {
      {{"cpu_core", "IntelCore"}, {"cpu_atom", "IntelAtom"}, {"cpu_lowpower", "IntelAtom"}}};
  std::vector<CoreKind> kinds;
  const std::unique_ptr<hwloc_bitmap_s, Free> cpus(hwloc_bitmap_alloc());
  for (const auto& [monitor, type] : kMonitors) {
    const auto list = files.try_read(fs::path("/sys/devices") / monitor / "cpus");
    if (!list || !count_cpu_list(*list) || hwloc_bitmap_list_sscanf(cpus.get(), list->c_str()) != 0)
      continue;
    const int cores = hwloc_get_nbobjs_inside_cpuset_by_type(topology, cpus.get(), HWLOC_OBJ_CORE);
    if (cores > 0)
      kinds.push_back({type, std::nullopt, cores});
  }
  return kinds;
}

void read_hwloc(hwloc_topology_t topology, Cpu& cpu) {
  cpu.sockets = count(topology, HWLOC_OBJ_PACKAGE);
  cpu.cores = count(topology, HWLOC_OBJ_CORE);
  cpu.threads = count(topology, HWLOC_OBJ_PU);
  cpu.numa_nodes = count(topology, HWLOC_OBJ_NUMANODE);
  cpu.l1d_cache = cache_size(topology, HWLOC_OBJ_L1CACHE);
  cpu.l2_cache = cache_size(topology, HWLOC_OBJ_L2CACHE);
  cpu.l3_cache = cache_size(topology, HWLOC_OBJ_L3CACHE);
  sort_cores(core_kinds(topology), "hwloc", cpu);
}

void read_cpuinfo(const platform::FileReader& files, Cpu& cpu) {
  const auto text = files.try_read("/proc/cpuinfo");
  const CpuCounts counts = text ? count_cpuinfo(*text) : CpuCounts{};
  const auto fact = [&](const std::optional<int>& number) {
    return number ? Fact<int>::known(*number, "/proc/cpuinfo")
                  : Fact<int>::missing(
                        _("neither /sys/devices/system/cpu nor /proc/cpuinfo tells it"));
  };
  cpu.sockets = fact(counts.sockets);
  cpu.cores = fact(counts.cores);
  cpu.threads = fact(counts.threads);
  const std::string why = _("there is no /sys/devices/system/cpu to read");
  cpu.numa_nodes = cpu.performance_cores = cpu.efficiency_cores = Fact<int>::missing(why);
  cpu.l1d_cache = cpu.l2_cache = cpu.l3_cache = Fact<ByteSize>::missing(why);
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

void sort_cores(const std::vector<CoreKind>& kinds, const char* origin, Cpu& cpu) {
  const auto known = [&](int performance, int efficiency, const char* from) {
    cpu.performance_cores = Fact<int>::known(performance, from);
    cpu.efficiency_cores = Fact<int>::known(efficiency, from);
  };
  if (kinds.size() < 2) {
    cpu.performance_cores = cpu.cores;
    cpu.efficiency_cores = cpu.cores.is_known() ? Fact<int>::known(0, cpu.cores.origin) : cpu.cores;
    return;
  }
  const auto all = [&](auto&& has) { return std::all_of(kinds.begin(), kinds.end(), has); };
  int performance = 0, efficiency = 0;
  if (all([](const CoreKind& kind) { return !kind.type.empty(); })) {
    for (const CoreKind& kind : kinds)
      (kind.type == "IntelAtom" ? efficiency : performance) += kind.cores;
    known(performance, efficiency, origin);
    return;
  }
  if (!all([](const CoreKind& kind) { return kind.capacity.has_value(); })) {
    cpu.performance_cores = cpu.efficiency_cores =
        Fact<int>::missing(_("its cores differ, and the kernel does not tell their kinds"));
    return;
  }
  // Favoured cores of one design differ by a few percent; another design by a third or more.
  int fastest = 0;
  for (const CoreKind& kind : kinds)
    fastest = std::max(fastest, *kind.capacity);
  for (const CoreKind& kind : kinds)
    (*kind.capacity < fastest - fastest / 4 ? efficiency : performance) += kind.cores;
  known(performance, efficiency, "/sys/devices/system/cpu/cpu*/cpu_capacity");
}

void read_topology(const platform::FileReader& files,
                   const platform::Environment& environment,
                   const std::optional<std::filesystem::path>& sysroot,
                   Cpu& cpu) {
  const bool elsewhere = environment.get("HWLOC_XMLFILE") || environment.get("HWLOC_FSROOT");
  const bool described = elsewhere || files.exists("/sys/devices/system/cpu/cpu0/topology");
  const TopologyPtr topology = described ? load_topology(environment, sysroot) : nullptr;
  if (!topology) {
    read_cpuinfo(files, cpu);
    return;
  }
  read_hwloc(topology.get(), cpu);
  if (const auto kinds = monitored_kinds(files, topology.get()); !elsewhere && kinds.size() > 1)
    sort_cores(kinds, "/sys/devices/cpu_core/cpus", cpu);
}

}  // namespace las::hardware
