// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/set_fact.hpp"

#include "support/catch.hpp"

#include <map>

using namespace las;
using namespace las::hardware;

namespace {

std::map<std::string, Fact<std::string>> named(const HardwareProfile& profile) {
  std::map<std::string, Fact<std::string>> facts;
  for (const NamedFact& fact : named_facts(profile))
    facts[fact.name] = fact.text;
  return facts;
}

Fact<std::string> text(const std::string& value) {
  return Fact<std::string>::known(value, "test");
}

}  // namespace

TEST_CASE("a fact is written under the name that conditions read it by", "[hardware]") {
  CHECK(settable_facts().size() > 40);
  for (const std::string& name : settable_facts()) {
    INFO(name);
    HardwareProfile profile;
    profile.gpus = Fact<std::vector<Gpu>>::known({}, "test");
    CHECK(set_fact(profile, name, Fact<std::string>::missing("why not")) == SetFact::Done);
    CHECK(named(profile).at(name).unknown == "why not");
  }
}

TEST_CASE("a fact's text is read as what the fact is", "[hardware]") {
  HardwareProfile profile;
  const auto set = [&](const std::string& name, const std::string& value) {
    return set_fact(profile, name, text(value));
  };
  CHECK(set("memory.effective", "24GB") == SetFact::Done);
  CHECK(profile.memory.effective == Fact<ByteSize>::known(ByteSize::gib(24), "test"));
  CHECK(set("cpu.features", "avx  avx2") == SetFact::Done);
  CHECK(profile.cpu.features.value == std::vector<std::string>{"avx", "avx2"});
  CHECK(set("cpu.cores", "8") == SetFact::Done);
  CHECK(profile.cpu.cores.value == 8);
  CHECK(set("tools.podman", "4.3.1") == SetFact::Done);
  CHECK(profile.tools.podman.value == Version("4.3.1"));
  CHECK(set("gpu.nvlink", "true") == SetFact::Done);
  CHECK(profile.nvlink.value == true);

  CHECK(set("memory.effective", "much") == SetFact::WrongValue);
  CHECK(set("cpu.cores", "-1") == SetFact::WrongValue);
  CHECK(set("cpu.cores", "8x") == SetFact::WrongValue);
  CHECK(set("gpu.nvlink", "yes") == SetFact::WrongValue);
  CHECK(set("tools.podman", "new") == SetFact::WrongValue);
  CHECK(set("gpu.vram_total", "24GB") == SetFact::NoSuchFact);
  CHECK(set("memory", "24GB") == SetFact::NoSuchFact);
  CHECK(profile.memory.effective.value == ByteSize::gib(24));
}

TEST_CASE("a GPU's and an accelerator's facts have the keys of a profile", "[hardware]") {
  Gpu gpu;
  CHECK(set_fact(gpu, "vram", text("8GB")) == SetFact::Done);
  CHECK(gpu.vram.value == ByteSize::gib(8));
  CHECK(set_fact(gpu, "links", text("all")) == SetFact::WrongValue);
  CHECK(set_fact(gpu, "links", Fact<std::string>::missing("no driver")) == SetFact::Done);
  CHECK(gpu.links.unknown == "no driver");
  CHECK(set_fact(gpu, "vendor", text("amd")) == SetFact::NoSuchFact);
  Accelerator accelerator;
  CHECK(set_fact(accelerator, "device", text("/dev/accel/accel0")) == SetFact::Done);
  CHECK(accelerator.device.value == "/dev/accel/accel0");
}
