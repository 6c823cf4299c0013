// SPDX-License-Identifier: Apache-2.0
#include "nvml.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/platform/shared_library.hpp"

#include <array>

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

std::string ask_pci_address(const nvml::Functions& functions, nvml::Device device) {
  nvml::PciInfo pci{};
  if (functions.device_pci(device, &pci) != nvml::kSuccess)
    return {};
  return fmt::format("{:04x}:{:02x}:{:02x}.0", pci.domain, pci.bus, pci.device);
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

// Linked to another GPU, directly or through a switch (links to a CPU are of another kind).
bool has_gpu_link(const nvml::Functions& functions, nvml::Device device) {
  for (unsigned link = 0; link < nvml::kMaxLinks; ++link) {
    int active = 0;
    if (functions.nvlink_state(device, link, &active) != nvml::kSuccess || active == 0)
      continue;
    int remote = 0;
    if (functions.nvlink_remote_type == nullptr ||
        functions.nvlink_remote_type(device, link, &remote) != nvml::kSuccess ||
        remote != nvml::kRemoteIsCpu)
      return true;
  }
  return false;
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
  const platform::SharedLibrary library({"libnvidia-ml.so.1"});
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
  functions.nvlink_state = reinterpret_cast<decltype(functions.nvlink_state)>(
      library.find_symbol("nvmlDeviceGetNvLinkState"));
  functions.nvlink_remote_type = reinterpret_cast<decltype(functions.nvlink_remote_type)>(
      library.find_symbol("nvmlDeviceGetNvLinkRemoteDeviceType"));
  return functions;
}

}  // namespace nvml

NvmlReport ask_nvml(const nvml::Functions& functions) {
  NvmlReport report;
  const Session session(functions);
  unsigned count = 0;
  nvml::Return status = session.status();
  if (status == nvml::kSuccess)
    status = functions.device_count(&count);
  if (status != nvml::kSuccess) {
    report.failure = reason(functions, status);
    report.cuda_driver = Fact<Version>::missing(report.failure);
    report.nvlink = Fact<bool>::missing(report.failure);
    return report;
  }
  report.cuda_driver = ask_cuda_driver(functions);
  int linked = 0;
  for (unsigned index = 0; index < count; ++index) {
    nvml::Device device = nullptr;
    if (functions.device_by_index(index, &device) != nvml::kSuccess)
      continue;  // "no permission" or "GPU is lost"; the PCI list still has it
    NvmlGpu gpu;
    gpu.pci_address = ask_pci_address(functions, device);
    gpu.name = ask_text<nvml::kNameSize>(functions, device, functions.device_name);
    gpu.uuid = ask_text<nvml::kUuidSize>(functions, device, functions.device_uuid);
    ask_memory(functions, device, gpu);
    gpu.compute_capability = ask_compute_capability(functions, device);
    if (functions.nvlink_state != nullptr && has_gpu_link(functions, device))
      ++linked;
    report.gpus.push_back(std::move(gpu));
  }
  report.nvlink = functions.nvlink_state != nullptr
                      ? Fact<bool>::known(linked >= 2, kOrigin)
                      : Fact<bool>::missing(_("this NVML is too old to tell about NVLink"));
  return report;
}

}  // namespace las::hardware
