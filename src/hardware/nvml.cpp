// SPDX-License-Identifier: Apache-2.0
#include "nvml.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/platform/shared_library.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr const char* kOrigin = "NVML";

class Session {
 public:
  explicit Session(const nvml::Functions& functions)
      : functions_(functions), status_(functions.init()) {}

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  ~Session() {
    if (status_ == nvml::kSuccess)
      functions_.shutdown();
  }

  nvml::Return status() const { return status_; }

 private:
  const nvml::Functions& functions_;
  nvml::Return status_;
};

std::string reason(const nvml::Functions& functions, nvml::Return status) {
  const char* text = functions.error_string(status);
  return fmt::format("NVML: {}", text != nullptr ? printable(text) : std::to_string(status));
}

template <std::size_t N, typename Function>
Fact<std::string> ask_text(const nvml::Functions& functions,
                           nvml::Device device,
                           Function function) {
  std::array<char, N> text{};
  const nvml::Return status = function(device, text.data(), static_cast<unsigned>(text.size() - 1));
  if (status != nvml::kSuccess)
    return Fact<std::string>::missing(reason(functions, status));
  return text_fact(std::string(text.data()), kOrigin, _("NVML gave an empty text"));
}

std::string pci_address(const nvml::PciInfo& pci) {
  return fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
}

std::string ask_pci_address(const nvml::Functions& functions, nvml::Device device) {
  nvml::PciInfo pci{};
  if (functions.device_pci(device, &pci) != nvml::kSuccess)
    return {};
  return pci_address(pci);
}

void ask_memory(const nvml::Functions& functions, nvml::Device device, NvmlGpu& gpu) {
  nvml::Memory memory{};
  const nvml::Return status = functions.device_memory(device, &memory);
  if (status == nvml::kSuccess) {
    gpu.vram = Fact<ByteSize>::known(ByteSize(memory.total), kOrigin);
    gpu.vram_free = Fact<ByteSize>::known(ByteSize(memory.free), kOrigin);
    return;
  }
  gpu.shares_memory = status == nvml::kNotSupported;
  const std::string why = gpu.shares_memory ? std::string(_("the GPU shares the machine's memory"))
                                            : reason(functions, status);
  gpu.vram = gpu.vram_free = Fact<ByteSize>::missing(why);
}

Fact<Version> ask_compute_capability(const nvml::Functions& functions, nvml::Device device) {
  int major = 0;
  int minor = 0;
  const nvml::Return status = functions.device_compute_capability(device, &major, &minor);
  if (status != nvml::kSuccess)
    return Fact<Version>::missing(reason(functions, status));
  return Fact<Version>::known(Version(fmt::format("{}.{}", major, minor)), kOrigin);
}

Fact<int> ask_power_limit(const nvml::Functions& functions, nvml::Device device) {
  unsigned milliwatts = 0;
  const nvml::Return status = functions.device_power_limit != nullptr
                                  ? functions.device_power_limit(device, &milliwatts)
                                  : nvml::kNotSupported;
  if (status != nvml::kSuccess)
    return Fact<int>::missing(reason(functions, status));
  return Fact<int>::known(static_cast<int>(milliwatts / 1000), kOrigin);
}

// A handle of an instance answers the questions that its GPU answers.
Fact<std::vector<MigInstance>> ask_mig_instances(const nvml::Functions& functions,
                                                 nvml::Device device) {
  using Instances = Fact<std::vector<MigInstance>>;
  unsigned most = 0;
  if (functions.mig_count == nullptr || functions.mig_device == nullptr)
    return Instances::missing(_("this NVML is too old to tell about MIG"));
  if (const auto status = functions.mig_count(device, &most); status != nvml::kSuccess)
    return Instances::missing(reason(functions, status));
  std::vector<MigInstance> instances;
  for (unsigned index = 0; index < most; ++index) {
    nvml::Device part = nullptr;
    nvml::Memory memory{};
    nvml::Return status = functions.mig_device(device, index, &part);
    if (status == nvml::kNotFound)
      continue;  // the numbers have gaps
    if (status == nvml::kSuccess)
      status = functions.device_memory(part, &memory);
    if (status != nvml::kSuccess)
      return Instances::missing(reason(functions, status));
    const auto text = [&]<std::size_t N>(auto function) {
      return ask_text<N>(functions, part, function).value.value_or("");
    };
    instances.push_back({text.template operator()<nvml::kUuidSize>(functions.device_uuid),
                         text.template operator()<nvml::kNameSize>(functions.device_name),
                         ByteSize(memory.total)});
  }
  return Instances::known(std::move(instances), kOrigin);
}

