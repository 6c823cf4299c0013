// SPDX-License-Identifier: Apache-2.0
// Values with defaults, so that a test says only what it is about.
#pragma once

#include "las/resolve/resolve.hpp"

#include <string>
#include <utility>
#include <vector>

namespace builders {

using namespace las;  // NOLINT: a test header of a test-only namespace

inline hardware::HardwareProfile machine(ByteSize ram = ByteSize::gib(16)) {
  using hardware::Fact;
  hardware::HardwareProfile profile;
  profile.os.architecture = Fact<std::string>::known("x86_64", "test");
  profile.os.glibc = Fact<Version>::known(Version("2.36"), "test");
  profile.cpu.cores = Fact<int>::known(8, "test");
  profile.cpu.usable_threads = Fact<int>::known(16, "test");
  profile.cpu.features = Fact<std::vector<std::string>>::known({"avx", "avx2", "f16c"}, "test");
  profile.memory.total = profile.memory.effective = Fact<ByteSize>::known(ram, "test");
  profile.gpus = Fact<std::vector<hardware::Gpu>>::known({}, "test");
  profile.tools.nvidia_driver = Fact<Version>::missing("no driver is loaded");
  profile.tools.cuda_driver = Fact<Version>::missing("no driver is loaded");
  return profile;
}

inline hardware::Gpu gpu(hardware::GpuVendor vendor,
                         ByteSize vram,
                         const std::string& capability = {}) {
  hardware::Gpu card;
  card.vendor = vendor;
  card.vram = hardware::Fact<ByteSize>::known(vram, "test");
  card.compute_capability = capability.empty()
                                ? hardware::Fact<Version>::missing("not a card of that vendor")
                                : hardware::Fact<Version>::known(Version(capability), "test");
  return card;
}

inline hardware::HardwareProfile with_nvidia(ByteSize vram,
                                             const std::string& capability,
                                             const std::string& driver = "550.54.14",
                                             const std::string& cuda = "12.4",
                                             int count = 1) {
  hardware::HardwareProfile profile = machine();
  for (int i = 0; i < count; ++i)
    profile.gpus.value->push_back(gpu(hardware::GpuVendor::Nvidia, vram, capability));
  profile.tools.nvidia_driver = hardware::Fact<Version>::known(Version(driver), "test");
  profile.tools.cuda_driver = hardware::Fact<Version>::known(Version(cuda), "test");
  return profile;
}

inline VersionRange range(const std::string& text) {
  return *VersionRange::parse(text);
}

inline catalog::Variant variant(std::string name,
                                int priority = 0,
                                catalog::HardwareNeeds needs = {}) {
  catalog::Variant made;
  made.name = std::move(name);
  made.priority = priority;
  made.needs = std::move(needs);
  catalog::Source source;
  source.how = catalog::AptSource{{"package"}};
  made.sources.push_back(std::move(source));
  return made;
}

inline catalog::Release release(const std::string& version,
                                std::vector<catalog::Variant> variants = {variant("cpu")}) {
  catalog::Release made;
  made.version = Version(version);
  made.variants = std::move(variants);
  return made;
}

inline catalog::Manifest manifest(std::string name, std::vector<catalog::Release> releases) {
  catalog::Manifest made;
  made.name = std::move(name);
  made.releases = std::move(releases);
  if (!made.releases.empty())
    made.version = made.releases.front().version;
  made.modes = {catalog::Mode::Native};
  return made;
}

inline catalog::Manifest needing(catalog::Manifest base,
                                 std::vector<std::pair<std::string, std::string>> modules) {
  for (auto& [name, versions] : modules)
    base.dependencies.modules.push_back({name, range(versions)});
  return base;
}

inline state::InstalledModule installed(std::string name,
                                        std::string version,
                                        state::Reason reason = state::Reason::User,
                                        std::vector<std::string> needs = {},
                                        std::string variant_name = "cpu") {
  state::InstalledModule module;
  module.name = std::move(name);
  module.version = std::move(version);
  module.variant = std::move(variant_name);
  module.mode = "native";
  module.reason = reason;
  module.requires_modules = std::move(needs);
  return module;
}

inline resolve::Request install(const std::vector<std::string>& wishes) {
  resolve::Request request;
  for (const std::string& wish : wishes)
    request.install.push_back(resolve::parse_wish(wish));
  return request;
}

/// Owns what a World refers to.
struct Stage {
  catalog::Catalog catalog;
  hardware::HardwareProfile profile = machine();
  policy::Verdict verdict;
  state::Generation present;

  resolve::Outcome resolve(const resolve::Request& request) const {
    return resolve::resolve(request, {catalog, profile, verdict, present});
  }
};

/// "name version (variant) reason", one per choice.
inline std::vector<std::string> lines(const resolve::Outcome& outcome) {
  std::vector<std::string> all;
  if (outcome.explanation) {
    all.push_back("not: " + outcome.explanation->wanted);
    for (const auto& reason : outcome.explanation->reasons)
      all.push_back(reason.subject + ": " + reason.text);
    all.push_back("try: " + outcome.explanation->suggestion);
    return all;
  }
  for (const resolve::Choice& choice : outcome.resolution->choices)
    all.push_back(choice.name + " " + choice.version.text() + " (" + choice.variant_name + ") " +
                  std::string(state::to_string(choice.reason)));
  return all;
}

}  // namespace builders
