// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include "las/app/capture.hpp"
#include "las/app/document.hpp"
#include "las/app/inspect.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/hardware/describe.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

template <typename T, typename Show>
std::string show(const hardware::Fact<T>& fact, Show&& text) {
  return fact.is_known() ? text(*fact.value)
                         : fmt::format(fmt::runtime(_("unknown ({})")), fact.unknown);
}

std::string show(const hardware::Fact<std::string>& fact) {
  return show(fact, [](const std::string& value) { return value; });
}

std::string show(const hardware::Fact<int>& fact) {
  return show(fact, [](int value) { return std::to_string(value); });
}

std::string show(const hardware::Fact<ByteSize>& fact) {
  return show(fact, [](ByteSize value) { return value.to_string(); });
}

std::string show(const hardware::Fact<Version>& fact) {
  return show(fact, [](const Version& value) { return value.text(); });
}

void row(Context& context, const std::string& name, const std::string& value) {
  context.out << "  " << name << std::string(name.size() < 11 ? 11 - name.size() : 1, ' ')
              << shown(value) << "\n";
}

// Parts that are worth a place only where they are known.
class Parts {
 public:
  void add(std::string text) {
    if (!text.empty())
      texts_.push_back(std::move(text));
  }

  template <typename T>
  void add(const std::string& format, const hardware::Fact<T>& fact) {
    if (fact.is_known())
      texts_.push_back(fmt::format(fmt::runtime(format), show(fact)));
  }

  bool empty() const { return texts_.empty(); }

  std::string text() const { return text::join(texts_, ", "); }

 private:
  std::vector<std::string> texts_;
};

void row_if_any(Context& context, const std::string& name, const Parts& parts) {
  if (!parts.empty())
    row(context, name, parts.text());
}

bool is_true(const hardware::Fact<bool>& fact) {
  return fact.value.value_or(false);
}

void print_system(Context& context, const hardware::HardwareProfile& profile) {
  row(context,
      _("System"),
      fmt::format("{}, Linux {}, glibc {}, {}",
                  show(profile.os.pretty_name),
                  show(profile.os.kernel),
                  show(profile.os.glibc),
                  show(profile.os.virtualization)));
  const hardware::OsSupport support = hardware::os_support(profile.os);
  row(context,
      _("Support"),
      fmt::format("{} ({})", support.supported ? _("full") : _("best effort"), support.why));
  Parts board;
  board.add("{}", profile.board.vendor);
  board.add("{}", profile.board.product);
  if (profile.board.unified_memory.is_known() && profile.board.unified_memory.value != "none")
    board.add(_("{}: CPU and GPU share one memory"), profile.board.unified_memory);
  row_if_any(context, _("Board"), board);
}

std::string cores_text(const hardware::Cpu& cpu) {
  if (cpu.efficiency_cores.value.value_or(0) > 0 && cpu.performance_cores.is_known())
    return fmt::format(fmt::runtime(_("{}P + {}E cores")),
                       *cpu.performance_cores.value,
                       *cpu.efficiency_cores.value);
  return fmt::format(fmt::runtime(_("{} cores")), show(cpu.cores));
}

void print_cpu(Context& context, const hardware::Cpu& cpu) {
  std::string text = fmt::format(fmt::runtime(_("{}, {}, {} threads ({} usable)")),
                                 show(cpu.model),
                                 cores_text(cpu),
                                 show(cpu.threads),
                                 show(cpu.usable_threads));
  if (cpu.sockets.value.value_or(1) > 1)
    text += fmt::format(fmt::runtime(_(", {} sockets")), *cpu.sockets.value);
  if (cpu.numa_nodes.value.value_or(1) > 1)
    text += fmt::format(fmt::runtime(_(", {} NUMA nodes")), *cpu.numa_nodes.value);
  row(context, _("CPU"), text);
  Parts details;
  details.add(text::join(hardware::instruction_sets(cpu), ", "));
  details.add("L1d {}", cpu.l1d_cache);
  details.add("L2 {}", cpu.l2_cache);
  details.add("L3 {}", cpu.l3_cache);
  row_if_any(context, "", details);
}