void ask_mig(const nvml::Functions& functions, nvml::Device device, NvmlGpu& gpu) {
  unsigned current = 0;
  unsigned pending = 0;
  const nvml::Return status = functions.mig_mode != nullptr
                                  ? functions.mig_mode(device, &current, &pending)
                                  : nvml::kNotSupported;
  if (status != nvml::kSuccess && status != nvml::kNotSupported) {
    gpu.mig = Fact<bool>::missing(reason(functions, status));
    gpu.mig_instances = Fact<std::vector<MigInstance>>::missing(gpu.mig.unknown);
    return;
  }
  const bool divided = status == nvml::kSuccess && current != 0;
  gpu.mig = Fact<bool>::known(divided, kOrigin);
  gpu.mig_instances = divided ? ask_mig_instances(functions, device)
                              : Fact<std::vector<MigInstance>>::known({}, kOrigin);
}

enum class LinkEnd { Gpu, Switch, Cpu, Unknown };

// Where an active link leads; `address` is that of the GPU.
LinkEnd ask_link_end(const nvml::Functions& functions,
                     nvml::Device device,
                     unsigned link,
                     std::string& address) {
  int type = -1;
  if (functions.nvlink_remote_type != nullptr &&
      functions.nvlink_remote_type(device, link, &type) != nvml::kSuccess)
    type = -1;
  if (type == nvml::kRemoteIsCpu)
    return LinkEnd::Cpu;
  if (type == nvml::kRemoteIsSwitch)
    return LinkEnd::Switch;
  nvml::PciInfo pci{};
  if (type != nvml::kRemoteIsGpu || functions.nvlink_remote_pci == nullptr ||
      functions.nvlink_remote_pci(device, link, &pci) != nvml::kSuccess)
    return LinkEnd::Unknown;
  address = pci_address(pci);
  return LinkEnd::Gpu;
}

Fact<std::vector<GpuLink>> ask_links(const nvml::Functions& functions, nvml::Device device) {
  using Links = Fact<std::vector<GpuLink>>;
  if (functions.nvlink_state == nullptr)
    return Links::missing(_("this NVML is too old to tell about NVLink"));
  std::map<std::string, int> lanes;  // by peer
  for (unsigned link = 0; link < nvml::kMaxLinks; ++link) {
    int active = 0;
    if (functions.nvlink_state(device, link, &active) != nvml::kSuccess || active == 0)
      continue;
    std::string address;
    switch (ask_link_end(functions, device, link, address)) {
      case LinkEnd::Gpu:
      case LinkEnd::Switch:
        ++lanes[address];
        break;
      case LinkEnd::Cpu:
        break;
      case LinkEnd::Unknown:
        return Links::missing(_("NVML does not tell where an NVLink of this GPU leads"));
    }
  }
  std::vector<GpuLink> links;
  for (const auto& [peer, count] : lanes)
    links.push_back({peer, "nvlink", count});
  return Links::known(std::move(links), kOrigin);
}

Fact<Version> ask_driver_version(const nvml::Functions& functions) {
  std::array<char, nvml::kVersionSize> text{};
  if (functions.driver_version == nullptr ||
      functions.driver_version(text.data(), static_cast<unsigned>(text.size() - 1)) !=
          nvml::kSuccess)
    return Fact<Version>::missing(_("NVML does not tell its version"));
  const auto version = first_version(text.data());
  return version ? Fact<Version>::known(*version, kOrigin)
                 : Fact<Version>::missing(_("NVML does not tell its version"));
}

Fact<Version> ask_cuda_driver(const nvml::Functions& functions) {
  int number = 0;  // 12040 is 12.4
  const nvml::Return status = functions.cuda_driver_version(&number);
  if (status != nvml::kSuccess)
    return Fact<Version>::missing(reason(functions, status));
  return Fact<Version>::known(Version(fmt::format("{}.{}", number / 1000, number % 1000 / 10)),
                              kOrigin);
}

}  // namespace

