// SPDX-License-Identifier: Apache-2.0
#include "virtualization.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <array>
#include <utility>

namespace las::hardware {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

std::optional<Fact<std::string>> read_container(const platform::FileReader& files) {
  const auto container = [](const std::string& kind, const char* origin) {
    return Fact<std::string>::known("container:" + kind, origin);
  };
  if (files.exists("/run/.containerenv"))
    return container("podman", "/run/.containerenv");
  if (files.exists("/.dockerenv"))
    return container("docker", "/.dockerenv");
  if (const auto manager = files.try_read("/run/systemd/container")) {
    const std::string name = printable(*manager);
    return container(text::is_name(name) ? name : "other", "/run/systemd/container");
  }
  if (const auto cgroup = files.try_read("/proc/1/cgroup")) {
    if (const auto name = container_of_cgroup(*cgroup))
      return container(*name, "/proc/1/cgroup");
  }
  return std::nullopt;
}

bool is_wsl(const platform::FileReader& files) {
  const auto version = files.try_read("/proc/version");
  if (!version)
    return false;
  const std::string lower = text::lower(version->substr(0, 4096));
  return lower.find("microsoft") != std::string::npos || lower.find("-wsl") != std::string::npos;
}

std::optional<Fact<std::string>> read_hypervisor(const platform::FileReader& files) {
  const auto vm = [](const std::string& kind, const char* origin) {
    return Fact<std::string>::known("vm:" + kind, origin);
  };
  const auto vendor = files.try_read("/sys/class/dmi/id/sys_vendor");
  const auto product = files.try_read("/sys/class/dmi/id/product_name");
  if (vendor || product) {
    if (const auto name = hypervisor_of_dmi(vendor.value_or(""), product.value_or("")))
      return vm(*name, "/sys/class/dmi/id");
  }
  if (files.try_read("/sys/hypervisor/type") == "xen")
    return vm("xen", "/sys/hypervisor/type");
  if (const auto node = files.try_read("/proc/device-tree/hypervisor/compatible"))
    return vm(node->find("kvm") != std::string::npos ? "kvm" : "other", "/proc/device-tree");
  const auto cpuinfo = files.try_read("/proc/cpuinfo");
  if (cpuinfo) {
    const auto values = parse_colon_lines(*cpuinfo);
    const auto flags = values.find("flags");
    if (flags != values.end() &&
        (" " + flags->second + " ").find(" hypervisor ") != std::string::npos)
      return vm("other", "/proc/cpuinfo");
  }
  if (!cpuinfo && !vendor && !product)
    return std::nullopt;
  return Fact<std::string>::known("none",
                                  vendor || product ? "/sys/class/dmi/id" : "/proc/cpuinfo");
}

}  // namespace

std::optional<std::string> container_of_cgroup(std::string_view init_cgroup) {
  static constexpr std::array<Pair, 6> kMarks = {{{"/docker", "docker"},
                                                  {"/libpod", "podman"},
                                                  {"/machine.slice/libpod", "podman"},
                                                  {"/kubepods", "kubernetes"},
                                                  {"/lxc", "lxc"},
                                                  {"/containerd", "containerd"}}};
  for (const auto& [mark, name] : kMarks) {
    if (init_cgroup.find(mark) != std::string_view::npos)
      return std::string(name);
  }
  return std::nullopt;
}

std::optional<std::string> hypervisor_of_dmi(std::string_view vendor, std::string_view product) {
  const auto holds = [](std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
  };
  if (holds(vendor, "Amazon EC2"))
    return holds(product, "metal") ? std::nullopt : std::optional<std::string>("kvm");
  if (holds(vendor, "Microsoft Corporation"))  // also makes real machines
    return holds(product, "Virtual Machine") ? std::optional<std::string>("hyperv") : std::nullopt;
  static constexpr std::array<Pair, 14> kMarks = {{{"KVM", "kvm"},
                                                   {"QEMU", "kvm"},
                                                   {"Google Compute Engine", "kvm"},
                                                   {"OpenStack", "kvm"},
                                                   {"Alibaba Cloud", "kvm"},
                                                   {"DigitalOcean", "kvm"},
                                                   {"vServer", "kvm"},
                                                   {"VMware", "vmware"},
                                                   {"VirtualBox", "virtualbox"},
                                                   {"innotek", "virtualbox"},
                                                   {"Parallels", "parallels"},
                                                   {"HVM domU", "xen"},
                                                   {"BHYVE", "bhyve"},
                                                   {"Bochs", "bochs"}}};
  for (const auto& [mark, name] : kMarks) {
    if (holds(vendor, mark) || holds(product, mark))
      return std::string(name);
  }
  return std::nullopt;
}

Fact<std::string> read_virtualization(const platform::FileReader& files) {
  if (auto container = read_container(files))
    return *container;
  if (is_wsl(files))
    return Fact<std::string>::known("wsl", "/proc/version");
  if (auto hypervisor = read_hypervisor(files))
    return *hypervisor;
  return Fact<std::string>::missing(_("neither DMI nor /proc/cpuinfo could be read"));
}

}  // namespace las::hardware