void print_memory(Context& context, const hardware::Memory& memory) {
  std::string text = fmt::format(
      fmt::runtime(_("{} usable, {} free now")), show(memory.effective), show(memory.available));
  if (memory.effective != memory.total)
    text += fmt::format(fmt::runtime(_(", of {} in the machine")), show(memory.total));
  if (memory.huge_pages.is_known() && *memory.huge_pages.value > ByteSize())
    text += fmt::format(fmt::runtime(_(", {} set aside for huge pages")), show(memory.huge_pages));
  row(context, _("Memory"), text);
}

// What a person can do about a driver that does not work.
std::string driver_advice(const std::string& state) {
  if (state == "none")
    return _("no driver is bound to it: install the one of its vendor");
  if (state == "nouveau")
    return _("its driver only draws: install the driver of its vendor and reboot");
  if (state == "mismatch")
    return _("kernel module and library of its driver have different versions: reboot");
  if (state == "broken")
    return _("its driver does not answer: see the messages of the kernel (dmesg)");
  if (state == "reserved")
    return _("set aside for virtual machines");
  return {};
}

void print_gpu(Context& context, const hardware::Gpu& gpu) {
  std::string text = show(gpu.name) + ", VRAM " + show(gpu.vram);
  Parts details;
  if (is_true(gpu.integrated))
    details.add(_("integrated"));
  details.add(_("{} free"), gpu.vram_free);
  details.add(_("compute capability {}"), gpu.compute_capability);
  details.add("{}", gpu.gfx_target);
  details.add(_("driver {}"), gpu.kernel_driver);
  details.add("{}", gpu.driver_version);
  details.add("{} W", gpu.power_limit);
  for (const hardware::MigInstance& instance :
       gpu.mig_instances.value.value_or(std::vector<hardware::MigInstance>{}))
    details.add(fmt::format("MIG {} {}", instance.name, instance.memory.to_string()));
  for (const hardware::GpuLink& link : gpu.links.value.value_or(std::vector<hardware::GpuLink>{}))
    details.add(fmt::format("{} x{} {}", link.kind, link.lanes, link.peer));
  row(context, _("GPU"), details.empty() ? text : text + ", " + details.text());
  if (const std::string advice = driver_advice(gpu.driver_state.value.value_or(""));
      !advice.empty())
    row(context, "", advice);
}

void print_devices(Context& context, const hardware::HardwareProfile& profile) {
  if (!profile.gpus.is_known())
    row(context, _("GPU"), show(profile.gpus, [](const auto&) { return std::string(); }));
  else if (profile.gpus.value->empty())
    row(context, _("GPU"), _("none"));
  else
    for (const hardware::Gpu& gpu : *profile.gpus.value)
      print_gpu(context, gpu);
  for (const hardware::Accelerator& device :
       profile.accelerators.value.value_or(std::vector<hardware::Accelerator>{})) {
    std::string text = show(device.name);
    if (device.device.is_known())
      text += ", " + *device.device.value;
    else if (!device.kernel_driver.is_known())
      text += fmt::format(", {}", _("no driver is bound to it: install the one of its vendor"));
    row(context, "NPU", text);
  }
}

void print_storage(Context& context, const hardware::Storage& storage) {
  std::string text = fmt::format(fmt::runtime(_("{} free for {} ({})")),
                                 show(storage.free),
                                 storage.purpose,
                                 show(storage.path));
  Parts details;
  details.add("{}", storage.file_system);
  details.add(storage.device.is_known() && storage.device_kind.is_known()
                  ? fmt::format("{} ({})", *storage.device.value, *storage.device_kind.value)
                  : storage.device_kind.value.value_or(""));
  details.add(_("reads like {}"), storage.read_class);
  if (is_true(storage.reflink))
    details.add(_("copies share blocks"));
  row(context, _("Disk"), details.empty() ? text : text + ", " + details.text());
}