namespace nvml {

Functions open() {
  const platform::SharedLibrary library(
      {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"});
  const auto load_if_there = [&](auto& function, const char* name) {
    function =
        reinterpret_cast<std::remove_reference_t<decltype(function)>>(library.find_symbol(name));
  };
  Functions functions;
  library.load(functions.init, "nvmlInit_v2");
  library.load(functions.shutdown, "nvmlShutdown");
  library.load(functions.error_string, "nvmlErrorString");
  library.load(functions.cuda_driver_version, "nvmlSystemGetCudaDriverVersion_v2");
  library.load(functions.device_count, "nvmlDeviceGetCount_v2");
  library.load(functions.device_by_index, "nvmlDeviceGetHandleByIndex_v2");
  library.load(functions.device_name, "nvmlDeviceGetName");
  library.load(functions.device_uuid, "nvmlDeviceGetUUID");
  library.load(functions.device_pci, "nvmlDeviceGetPciInfo_v3");
  library.load(functions.device_memory, "nvmlDeviceGetMemoryInfo");
  library.load(functions.device_compute_capability, "nvmlDeviceGetCudaComputeCapability");
  load_if_there(functions.driver_version, "nvmlSystemGetDriverVersion");
  load_if_there(functions.device_power_limit, "nvmlDeviceGetEnforcedPowerLimit");
  load_if_there(functions.mig_mode, "nvmlDeviceGetMigMode");
  load_if_there(functions.mig_count, "nvmlDeviceGetMaxMigDeviceCount");
  load_if_there(functions.mig_device, "nvmlDeviceGetMigDeviceHandleByIndex");
  load_if_there(functions.nvlink_state, "nvmlDeviceGetNvLinkState");
  load_if_there(functions.nvlink_remote_type, "nvmlDeviceGetNvLinkRemoteDeviceType");
  load_if_there(functions.nvlink_remote_pci, "nvmlDeviceGetNvLinkRemotePciInfo_v2");
  load_if_there(functions.device_processes, "nvmlDeviceGetComputeRunningProcesses_v3");
  return functions;
}

}  // namespace nvml

NvmlReport failed_nvml(std::string failure) {
  NvmlReport report;
  report.driver_version = report.cuda_driver = Fact<Version>::missing(failure);
  report.failure = std::move(failure);
  return report;
}

NvmlReport ask_within(std::chrono::milliseconds patience, std::function<NvmlReport()> ask) {
  if (auto report = answer_within(patience, std::move(ask)))
    return *std::move(report);
  return failed_nvml(fmt::format(fmt::runtime(_("NVML: the driver does not answer within {} s")),
                                 std::chrono::ceil<std::chrono::seconds>(patience).count()));
}

NvmlReport ask_nvml(const nvml::Functions& functions) {
  const Session session(functions);
  unsigned count = 0;
  nvml::Return status = session.status();
  if (status == nvml::kSuccess)
    status = functions.device_count(&count);
  if (status != nvml::kSuccess) {
    NvmlReport report = failed_nvml(reason(functions, status));
    report.mismatch = status == nvml::kVersionMismatch;
    return report;
  }
  NvmlReport report;
  report.driver_version = ask_driver_version(functions);
  report.cuda_driver = ask_cuda_driver(functions);
  for (unsigned index = 0; index < count; ++index) {
    nvml::Device device = nullptr;
    status = functions.device_by_index(index, &device);
    if (status != nvml::kSuccess) {  // "no permission" or "GPU is lost"; the PCI list still has it
      report.silent_gpu = reason(functions, status);
      continue;
    }
    NvmlGpu gpu;
    gpu.pci_address = ask_pci_address(functions, device);
    gpu.name = ask_text<nvml::kNameSize>(functions, device, functions.device_name);
    gpu.uuid = ask_text<nvml::kUuidSize>(functions, device, functions.device_uuid);
    ask_memory(functions, device, gpu);
    gpu.compute_capability = ask_compute_capability(functions, device);
    gpu.power_limit = ask_power_limit(functions, device);
    ask_mig(functions, device, gpu);
    gpu.links = ask_links(functions, device);
    report.gpus.push_back(std::move(gpu));
  }
  return report;
}

std::optional<std::map<std::uint32_t, ByteSize>> ask_process_memory(
    const nvml::Functions& functions) {
  const Session session(functions);
  unsigned count = 0;
  if (session.status() != nvml::kSuccess || functions.device_processes == nullptr ||
      functions.device_count(&count) != nvml::kSuccess)
    return std::nullopt;
  std::map<std::uint32_t, ByteSize> used;
  for (unsigned index = 0; index < count; ++index) {
    nvml::Device device = nullptr;
    if (functions.device_by_index(index, &device) != nvml::kSuccess)
      continue;
    constexpr unsigned kMostProcesses = 1024;
    std::vector<nvml::ProcessInfo> processes(kMostProcesses);
    unsigned found = kMostProcesses;
    if (functions.device_processes(device, &found, processes.data()) != nvml::kSuccess)
      return std::nullopt;
    for (unsigned i = 0; i < std::min(found, kMostProcesses); ++i) {
      if (processes[i].used_memory != ~0ULL)
        used[processes[i].pid] += ByteSize(processes[i].used_memory);
    }
  }
  return used;
}

}  // namespace las::hardware
