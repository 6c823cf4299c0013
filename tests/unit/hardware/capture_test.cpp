// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/capture.hpp"

#include "captured_facts.hpp"
#include "recorded_tree.hpp"
#include "scrub.hpp"
#include "support/catch.hpp"
#include "tree.hpp"

#include "las/base/error.hpp"

#include <nlohmann/json.hpp>

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

Capture capture_of(const ProbeOptions& options, const platform::Environment& environment = {}) {
  StandInPrograms programs;
  programs.programs = {{"python3", {0, "Python 3.12.3\n"}}};
  NullReporter reporter;
  const Cancellation cancellation;
  return capture(environment, programs, options, {reporter, cancellation});
}

void unpack(const Capture& capture, const std::filesystem::path& root) {
  for (const CaptureEntry& entry : capture.entries) {
    const auto path = root / entry.path;
    std::filesystem::create_directories(path.parent_path());
    if (entry.kind == CaptureEntry::Kind::Directory)
      std::filesystem::create_directories(path);
    else if (entry.kind == CaptureEntry::Kind::Symlink)
      std::filesystem::create_symlink(entry.content, path);
    else
      std::ofstream(path, std::ios::binary) << entry.content;
  }
}

HardwareProfile probe_again(const ProbeOptions& options, const std::filesystem::path& root) {
  StandInPrograms programs;
  NullReporter reporter;
  const Cancellation cancellation;
  ProbeOptions again = options;
  again.sysroot = root;
  return probe({}, programs, again, {reporter, cancellation});
}

// Values only: a replayed fact may come from another place.
nlohmann::ordered_json values(const HardwareProfile& profile) {
  auto json = nlohmann::ordered_json::parse(to_json(profile));
  const auto strip = [](auto& self, nlohmann::ordered_json& node) -> void {
    if (node.is_object()) {
      node.erase("origin");
      node.erase("unknown");
    }
    if (!node.is_structured())
      return;
    for (auto& child : node)
      self(self, child);
  };
  strip(strip, json);
  return json;
}