// Folders on one file system are one line.
void print_disks(Context& context, const std::vector<hardware::Storage>& folders) {
  std::vector<hardware::Storage> shown;
  for (const hardware::Storage& storage : folders) {
    const auto same = std::find_if(shown.begin(), shown.end(), [&](const auto& other) {
      return other.device == storage.device && other.file_system == storage.file_system &&
             other.total == storage.total;
    });
    if (same == shown.end())
      shown.push_back(storage);
    else
      same->purpose += ", " + storage.purpose;
  }
  for (const hardware::Storage& storage : shown)
    print_storage(context, storage);
}

void print_tools(Context& context, const hardware::Tools& tools) {
  std::string systemd = show(tools.systemd_running, [&](bool running) {
    return running ? _("running")
                   : _("not running: services run under the process supervisor of las");
  });
  if (is_true(tools.systemd_running) && tools.systemd.is_known())
    systemd += ", " + tools.systemd.value->text();
  if (is_true(tools.systemd_user))
    systemd += std::string(", ") + _("also for this user");
  row(context, "systemd", systemd);
  const auto program = [&](const char* name,
                           const hardware::Fact<Version>& version,
                           const hardware::Fact<bool>& rootless) {
    return version.is_known() ? fmt::format("{} {}{}",
                                            name,
                                            version.value->text(),
                                            is_true(rootless) ? _(" (also without root)") : "")
                              : std::string();
  };
  Parts containers;
  containers.add(program("podman", tools.podman, tools.podman_rootless));
  containers.add(program("docker", tools.docker, tools.docker_rootless));
  for (const std::string& spec : tools.cdi_specs.value.value_or(std::vector<std::string>{}))
    containers.add("CDI " + spec);
  row_if_any(context, _("Containers"), containers);
  Parts kits;
  kits.add("Python {}", tools.python);
  kits.add(_("NVIDIA driver {}"), tools.nvidia_driver);
  kits.add(_("CUDA {} of the driver"), tools.cuda_driver);
  kits.add(_("CUDA toolkit {}"), tools.cuda_toolkit);
  kits.add("ROCm {}", tools.rocm);
  kits.add("Level Zero {}", tools.level_zero);
  row_if_any(context, _("Tools"), kits);
}

void print_machine(Context& context, const hardware::HardwareProfile& profile) {
  context.out << context.bold(_("This machine")) << "\n";
  print_system(context, profile);
  print_cpu(context, profile.cpu);
  print_memory(context, profile.memory);
  print_devices(context, profile);
  print_disks(context, profile.storage);
  print_tools(context, profile.tools);
}

void print_text(Context& context, const app::DetectResult& result) {
  print_machine(context, result.profile);

  const policy::Verdict& verdict = result.verdict;
  context.out << "\n" << context.bold(_("What it can carry")) << "\n";
  row(context,
      _("Tier"),
      verdict.tier + (verdict.tier_description.empty() ? "" : ": " + verdict.tier_description));
  row(context,
      _("Models"),
      verdict.max_model_billions
          ? fmt::format(fmt::runtime(_("up to about {:g} billion parameters (4-bit)")),
                        *verdict.max_model_billions)
          : _("no limit known from the policies"));
  context.out << "\n" << context.bold(_("Engines")) << "\n";
  for (const app::EngineFit& engine : result.engines) {
    context.out << "  "
                << (engine.usable ? context.paint(_("yes"), 32) : context.paint(_("no "), 31))
                << "  " << engine.name;
    if (engine.usable)
      context.out << " " << shown(engine.version) << " (" << shown(engine.variant) << ")";
    context.out << "\n";
    if (!engine.why.empty())
      context.out << context.dim("       " + engine.why) << "\n";
  }
}

