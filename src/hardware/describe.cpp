// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/describe.hpp"

#include "profile_fields.hpp"

#include "las/base/diagnostics.hpp"
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::hardware {

namespace {

std::string shown(const std::string& value) {
  return value;
}

std::string shown(int value) {
  return std::to_string(value);
}

std::string shown(bool value) {
  return value ? _("yes") : _("no");
}

std::string shown(ByteSize value) {
  return value.to_string();
}

std::string shown(const Version& value) {
  return value.text();
}

std::string shown(const std::vector<std::string>& values) {
  return values.empty() ? _("none") : text::join(values, " ");
}

std::string shown(const std::vector<MigInstance>& instances) {
  std::vector<std::string> names;
  for (const MigInstance& instance : instances)
    names.push_back(fmt::format("{} ({})", instance.name, instance.memory.to_string()));
  return names.empty() ? _("none") : text::join(names, ", ");
}

std::string shown(const std::vector<GpuLink>& links) {
  std::vector<std::string> names;
  for (const GpuLink& link : links)
    names.push_back(fmt::format(
        "{} x{} {}", link.kind, link.lanes, link.peer.empty() ? _("(switch)") : link.peer));
  return names.empty() ? _("none") : text::join(names, ", ");
}

struct Describer {
  std::vector<DescribedFact>& out;
  std::string group;

  template <typename T>
  void operator()(const char* name, const Fact<T>& fact) const {
    out.push_back(
        {group, name, fact.is_known() ? shown(*fact.value) : "", fact.origin, fact.unknown});
  }
};

// The list itself, when it is unknown or empty; otherwise each of its things under its own name.
template <typename T, typename Each>
void describe_list(const char* name,
                   const Fact<std::vector<T>>& list,
                   std::vector<DescribedFact>& out,
                   Each&& each) {
  if (!list.is_known())
    out.push_back({"", name, "", "", list.unknown});
  else if (list.value->empty())
    out.push_back({"", name, _("none"), list.origin, ""});
  else
    std::for_each(list.value->begin(), list.value->end(), each);
}

std::string group_of(const Fact<std::string>& address, std::size_t number) {
  return address.is_known() ? *address.value : fmt::format("#{}", number);
}

void check_section(std::string_view section) {
  const std::vector<std::string>& names = section_names();
  if (std::find(names.begin(), names.end(), section) != names.end())
    return;
  const std::string nearest = nearest_name(section, names);
  const std::string all = fmt::format(fmt::runtime(_("there are: {}")), text::join(names, ", "));
  throw Error(ErrorKind::Usage, _("no such section of a hardware profile"), std::string(section))
      .hint(nearest.empty() ? all : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
}

}  // namespace

const std::vector<std::string>& section_names() {
  static const std::vector<std::string> kNames = {
      "os", "board", "cpu", "memory", "gpu", "accelerators", "storage", "tools"};
  return kNames;
}

std::vector<DescribedFact> describe(const HardwareProfile& profile, std::string_view section) {
  check_section(section);
  std::vector<DescribedFact> out;
  for_each_section(profile, [&](const char* name, const auto& facts) {
    if (section == name)
      for_each_fact(facts, Describer{out, ""});
  });
  if (section == "gpu") {
    describe_list("gpus", profile.gpus, out, [&](const Gpu& gpu) {
      const std::string group =
          group_of(gpu.pci_address, static_cast<std::size_t>(&gpu - profile.gpus.value->data()));
      out.push_back({group, "vendor", std::string(to_string(gpu.vendor)), "pci.ids", ""});
      for_each_fact(gpu, Describer{out, group});
    });
    Describer{out, ""}("nvlink", profile.nvlink);
  } else if (section == "accelerators") {
    describe_list("accelerators", profile.accelerators, out, [&](const Accelerator& device) {
      const std::string group =
          group_of(device.pci_address,
                   static_cast<std::size_t>(&device - profile.accelerators.value->data()));
      for_each_fact(device, Describer{out, group});
    });
  } else if (section == "storage") {
    for (const Storage& storage : profile.storage)
      for_each_fact(storage, Describer{out, storage.purpose});
  }
  return out;
}

std::string to_json(const HardwareProfile& profile, std::string_view section) {
  check_section(section);
  const auto whole = nlohmann::ordered_json::parse(to_json(profile));
  nlohmann::ordered_json part = {{"schema", whole["schema"]}};
  if (section == "gpu") {
    part["gpus"] = whole["gpus"];
    part["nvlink"] = whole["nvlink"];
  } else {
    part[std::string(section)] = whole[std::string(section)];
  }
  return part.dump(2);
}

std::vector<std::string> instruction_sets(const Cpu& cpu) {
  // The kernel's names (Linux' arch/x86/include/asm/cpufeatures.h, arch/arm64/kernel/cpuinfo.c).
  struct Set {
    std::string_view flag;
    const char* name;
    std::vector<std::pair<std::string_view, const char*>> extras;
  };

  static const std::vector<Set> kSets = {
      {"avx2", "AVX2", {}},
      {"avx_vnni", "AVX-VNNI", {}},
      {"avx512f",
       "AVX-512",
       {{"avx512_vnni", "VNNI"}, {"avx512_bf16", "BF16"}, {"avx512_fp16", "FP16"}}},
      {"amx_tile", "AMX", {{"amx_int8", "INT8"}, {"amx_bf16", "BF16"}, {"amx_fp16", "FP16"}}},
      {"neon", "NEON", {{"asimddp", "dot product"}, {"i8mm", "I8MM"}, {"bf16", "BF16"}}},
      {"sve", "SVE", {}},
      {"sve2", "SVE2", {}},
      {"sme", "SME", {}}};
  std::vector<std::string> names;
  if (!cpu.features.is_known())
    return names;
  const auto has = [&](std::string_view flag) {
    return std::find(cpu.features.value->begin(), cpu.features.value->end(), flag) !=
           cpu.features.value->end();
  };
  for (const Set& set : kSets) {
    if (!has(set.flag))
      continue;
    std::vector<std::string> extras;
    for (const auto& [flag, name] : set.extras) {
      if (has(flag))
        extras.emplace_back(name);
    }
    names.push_back(extras.empty() ? set.name
                                   : fmt::format("{} ({})", set.name, text::join(extras, ", ")));
  }
  return names;
}

}  // namespace las::hardware