const std::string* content_of(const Capture& capture, const std::string& path) {
  for (const CaptureEntry& entry : capture.entries) {
    if (entry.path == path)
      return &entry.content;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a capture of the live machine gives the same facts again", "[hardware]") {
  const las::test::TempDirectory folder;
  ProbeOptions options;
  options.storage = {{"state", "/var/lib/las"}};
  const Capture taken = capture_of(options);
  unpack(taken, folder.path());
  CHECK(values(probe_again(options, folder.path())) == values(taken.profile));
  CHECK(taken.profile.storage.at(0).free.is_known());
  // What the files tell comes from the files, not from the recorded facts.
  CHECK(probe_again(options, folder.path()).cpu.cores.origin == taken.profile.cpu.cores.origin);
  const auto facts = nlohmann::json::parse(*content_of(taken, "las-capture/facts.json"));
  CHECK_FALSE(facts.contains("cpu"));
  CHECK_FALSE(facts.contains("memory"));
  CHECK(content_of(taken, "las-capture/README") != nullptr);
}

TEST_CASE("a capture of each machine on file gives the same facts again", "[hardware]") {
  for (const char* name : {"capture-of-a-cpu-only-vm",
                           "capture-of-an-h100-vm",
                           "reconstruction-of-rtx-4090-desktop",
                           "reconstruction-of-rx-7900-xtx-desktop",
                           "reconstruction-of-a-strix-halo-128gb-mini-pc",
                           "reconstruction-of-a-docker-container-with-limits",
                           "reconstruction-of-a-nouveau-and-arc-desktop",
                           "reconstruction-of-a-wsl-machine",
                           "reconstruction-of-a-neoverse-n1-server"}) {
    CAPTURE(name);
    const las::test::TempDirectory folder;
    ProbeOptions options;
    options.sysroot = fixture(name);
    options.storage = {{"models", "/var/lib/my models/blobs"}};
    Capture taken = capture_of(options);
    unpack(taken, folder.path());
    HardwareProfile again = probe_again(options, folder.path());
    for (HardwareProfile* profile : {&taken.profile, &again}) {
      if (!profile->gpus.is_known())
        continue;
      for (Gpu& gpu : *profile->gpus.value)
        gpu.uuid = {};
    }
    CHECK(values(again) == values(taken.profile));
  }
}

TEST_CASE("serial numbers, addresses and names stay on the machine", "[hardware]") {
  MachineTree tree;
  tree.file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
      .file("/etc/machine-id", "SECRETmachine\n")
      .file("/etc/subuid", "alice:100000:65536\n")
      .file("/etc/cdi/nvidia.yaml", "cdiVersion: 0.6.0\nkind: nvidia.com/gpu\nSECRETcdi: 1\n")
      .file("/var/lib/dpkg/status", "Package: SECRETpackage\n")
      .file("/proc/cpuinfo", "processor\t: 0\nmodel name\t: X\nSerial\t\t: SECRETserial\n")
      .file("/proc/meminfo", "MemTotal: 1024 kB\n")
      .file("/proc/version", "Linux version 6.1.0 (SECRETbuilder@SECRETplace) #1\n")
      .file("/proc/cmdline", "root=/dev/sda1 password=SECRETline\n")
      .file("/proc/self/status", "Name:\tSECRETname\nCpus_allowed_list:\t0\n")
      .file("/proc/self/cgroup", "0::/homes/alice/session\n")
      .file("/sys/fs/cgroup/homes/alice/session/memory.max", "524288\n")
      .file("/proc/self/mountinfo",
            "1 0 0:50 / / rw - nfs4 10.1.2.3:/SECRETexport rw,addr=10.1.2.3\n"
            "2 0 0:51 / /SECRETmount rw - nfs4 10.1.2.3:/x rw\n")
      .file("/sys/class/dmi/id/sys_vendor", "Maker\n")
      .file("/sys/class/dmi/id/product_name", "Model of 52:54:00:ab:cd:ef\n")
      .file("/sys/class/dmi/id/product_serial", "SECRETdmi\n")
      .file("/sys/class/dmi/id/product_uuid", "12345678-1234-4234-8234-123456789abc\n")
      .file("/sys/class/dmi/id/board_asset_tag", "SECRETtag\n")
      .file("/sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n")
      .file("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n")
      .file("/sys/bus/pci/devices/0000:01:00.0/device", "0x2684\n")
      .file("/proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX Kernel Module  580.65.06  x\n")
      .file("/proc/driver/nvidia/gpus/0000:01:00.0/information",
            "Model: \t\t NVIDIA GeForce RTX 4090\n"
            "GPU UUID: \t GPU-deadbeef-1234-4234-8234-123456789abc\n");
  platform::Environment environment;
  environment.user = "alice";
  environment.host_name = "workbench";
  ProbeOptions options;
  options.sysroot = tree.root();
  options.storage = {{"models", "/srv/models"}};
  // As if a parser read them all.
  const auto files = tree.files();
  const RecordingReader recorder(*files);
  for (const auto& found : std::filesystem::recursive_directory_iterator(tree.root())) {
    if (found.is_regular_file())
      recorder.try_read("/" + found.path().lexically_relative(tree.root()).string());
  }
  std::vector<CaptureEntry> entries = capture_of(options, environment).entries;
  for (const auto& [path, entry] : scrubbed(recorder.tree(), environment, {"/srv/models"}))
    entries.push_back(entry);
  for (const CaptureEntry& entry : entries) {
    CAPTURE(entry.path, entry.content);
    for (const char* secret : {"SECRET",
                               "alice",
                               "workbench",
                               "10.1.2.3",
                               "52:54:00:ab:cd:ef",
                               "deadbeef",
                               "12345678-1234"})
      CHECK((entry.path + entry.content).find(secret) == std::string::npos);
  }
  const Capture taken = capture_of(options, environment);
  CHECK(content_of(taken, "proc/self/cgroup")->find("/homes/user/session") != std::string::npos);
  CHECK(content_of(taken, "sys/fs/cgroup/homes/user/session/memory.max") != nullptr);
  CHECK(content_of(taken, "proc/driver/nvidia/gpus/0000:01:00.0/information")
            ->find("GPU-00000000-0000-4000-8000-000000000001") != std::string::npos);
}

TEST_CASE("one identity is always replaced by the same stand-in", "[hardware]") {
  IdentityScrubber scrub;
  CHECK(scrub("a 11111111-2222-3333-4444-555555555555, b 66666666-2222-3333-4444-555555555555") ==
        "a 00000000-0000-4000-8000-000000000001, b 00000000-0000-4000-8000-000000000002");
  CHECK(scrub("GPU-11111111-2222-3333-4444-555555555555 02:42:ac:11:00:02") ==
        "GPU-00000000-0000-4000-8000-000000000001 02:00:00:00:00:03");
  CHECK(scrub("0000:65:00.0 00000000,000000ff 12:00:00") ==
        "0000:65:00.0 00000000,000000ff 12:00:00");
}

TEST_CASE("what was read through links is recorded with the links", "[hardware]") {
  MachineTree tree;
  tree.file("/sys/devices/pci0000:00/0000:00:02.0/vendor", "0x8086\n")
      .link("/sys/bus/pci/devices/0000:00:02.0", "../../../devices/pci0000:00/0000:00:02.0")
      .link("/latest", "/sys/bus/pci");
  const auto files = tree.files();
  const RecordingReader recorder(*files);
  CHECK(recorder.try_read("/latest/devices/0000:00:02.0/vendor") == "0x8086");
  CHECK_FALSE(recorder.try_read("/latest/gone"));
  CHECK(recorder.tree().at("/latest").content == "sys/bus/pci");
  const TreeReader reader(recorder.tree());
  CHECK(reader.try_read("/latest/devices/0000:00:02.0/vendor") == "0x8086");
  CHECK(reader.list_directory("/sys/devices") == std::vector<std::string>{"pci0000:00"});
  CHECK_FALSE(reader.exists("/sys/class"));
  CHECK_THROWS_AS(reader.list_directory("/sys/class"), Error);
}

TEST_CASE("links in circles end the reading, not the program", "[hardware]") {
  const TreeReader reader({{"/a", {CaptureEntry::Kind::Symlink, "a", "b"}},
                           {"/b", {CaptureEntry::Kind::Symlink, "b", "a"}}});
  CHECK_FALSE(reader.try_read("/a/x"));
  CHECK_FALSE(reader.exists("/a/x"));
}

TEST_CASE("damaged facts of a capture are refused", "[hardware]") {
  for (const char* text :
       {"", "[]", "{\"os\": 3}", "{\"gpus\": {\"value\": 3}}", "{\"nothing\": {}}"}) {
    CAPTURE(text);
    HardwareProfile profile;
    CHECK_THROWS_AS(add_captured_facts(text, profile), Error);
  }
}

TEST_CASE("a sysroot that is no folder is refused, and so are damaged facts in one", "[hardware]") {
  MachineTree tree;
  tree.file("/las-capture/facts.json", "{");
  CHECK_THROWS_AS(probe_again({}, tree.root()), Error);
  CHECK_THROWS_AS(probe_again({}, tree.at("/gone")), Error);
  CHECK_THROWS_AS(probe_again({}, tree.at("/las-capture/facts.json")), Error);
}

TEST_CASE("what only the driver told of a GPU is kept, but not its UUID", "[hardware]") {
  HardwareProfile replayed, real;
  Gpu gpu;
  gpu.pci_address = known(std::string("0000:65:00.0"), "/sys/bus/pci/devices");
  replayed.gpus = known(std::vector<Gpu>{gpu}, "/sys/bus/pci/devices");
  gpu.vram = known(ByteSize::gib(24), "NVML");
  gpu.uuid = known(std::string("GPU-1"), "NVML");
  real.gpus = known(std::vector<Gpu>{gpu}, "/sys/bus/pci/devices");
  const std::string facts = missing_facts(real, replayed);
  CHECK(facts.find("GPU-1") == std::string::npos);
  add_captured_facts(facts, replayed);
  CHECK(replayed.gpus.value->at(0).vram == known(ByteSize::gib(24), "NVML"));
  CHECK_FALSE(replayed.gpus.value->at(0).uuid.is_known());
}