// Every fact of a section, also the unknown ones, each with its place.
void print_section(Context& context,
                   const hardware::HardwareProfile& profile,
                   const std::string& section) {
  std::string group;
  for (const hardware::DescribedFact& fact : hardware::describe(profile, section)) {
    if (fact.group != group)
      context.out << context.bold(fact.group) << "\n";
    group = fact.group;
    const bool known = fact.unknown.empty();
    const std::string text =
        known ? fact.text : fmt::format(fmt::runtime(_("unknown ({})")), fact.unknown);
    context.out << fmt::format("  {:<18} {}", fact.name, shown(text))
                << (known ? context.dim(fmt::format("  [{}]", fact.origin)) : "") << "\n";
  }
  if (section == "os") {
    const hardware::OsSupport support = hardware::os_support(profile.os);
    context.out << fmt::format("  {:<18} {} ({})\n",
                               "support",
                               support.supported ? _("full") : _("best effort"),
                               support.why);
  }
}

int run_section(Context& context, const std::string& section) {
  const hardware::HardwareProfile& profile = context.session.profile(context.activity);
  if (context.options.json)
    context.print_json({{"profile", ordered_json::parse(hardware::to_json(profile, section))}});
  else
    print_section(context, profile, section);
  return 0;
}

int save_profile(Context& context, const std::string& file) {
  const std::string profile = hardware::to_json(context.session.profile(context.activity));
  app::write_document(context.session, file, profile);
  if (context.options.json)
    context.print_json({{"success", true}, {"file", file}});
  else
    context.note(fmt::format(fmt::runtime(_("Saved to {}.")), file));
  return 0;
}

int save_capture(Context& context, const std::string& file) {
  const app::CaptureResult capture = app::capture(context.session, file, context.activity);
  if (context.options.json) {
    context.print_json({{"success", true},
                        {"file", file},
                        {"entries", capture.entries},
                        {"profile", ordered_json::parse(hardware::to_json(capture.profile))}});
    return 0;
  }
  context.note(
      fmt::format(fmt::runtime(_("Captured {} files and folders in {}.")), capture.entries, file));
  context.note(
      _("Serial numbers, addresses and names were left out; look it through before you "
        "hand it on."));
  return 0;
}

struct DetectOptions {
  std::string section, save, capture;
};

int run_detect(Context& context, const DetectOptions& options) {
  if (!options.section.empty())
    return run_section(context, options.section);
  if (!options.save.empty())
    return save_profile(context, options.save);
  if (!options.capture.empty())
    return save_capture(context, options.capture);
  const app::DetectResult result = app::detect(context.session, context.activity);
  if (!context.options.json) {
    print_text(context, result);
    return 0;
  }
  const hardware::OsSupport support = hardware::os_support(result.profile.os);
  ordered_json engines = ordered_json::array();
  for (const app::EngineFit& engine : result.engines)
    engines.push_back({{"name", engine.name},
                       {"usable", engine.usable},
                       {"version", engine.version},
                       {"variant", engine.variant},
                       {"why", engine.why}});
  context.print_json(
      {{"profile", ordered_json::parse(hardware::to_json(result.profile))},
       {"support", {{"supported", support.supported}, {"why", support.why}}},
       {"verdict",
        {{"tier", result.verdict.tier},
         {"description", result.verdict.tier_description},
         {"max_model_billions",
          result.verdict.max_model_billions ? ordered_json(*result.verdict.max_model_billions)
                                            : ordered_json(nullptr)},
         {"rules", result.verdict.matched_rules}}},
       {"engines", std::move(engines)}});
  return 0;
}

}  // namespace

Run setup_detect(CLI::App& app) {
  auto options = std::make_shared<DetectOptions>();
  CLI::Option* section =
      app.add_option("--section",
                     options->section,
                     fmt::format(fmt::runtime(_("every fact of one part, with the place it was "
                                                "read from: {}")),
                                 text::join(hardware::section_names(), ", ")))
          ->type_name("NAME");
  CLI::Option* save =
      app.add_option("--save", options->save, _("write the profile to a file, for --hardware"))
          ->type_name(kind::kFile);
  CLI::Option* capture =
      app.add_option("--capture",
                     options->capture,
                     _("write what detection reads to a tar file, without serial numbers and "
                       "addresses, for bug reports; detect from it with --sysroot"))
          ->type_name(kind::kFile);
  save->excludes(section)->excludes(capture);
  capture->excludes(section);
  return [options](Context& context) { return run_detect(context, *options); };
}

}  // namespace las::cli
