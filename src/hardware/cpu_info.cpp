// SPDX-License-Identifier: Apache-2.0
#include "cpu_info.hpp"

#include "cgroup.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace las::hardware {

namespace {

struct CodeName {
  std::uint64_t code;
  const char* name;
};

// "CPU implementer" and, for Arm's own cores, "CPU part": MIDR_EL1 as in Linux'
// arch/arm64/include/asm/cputype.h.
constexpr std::array<CodeName, 10> kArmImplementers = {{{0x41, "ARM"},
                                                        {0x42, "Broadcom"},
                                                        {0x46, "Fujitsu"},
                                                        {0x48, "HiSilicon"},
                                                        {0x4e, "NVIDIA"},
                                                        {0x51, "Qualcomm"},
                                                        {0x61, "Apple"},
                                                        {0x6d, "Microsoft"},
                                                        {0x70, "Phytium"},
                                                        {0xc0, "Ampere"}}};
constexpr std::array<CodeName, 18> kArmParts = {{{0xd03, "Cortex-A53"},
                                                 {0xd05, "Cortex-A55"},
                                                 {0xd07, "Cortex-A57"},
                                                 {0xd08, "Cortex-A72"},
                                                 {0xd0b, "Cortex-A76"},
                                                 {0xd0c, "Neoverse-N1"},
                                                 {0xd40, "Neoverse-V1"},
                                                 {0xd41, "Cortex-A78"},
                                                 {0xd42, "Cortex-A78AE"},
                                                 {0xd49, "Neoverse-N2"},
                                                 {0xd4f, "Neoverse-V2"},
                                                 {0xd80, "Cortex-A520"},
                                                 {0xd81, "Cortex-A720"},
                                                 {0xd82, "Cortex-X4"},
                                                 {0xd84, "Neoverse-V3"},
                                                 {0xd85, "Cortex-X925"},
                                                 {0xd87, "Cortex-A725"},
                                                 {0xd8e, "Neoverse-N3"}}};

template <std::size_t N>
std::optional<std::string> name_of(const std::array<CodeName, N>& table, std::uint64_t code) {
  for (const CodeName& entry : table) {
    if (entry.code == code)
      return entry.name;
  }
  return std::nullopt;
}

// "Cortex-A725 + Cortex-X925": a machine may have cores of several designs. Nothing unless all of
// them are known.
std::optional<std::string> arm_model(std::string_view cpuinfo) {
  std::vector<std::string> names;
  for (const std::string& line : text::lines(cpuinfo)) {
    const auto colon = line.find(':');
    if (!line.starts_with("CPU part") || colon == std::string::npos)
      continue;
    const auto code = parse_unsigned(std::string_view(line).substr(colon + 1), 16);
    const auto name = code ? name_of(kArmParts, *code) : std::nullopt;
    if (!name)
      return std::nullopt;
    if (std::find(names.begin(), names.end(), *name) == names.end())
      names.push_back(*name);
  }
  return names.empty() ? std::nullopt : std::optional<std::string>(text::join(names, " + "));
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string& word : text::split(text, ' ')) {
    if (std::string clean = printable(word); !clean.empty())
      out.push_back(std::move(clean));
  }
  return out;
}

}  // namespace

CpuInfo parse_cpuinfo(std::string_view text) {
  const auto values = parse_colon_lines(text);
  const auto value = [&](const char* key) -> std::optional<std::string> {
    const auto found = values.find(key);
    if (found == values.end() || found->second.empty())
      return std::nullopt;
    return found->second;
  };
  CpuInfo info;
  info.vendor = value("vendor_id");
  info.model = value("model name");
  const auto implementer = value("CPU implementer");
  if (implementer && !info.vendor) {
    const auto code = parse_unsigned(*implementer, 16);
    info.vendor = code ? name_of(kArmImplementers, *code).value_or(*implementer) : *implementer;
    const auto part = value("CPU part");
    if (code == 0x41u && !info.model)
      info.model = arm_model(text);
    if (part && !info.model)
      info.model = fmt::format("{} part {}", *info.vendor, *part);
  }
  info.features = words(value("flags").value_or(value("Features").value_or("")));
  // arm64 kernels call NEON by its architectural name; everyone else calls it neon.
  if (implementer &&
      std::find(info.features.begin(), info.features.end(), "asimd") != info.features.end())
    info.features.emplace_back("neon");
  std::sort(info.features.begin(), info.features.end());
  info.features.erase(std::unique(info.features.begin(), info.features.end()), info.features.end());
  return info;
}

std::optional<int> count_cpu_list(std::string_view list) {
  constexpr std::uint64_t kMost = 1U << 20;
  std::uint64_t count = 0;
  for (const std::string& part : text::split(text::trim(list), ',')) {
    const auto dash = part.find('-');
    const auto first = parse_unsigned(std::string_view(part).substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_unsigned(std::string_view(part).substr(dash + 1));
    if (!first || !last || *last < *first || *last >= kMost)
      return std::nullopt;
    count += *last - *first + 1;
    if (count > kMost)
      return std::nullopt;
  }
  return static_cast<int>(count);
}

void read_cpu_info(const platform::FileReader& files, Cpu& cpu) {
  const std::string origin = "/proc/cpuinfo";
  const auto text = files.try_read(origin);
  const CpuInfo info = text ? parse_cpuinfo(*text) : CpuInfo{};
  const auto why = [&](const char* what) {
    return text ? fmt::format(fmt::runtime(_("/proc/cpuinfo tells no {}")), what)
                : std::string(_("/proc/cpuinfo could not be read"));
  };
  cpu.vendor = text_fact(info.vendor, origin, why("vendor"));
  cpu.model = text_fact(info.model, origin, why("model"));
  cpu.features = info.features.empty()
                     ? Fact<std::vector<std::string>>::missing(why("features"))
                     : Fact<std::vector<std::string>>::known(info.features, origin);
}

Fact<int> read_usable_threads(const platform::FileReader& files, const Fact<int>& threads) {
  Fact<int> usable = threads;
  if (const auto status = files.try_read("/proc/self/status")) {
    const auto values = parse_colon_lines(*status);
    const auto found = values.find("Cpus_allowed_list");
    const auto allowed = found == values.end() ? std::nullopt : count_cpu_list(found->second);
    if (allowed && *allowed > 0 && (!usable.is_known() || *allowed < *usable.value))
      usable = Fact<int>::known(*allowed, "/proc/self/status");
  }
  if (const auto quota = read_cpu_quota(files)) {
    const int cpus = std::max(1, static_cast<int>(std::ceil(quota->cpus)));
    if (!usable.is_known() || cpus < *usable.value)
      usable = Fact<int>::known(cpus, quota->origin);
  }
  return usable;
}

}  // namespace las::hardware
