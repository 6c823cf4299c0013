// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"
#include "las/policy/policy.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace las::policy::test {

using hardware::Fact;
using hardware::Gpu;
using hardware::GpuVendor;
using hardware::HardwareProfile;

template <typename T>
Fact<T> known(T value) {
  return Fact<T>::known(std::move(value), "test");
}

/// A reconstructed machine, described step by step: machine().ram_mib(31900).nvidia("8.9", 24564).
class Machine {
 public:
  Machine() {
    profile_.os.architecture = known(std::string("x86_64"));
    profile_.os.glibc = known(Version("2.36"));
    profile_.cpu.cores = known(8);
    profile_.cpu.features = known(std::vector<std::string>{"avx", "avx2"});
    profile_.gpus = known(std::vector<Gpu>{});
    profile_.nvlink = known(false);
    profile_.tools.nvidia_driver = Fact<Version>::missing("no NVIDIA driver is loaded");
    ram_mib(31900);  // what a machine sold with 32 GB reports
  }

  Machine& ram_mib(std::uint64_t size) {
    profile_.memory.total = profile_.memory.effective = known(ByteSize::mib(size));
    return *this;
  }

  Machine& ram_unknown() {
    profile_.memory.effective = Fact<ByteSize>::missing("no meminfo");
    return *this;
  }

  Machine& nvidia(const std::string& capability, std::uint64_t vram_mib, int count = 1) {
    Gpu card = gpu(GpuVendor::Nvidia, false);
    card.vram = known(ByteSize::mib(vram_mib));
    card.compute_capability = known(Version(capability));
    return add(card, count).driver("580.65.06");
  }

  Machine& nouveau() {
    Gpu card = gpu(GpuVendor::Nvidia, false);
    const std::string why = "the nouveau driver does not report it";
    card.vram = Fact<ByteSize>::missing(why);
    card.compute_capability = Fact<Version>::missing(why);
    card.integrated = Fact<bool>::missing(why);
    return add(card, 1);
  }

  /// A chip that shares the machine's memory.
  Machine& nvidia_unified(const std::string& capability) {
    Gpu chip = gpu(GpuVendor::Nvidia, true);
    chip.vram = Fact<ByteSize>::missing("the GPU shares the machine's memory");
    chip.compute_capability = known(Version(capability));
    return add(chip, 1).driver("580.65.06");
  }

  Machine& amd(const std::string& target, std::uint64_t vram_mib, bool integrated = false) {
    Gpu card = gpu(GpuVendor::Amd, integrated);
    card.vram = known(ByteSize::mib(vram_mib));
    card.gfx_target = known(target);
    return add(card, 1);
  }

  Machine& intel_integrated() {
    Gpu chip = gpu(GpuVendor::Intel, true);
    chip.vram = Fact<ByteSize>::missing("the GPU shares the machine's memory");
    return add(chip, 1);
  }

  Machine& driver(const std::string& version) {
    profile_.tools.nvidia_driver = known(Version(version));
    return *this;
  }

  Machine& nvlink() {
    profile_.nvlink = known(true);
    return *this;
  }

  Machine& gpus_unknown() {
    profile_.gpus = Fact<std::vector<Gpu>>::missing("no sysfs");
    profile_.nvlink = Fact<bool>::missing("no sysfs");
    return *this;
  }

  const HardwareProfile& profile() const { return profile_; }

  operator const HardwareProfile&() const { return profile_; }  // NOLINT: reads better in tests

 private:
  static Gpu gpu(GpuVendor vendor, bool integrated) {
    Gpu card;
    card.vendor = vendor;
    card.integrated = known(integrated);
    card.gfx_target = Fact<std::string>::missing("only AMD GPUs have one");
    card.compute_capability = Fact<Version>::missing("only NVIDIA GPUs have one");
    return card;
  }

  Machine& add(const Gpu& card, int count) {
    for (int i = 0; i < count; ++i)
      profile_.gpus.value->push_back(card);
    return *this;
  }

  HardwareProfile profile_;
};

inline Machine machine() {
  return {};
}

inline std::string read_source_file(const std::string& path) {
  std::ifstream file(std::string(LAS_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The rules of documents that must be free of faults.
inline std::vector<Rule> rules_of(const std::string& yaml) {
  Diagnostics diagnostics;
  auto rules = parse_rules(yaml, "test.yaml", diagnostics);
  diagnostics.throw_if_errors("the test's policy is wrong");
  return rules;
}

/// share/policies/*.yaml, as shipped.
inline std::vector<Rule> shipped_rules() {
  std::vector<Document> documents;
  for (const char* file : {"share/policies/engines.yaml", "share/policies/tiers.yaml"})
    documents.push_back({file, read_source_file(file), Layer::Shipped});
  Diagnostics diagnostics;
  std::vector<Rule> rules = load_rules(documents, diagnostics);
  diagnostics.throw_if_errors("the shipped policies are wrong");
  return rules;
}

}  // namespace las::policy::test
