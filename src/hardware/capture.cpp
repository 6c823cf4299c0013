// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/capture.hpp"

#include "captured_facts.hpp"
#include "cpu_info.hpp"
#include "parse.hpp"
#include "probe_files.hpp"
#include "recorded_tree.hpp"
#include "scrub.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

namespace las::hardware {

namespace {

namespace fs = std::filesystem;

constexpr const char* kReadme =
    R"(What `las detect --capture` read on one machine, to detect from again elsewhere:

  tar -xf FILE.tar -C DIR && las detect --sysroot DIR

Everything but this folder are copies of files from /proc, /sys and a few other places, under their
own names. Serial numbers, UUIDs, MAC addresses, the names of the host and of the user, and mounts
that do not matter were removed or replaced. facts.json holds what those files do not tell: answers
of drivers, of programs and of system calls. Look it through before you hand it on.
)";

template <std::size_t N>
void read_each(const platform::FileReader& files,
               const fs::path& folder,
               const std::array<const char*, N>& names) {
  for (const char* name : names)
    files.try_read(folder / name);
}

template <typename Visit>
void for_each_numbered(const platform::FileReader& files,
                       const fs::path& folder,
                       std::string_view prefix,
                       Visit&& visit) {
  for (const std::string& name : try_list(files, folder).value_or(std::vector<std::string>{})) {
    if (name.starts_with(prefix) && parse_unsigned(std::string_view(name).substr(prefix.size())))
      visit(folder / name);
  }
}

// hwloc opens its files by itself: these are the ones it makes the counts, the caches and the kinds
// of cores from (hwloc's topology-linux.c).
void read_topology_files(const platform::FileReader& files) {
  static constexpr std::array<const char*, 3> kLists = {"online", "possible", "present"};
  static constexpr std::array<const char*, 12> kTopology = {"core_cpus",
                                                            "thread_siblings",
                                                            "core_siblings",
                                                            "package_cpus",
                                                            "die_cpus",
                                                            "cluster_cpus",
                                                            "physical_package_id",
                                                            "core_id",
                                                            "die_id",
                                                            "cluster_id",
                                                            "book_siblings",
                                                            "drawer_siblings"};
  static constexpr std::array<const char*, 8> kCache = {"id",
                                                        "level",
                                                        "type",
                                                        "size",
                                                        "shared_cpu_map",
                                                        "coherency_line_size",
                                                        "number_of_sets",
                                                        "physical_line_partition"};
  const fs::path cpus = "/sys/devices/system/cpu";
  read_each(files, cpus, kLists);
  for_each_numbered(files, cpus, "cpu", [&](const fs::path& cpu) {
    read_each(files, cpu, std::array<const char*, 2>{"online", "cpu_capacity"});
    read_each(files, cpu / "topology", kTopology);
    read_each(
        files, cpu / "cpufreq", std::array<const char*, 2>{"cpuinfo_max_freq", "base_frequency"});
    for_each_numbered(files, cpu / "cache", "index", [&](const fs::path& cache) {
      read_each(files, cache, kCache);
    });
  });
  for (const char* kind : {"cpu_core", "cpu_atom", "cpu_lowpower"})
    files.try_read(fs::path("/sys/devices") / kind / "cpus");
  const fs::path nodes = "/sys/devices/system/node";
  read_each(files, nodes, kLists);
  for_each_numbered(files, nodes, "node", [&](const fs::path& node) {
    read_each(files, node, std::array<const char*, 4>{"cpumap", "cpulist", "meminfo", "distance"});
  });
}

void copy_topology(const Cpu& from, Cpu& to) {
  to.sockets = from.sockets;
  to.cores = from.cores;
  to.threads = from.threads;
  to.numa_nodes = from.numa_nodes;
  to.performance_cores = from.performance_cores;
  to.efficiency_cores = from.efficiency_cores;
  to.l1d_cache = from.l1d_cache;
  to.l2_cache = from.l2_cache;
  to.l3_cache = from.l3_cache;
}

}  // namespace

Capture capture(const platform::Environment& environment,
                platform::ProcessRunner& processes,
                const ProbeOptions& options,
                const Activity& activity) {
  const auto files = make_reader(options);
  const RecordingReader recorder(*files);
  Capture capture;
  capture.profile = probe_files(recorder, environment, processes, options, activity);
  read_topology_files(recorder);
  std::vector<fs::path> storage;
  for (const auto& [purpose, path] : options.storage)
    storage.push_back(path);
  const Tree tree = scrubbed(recorder.tree(), environment, storage);

  ProbeOptions again = options;
  again.sysroot = "/";  // no system calls, no NVML, no programs
  const TreeReader reader(tree);
  HardwareProfile replayed = probe_files(reader, environment, processes, again, activity, false);
  copy_topology(capture.profile.cpu, replayed.cpu);
  replayed.cpu.usable_threads = read_usable_threads(reader, replayed.cpu.threads);
  const std::string facts = missing_facts(capture.profile, replayed);

  for (const auto& [path, entry] : tree)
    capture.entries.push_back(entry);
  capture.entries.push_back({CaptureEntry::Kind::File, "las-capture/README", kReadme});
  capture.entries.push_back(
      {CaptureEntry::Kind::File, std::string(kCapturedFacts).substr(1), IdentityScrubber()(facts)});
  std::sort(capture.entries.begin(), capture.entries.end(), [](const auto& a, const auto& b) {
    return a.path < b.path;
  });
  return capture;
}

}  // namespace las::hardware
