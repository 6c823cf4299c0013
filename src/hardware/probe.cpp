// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/probe.hpp"

#include "accelerators.hpp"
#include "board.hpp"
#include "captured_facts.hpp"
#include "cpu_info.hpp"
#include "gpus.hpp"
#include "kernel.hpp"
#include "libc.hpp"
#include "memory.hpp"
#include "os_release.hpp"
#include "parse.hpp"
#include "probe_files.hpp"
#include "profile_fields.hpp"
#include "storage.hpp"
#include "tools.hpp"
#include "topology.hpp"
#include "virtualization.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <exception>
#include <memory>

namespace las::hardware {

namespace {

// A source that fails in a way its parser did not foresee costs its own facts only.
template <typename Body>
void attempt(const Activity& activity, const char* what, Body&& body) {
  activity.cancellation.throw_if_requested();
  try {
    body();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Interrupted)
      throw;
    activity.debug("hardware", std::string(what) + ": " + error.what());
  } catch (const std::exception& error) {
    activity.debug("hardware", std::string(what) + ": " + error.what());
  }
}

// Every unknown fact says why, also those of a source that failed half-way.
struct ReasonFiller {
  template <typename T>
  void operator()(const char*, Fact<T>& fact) {
    if (!fact.is_known() && fact.unknown.empty())
      fact.unknown = _("it could not be read");
  }
};

}  // namespace

std::unique_ptr<platform::FileReader> make_reader(const ProbeOptions& options) {
  if (!options.sysroot)
    return platform::make_posix_file_system();
  auto reader = platform::make_sysroot_reader(*options.sysroot);
  if (!try_list(*reader, "/"))
    throw Error(ErrorKind::NotFound,
                _("there is no folder with a captured tree"),
                options.sysroot->string())
        .hint("tar -xf FILE.tar -C DIR && las detect --sysroot DIR");
  return reader;
}

HardwareProfile probe_files(const platform::FileReader& files,
                            const platform::Environment& environment,
                            platform::ProcessRunner& processes,
                            const ProbeOptions& options,
                            const Activity& activity,
                            bool topology) {
  const bool live = !options.sysroot;
  HardwareProfile profile;
  attempt(activity, "os", [&] {
    read_os_release(files, profile.os);
    profile.os.kernel = read_kernel(files);
    profile.os.architecture = read_architecture(files, live);
    profile.os.glibc = read_glibc(files, live);
  });
  attempt(
      activity, "virtualization", [&] { profile.os.virtualization = read_virtualization(files); });
  attempt(activity, "cpu", [&] {
    read_cpu_info(files, profile.cpu);
    if (topology)
      read_topology(files, environment, options.sysroot, profile.cpu);
    profile.cpu.usable_threads = read_usable_threads(files, profile.cpu.threads);
  });
  attempt(activity, "memory", [&] { profile.memory = read_memory(files); });
  attempt(activity, "gpus", [&] {
    const PciNames names(files);
    const auto devices = read_pci_devices(files);
    read_gpus(files, names, devices, live, profile);
    profile.accelerators = read_accelerators(files, names, devices);
    profile.board = read_board(files, profile.gpus);
  });
  attempt(activity, "storage", [&] {
    for (const auto& [purpose, path] : options.storage) {
      profile.storage.push_back(live ? read_storage(files, purpose, path)
                                     : captured_storage(files, purpose, path));
    }
  });
  attempt(activity, "tools", [&] {
    if (live)
      read_tools(files, environment, processes, options.programs, activity, profile.tools);
    else
      captured_tools(files, profile.tools);
  });

  ReasonFiller fill;
  for_each_section(profile, [&](const char*, auto& section) { for_each_fact(section, fill); });
  fill("gpus", profile.gpus);
  fill("nvlink", profile.nvlink);
  fill("accelerators", profile.accelerators);
  if (profile.gpus.is_known()) {
    for (Gpu& gpu : *profile.gpus.value)
      for_each_fact(gpu, fill);
  }
  if (profile.accelerators.is_known()) {
    for (Accelerator& accelerator : *profile.accelerators.value)
      for_each_fact(accelerator, fill);
  }
  for (Storage& storage : profile.storage)
    for_each_fact(storage, fill);
  return profile;
}

HardwareProfile probe(const platform::Environment& environment,
                      platform::ProcessRunner& processes,
                      const ProbeOptions& options,
                      const Activity& activity) {
  const auto files = make_reader(options);
  HardwareProfile profile = probe_files(*files, environment, processes, options, activity);
  if (options.sysroot) {
    if (const auto facts = files->try_read(kCapturedFacts))
      add_captured_facts(*facts, profile);
  }
  return profile;
}

}  // namespace las::hardware
