// SPDX-License-Identifier: Apache-2.0
#include "las/service/cdi.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

using namespace las;
using namespace las::service;

namespace {

struct Machine {
  test::TempDirectory root;

  std::vector<CdiDevice> devices() const {
    return cdi_devices(*platform::make_sysroot_reader(root.path()));
  }
};

constexpr const char* kYaml = R"(cdiVersion: "0.5.0"
kind: nvidia.com/gpu
devices:
- name: "0"
  containerEdits: {deviceNodes: [{path: /dev/nvidia0}]}
- name: GPU-1d6a8b0c
  containerEdits: {deviceNodes: [{path: /dev/nvidia0}]}
- name: all
  containerEdits: {}
containerEdits: {hooks: []}
)";

CdiDevice of_version(const std::string& version) {
  return {"nvidia.com/gpu=0", Version(version), "/etc/cdi/nvidia.yaml"};
}

}  // namespace

TEST_CASE("the devices of a specification have the names that engines take", "[service]") {
  Machine machine;
  machine.root.write("etc/cdi/nvidia.yaml", kYaml);
  machine.root.write(
      "var/run/cdi/amd.json",
      R"({"cdiVersion": "0.6.0", "kind": "amd.com/gpu", "devices": [{"name": "0"}]})");
  machine.root.write("etc/cdi/README", "kind: x/y\ncdiVersion: 1\ndevices: [{name: z}]\n");
  const auto devices = machine.devices();
  REQUIRE(devices.size() == 4);
  CHECK(devices[0].name == "amd.com/gpu=0");
  CHECK(devices[0].version == Version("0.6.0"));
  CHECK(devices[1].name == "nvidia.com/gpu=0");
  CHECK(devices[2].name == "nvidia.com/gpu=GPU-1d6a8b0c");
  CHECK(devices[2].file == "/etc/cdi/nvidia.yaml");
  CHECK(devices[3].name == "nvidia.com/gpu=all");
}

TEST_CASE("what was made at this boot stands before what lies in /etc", "[service]") {
  Machine machine;
  machine.root.write("etc/cdi/nvidia.yaml", kYaml);
  machine.root.write("var/run/cdi/nvidia.yaml",
                     "cdiVersion: 0.7.0\nkind: nvidia.com/gpu\ndevices: [{name: '0'}]\n");
  const auto devices = machine.devices();
  REQUIRE(devices.size() == 3);
  CHECK(devices[0].version == Version("0.7.0"));
  CHECK(devices[1].version == Version("0.5.0"));
}

TEST_CASE("a damaged specification offers nothing and hides no other", "[service]") {
  Machine machine;
  machine.root.write("etc/cdi/broken.yaml", "cdiVersion: [\n");
  machine.root.write("etc/cdi/list.yaml", "- a\n- b\n");
  machine.root.write("etc/cdi/nameless.yaml", "kind: a.b/c\ncdiVersion: 0.5.0\ndevices: [{}]\n");
  machine.root.write("etc/cdi/nvidia.yaml", kYaml);
  CHECK(machine.devices().size() == 3);
  CHECK(Machine{}.devices().empty());
}

TEST_CASE("an engine reads the formats that it was made for", "[service]") {
  const auto obstacle = [](const char* engine, const char* version, const char* format) {
    return cdi_obstacle(engine, Version(version), of_version(format));
  };
  CHECK(obstacle("podman", "3.4.4", "0.3.0") == "podman 3.4.4 knows no CDI devices: it needs 4.1");
  CHECK(obstacle("podman", "4.3.1", "0.5.0").empty());
  CHECK(obstacle("podman", "4.3.1", "0.6.0") ==
        "/etc/cdi/nvidia.yaml is of version 0.6.0, and podman 4.3.1 reads at most 0.5.0");
  CHECK(obstacle("podman", "4.9.3", "0.6.0").empty());
  CHECK_FALSE(obstacle("podman", "4.9.3", "0.7.0").empty());
  CHECK(obstacle("podman", "5.4.2", "0.7.0").empty());
  CHECK_FALSE(obstacle("docker", "20.10.24", "0.3.0").empty());
  CHECK_FALSE(obstacle("docker", "25.0.0", "0.7.0").empty());
  CHECK(obstacle("docker", "26.1.0", "0.7.0").empty());
  CHECK(obstacle("another", "1", "9").empty());
}
