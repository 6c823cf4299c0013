// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

using namespace las;
using las::app::choose_gpus;
using las::hardware::Gpu;
using las::hardware::GpuVendor;
using Names = std::vector<std::string>;

namespace {

hardware::Fact<std::string> fact(const std::string& text) {
  return hardware::Fact<std::string>::known(text, "test");
}

Gpu gpu(GpuVendor vendor, const std::string& pci, const std::string& uuid, int gib) {
  Gpu made;
  made.vendor = vendor;
  made.name = fact("Card");
  made.pci_address = fact(pci);
  if (!uuid.empty())
    made.uuid = fact(uuid);
  made.vram =
      hardware::Fact<ByteSize>::known(ByteSize::gib(static_cast<std::uint64_t>(gib)), "test");
  made.integrated = hardware::Fact<bool>::known(gib == 0, "test");
  made.driver_state = fact("working");
  return made;
}

/// A display chip of the board, an integrated GPU, and two of one kind.
std::vector<Gpu> workstation() {
  std::vector<Gpu> gpus = {gpu(GpuVendor::Other, "0000:02:00.0", "", 0),
                           gpu(GpuVendor::Intel, "0000:00:02.0", "", 0),
                           gpu(GpuVendor::Nvidia, "0000:65:00.0", "GPU-aa", 24),
                           gpu(GpuVendor::Nvidia, "0000:66:00.0", "GPU-bb", 24)};
  return gpus;
}

Names chosen(const std::vector<Gpu>& gpus,
             const std::string& wish,
             const catalog::HardwareNeeds& needs = {}) {
  Names names;
  for (const auto& one : choose_gpus(gpus, wish, needs))
    names.push_back(!one.part.empty() ? one.part : *one.gpu->pci_address.value);
  return names;
}

catalog::HardwareNeeds vendor(const std::string& name) {
  catalog::HardwareNeeds needs;
  needs.gpu_vendor = name;
  return needs;
}

}  // namespace

TEST_CASE("a service gets no GPU unless its build needs one or somebody says so") {
  CHECK(chosen(workstation(), "").empty());
  CHECK(chosen(workstation(), "", vendor("nvidia")) == Names{"0000:65:00.0", "0000:66:00.0"});
  CHECK(chosen(workstation(), "", vendor("intel")) == Names{"0000:00:02.0"});
  CHECK(chosen(workstation(), "none", vendor("nvidia")).empty());
}

TEST_CASE("a build for any GPU gets those that a model would run on") {
  catalog::HardwareNeeds any;
  any.vram_min = ByteSize::gib(2);
  CHECK(chosen(workstation(), "", any) == Names{"0000:65:00.0", "0000:66:00.0"});
  CHECK(chosen(workstation(), "all") == Names{"0000:65:00.0", "0000:66:00.0"});
}

TEST_CASE("GPUs are named by their place in the list, their UUID or their address") {
  CHECK(chosen(workstation(), "3") == Names{"0000:66:00.0"});
  CHECK(chosen(workstation(), "3, 2") == Names{"0000:66:00.0", "0000:65:00.0"});
  CHECK(chosen(workstation(), "gpu-BB") == Names{"0000:66:00.0"});
  CHECK(chosen(workstation(), "0000:00:02.0,GPU-aa") == Names{"0000:00:02.0", "0000:65:00.0"});
}

TEST_CASE("a part of a divided GPU is named by its UUID") {
  auto gpus = workstation();
  gpus[3].mig_instances = hardware::Fact<std::vector<hardware::MigInstance>>::known(
      {{"MIG-7", "1g.6gb", ByteSize::gib(6)}}, "test");
  CHECK(chosen(gpus, "MIG-7") == Names{"MIG-7"});
}

TEST_CASE("a GPU that is not there is said to be so, with those that are") {
  const Error error = test::error_of([&] { chosen(workstation(), "7"); }).value();
  CHECK(error.kind() == ErrorKind::NotFound);
  CHECK(error.hint().find("2: Card GPU-aa") != std::string::npos);
  CHECK(test::error_of([&] { chosen({}, "0"); }).value().kind() == ErrorKind::NotFound);
  CHECK(test::error_of([&] { chosen(workstation(), "-1"); }).value().kind() == ErrorKind::NotFound);
  CHECK(test::error_of([&] { chosen(workstation(), "0x2"); }).value().kind() ==
        ErrorKind::NotFound);
  CHECK(test::error_of([&] { chosen(workstation(), "2,,3"); }).value().kind() ==
        ErrorKind::NotFound);
}

TEST_CASE("a GPU that stands twice, or whose driver does not work, is refused") {
  CHECK(test::error_of([&] { chosen(workstation(), "2,GPU-aa"); }).value().kind() ==
        ErrorKind::Usage);
  CHECK(test::error_of([&] { chosen(workstation(), "0"); }).value().kind() ==
        ErrorKind::Unsatisfiable);
  auto gpus = workstation();
  gpus[2].driver_state = fact("mismatch");
  const Error error = test::error_of([&] { chosen(gpus, "2"); }).value();
  CHECK(error.kind() == ErrorKind::Unsatisfiable);
  CHECK(error.cause().find("mismatch") != std::string::npos);
  CHECK(chosen(gpus, "all", vendor("nvidia")) == Names{"0000:66:00.0"});
}

TEST_CASE("all the GPUs of a machine that has none are an error only where they were asked for") {
  CHECK(chosen({}, "", vendor("nvidia")).empty());
  CHECK(test::error_of([&] { chosen({}, "all"); }).value().kind() == ErrorKind::NotFound);
}
