// SPDX-License-Identifier: Apache-2.0
#include "tools.hpp"

#include "cdi.hpp"
#include "packages.hpp"
#include "rootless.hpp"
#include "support/catch.hpp"
#include "toolkits.hpp"
#include "tree.hpp"

using namespace las;
using namespace las::hardware;
using namespace las::hardware::test;

namespace {

Tools ask(StandInPrograms& programs, const Cancellation& cancellation = {}) {
  NullReporter reporter;
  Tools tools;
  read_tools(*fixture_files("reconstruction-of-rtx-4090-desktop"),
             {},
             programs,
             nullptr,
             {reporter, cancellation},
             tools);
  return tools;
}

}  // namespace

TEST_CASE("versions come from the programs themselves, each within three seconds", "[hardware]") {
  StandInPrograms programs;
  programs.programs = {{"systemctl", {0, "systemd 255 (255.4-1ubuntu8.6)\n+PAM +AUDIT\n"}},
                       {"podman", {0, "podman version 4.9.3\n"}},
                       {"docker", {0, "Docker version 27.3.1, build ce12230\n"}},
                       {"python3", {0, "Python 3.12.3\n"}}};
  const Tools tools = ask(programs);
  CHECK(tools.systemd_running == known(true, "/run/systemd/system"));
  CHECK(tools.systemd == known(Version("255"), "systemctl --version"));
  CHECK(tools.podman == known(Version("4.9.3"), "podman --version"));
  CHECK(tools.docker == known(Version("27.3.1"), "docker --version"));
  CHECK(tools.python == known(Version("3.12.3"), "python3 --version"));
  CHECK(programs.log == std::vector<std::string>{"systemctl --version within 3000 ms",
                                                 "podman --version within 3000 ms",
                                                 "docker --version within 3000 ms",
                                                 "python3 --version within 3000 ms"});
}

TEST_CASE("a program that is absent, fails, hangs or babbles leaves its version unknown",
          "[hardware]") {
  StandInPrograms programs;
  programs.programs = {{"podman", {125, ""}}, {"docker", {0, "", true}}, {"python3", {0, "hello"}}};
  const Tools tools = ask(programs);
  CHECK(tools.systemd.unknown == "there is no systemctl in PATH");
  CHECK(tools.podman.unknown == "podman --version failed with status 125");
  CHECK(tools.docker.unknown == "the program took too long: docker");
  CHECK(tools.python.unknown == "python3 --version names no version");
}

TEST_CASE("programs of the distribution are not started to learn their version", "[hardware]") {
  MachineTree tree;
  tree.file("/var/lib/dpkg/status",
            "Package: podman\nStatus: install ok installed\nVersion: 4.3.1+ds1-8+b2\n\n"
            "Package: systemd\nStatus: install ok installed\nVersion: 252.39-1~deb12u2\n\n"
            "Package: docker.io\nStatus: deinstall ok config-files\nVersion: 20.10.24+dfsg1-1\n\n");
  StandInPrograms programs;
  programs.programs = {
      {"systemctl", {}}, {"podman", {}}, {"docker", {0, "Docker version 27.3.1,"}}};
  NullReporter reporter;
  const Cancellation cancellation;
  Tools tools;
  read_tools(*tree.files(), {}, programs, nullptr, {reporter, cancellation}, tools);
  CHECK(tools.podman == known(Version("4.3.1"), "/var/lib/dpkg/status"));
  CHECK(tools.systemd == known(Version("252.39"), "/var/lib/dpkg/status"));
  CHECK(tools.docker == known(Version("27.3.1"), "docker --version"));
  CHECK(programs.log == std::vector<std::string>{"docker --version within 3000 ms"});
}

TEST_CASE("programs of the machine go before those in a user's own folders", "[hardware]") {
  StandInPrograms programs;
  NullReporter reporter;
  const Cancellation cancellation;
  platform::Environment environment;
  environment.variables["PATH"] = "/home/alice/bin:/usr/bin";
  Tools tools;
  read_tools(
      *MachineTree().files(), environment, programs, nullptr, {reporter, cancellation}, tools);
  CHECK(programs.searched == "/usr/local/bin:/usr/bin:/bin:/home/alice/bin:/usr/bin");
}

TEST_CASE("a large program that did not change is not asked twice, a script always", "[hardware]") {
  const las::test::TempDirectory folder;
  const auto write = [&](const std::string& name, std::size_t size) {
    std::ofstream(folder.path() / name) << std::string(size, 'x');
  };
  write("docker", (1U << 20) + 1);
  write("podman", 100);

  /// A stand-in whose programs are the files above.
  struct Programs : StandInPrograms {
    std::filesystem::path folder;

    std::optional<std::filesystem::path> find_program(std::string_view program,
                                                      std::string_view) const override {
      if (!programs.contains(std::string(program)))
        return std::nullopt;
      return folder / program;
    }
  } programs;

  programs.folder = folder.path();
  programs.programs = {{"docker", {0, "Docker version 27.3.1,"}}, {"podman", {0, "podman 4.9.3"}}};
  NullReporter reporter;
  const Cancellation cancellation;
  const auto files = platform::make_posix_file_system();
  ProgramVersions known_versions;
  const auto look = [&] {
    programs.log.clear();
    Tools tools;
    read_tools(*files, {}, programs, &known_versions, {reporter, cancellation}, tools);
    CHECK(tools.docker.value == Version("27.3.1"));
    CHECK(tools.podman.value == Version("4.9.3"));
    return programs.log.size();
  };
  CHECK(look() == 2);
  CHECK(known_versions.changed);
  CHECK(known_versions.versions.size() == 1);
  CHECK(look() == 1);
  write("docker", (1U << 20) + 2);
  CHECK(look() == 2);
}

TEST_CASE("a package counts only when it is installed, under its whole name", "[hardware]") {
  const std::string status =
      "Package: docker-ce-cli-extra\nStatus: install ok installed\nVersion: 1\n\n"
      "Package: docker-ce-cli\nStatus: install ok installed\nVersion: 5:27.3.1-1~debian.12\n"
      "Description: x\n Package: inner\n";
  CHECK(installed_package(status, "docker-ce-cli")->text() == "27.3.1");
  CHECK_FALSE(installed_package(status, "docker-ce"));
  CHECK_FALSE(installed_package(status, "inner"));
  CHECK_FALSE(installed_package("Package: a\n", "a"));
  CHECK_FALSE(installed_package("", "a"));
}

TEST_CASE("subordinate ids are summed for a user by name or number", "[hardware]") {
  const std::string text = "root:1:1\nalice:100000:65536\n1000:300000:10\nbad\nalice:x:5\n";
  CHECK(count_subordinate_ids(text, "alice", 1000) == 65546u);
  CHECK(count_subordinate_ids(text, "bob", 1001) == 0u);
  CHECK(count_subordinate_ids("a:1:18446744073709551615\na:1:99999999999\n", "a", 7) == 0u);
}

TEST_CASE("podman runs without root where namespaces, helpers and ids are there", "[hardware]") {
  const auto ask_podman =
      [](MachineTree& tree, const StandInPrograms& programs, std::uint32_t uid) {
        platform::Environment environment;
        environment.user = "alice";
        environment.uid = uid;
        return read_podman_rootless(*tree.files(), environment, programs);
      };
  MachineTree tree;
  tree.file("/etc/subuid", "alice:100000:65536\n").file("/etc/subgid", "alice:100000:65536\n");
  StandInPrograms helpers;
  helpers.programs = {{"newuidmap", {}}, {"newgidmap", {}}};
  CHECK(ask_podman(tree, helpers, 1000) == known(true, "/etc/subuid, /etc/subgid"));
  CHECK(ask_podman(tree, StandInPrograms(), 1000) == known(false, "newuidmap"));
  CHECK_FALSE(ask_podman(tree, helpers, 0).is_known());
  tree.file("/etc/subgid", "alice:100000:1000\n");
  CHECK(ask_podman(tree, helpers, 1000) == known(false, "/etc/subgid"));
  tree.file("/proc/sys/user/max_user_namespaces", "0\n");
  CHECK(ask_podman(tree, helpers, 1000) == known(false, "/proc/sys/user/max_user_namespaces"));
}

TEST_CASE("sockets tell of a user manager and of a docker of one's own", "[hardware]") {
  MachineTree tree;
  platform::Environment environment;
  environment.uid = 1000;
  CHECK(read_systemd_user(*tree.files(), environment) ==
        known(false, "/run/user/1000/systemd/private"));
  tree.file("/run/user/1000/systemd/private", "").file("/run/user/1000/docker.sock", "");
  CHECK(read_systemd_user(*tree.files(), environment).value == true);
  CHECK(read_docker_rootless(*tree.files(), environment) ==
        known(true, "/run/user/1000/docker.sock"));
  environment.uid = 0;
  CHECK_FALSE(read_docker_rootless(*tree.files(), environment).is_known());
}

TEST_CASE("CDI specifications are listed with their version, JSON or YAML", "[hardware]") {
  MachineTree tree;
  tree.file("/etc/cdi/nvidia.yaml",
            "---\ncdiVersion: 0.5.0\nkind: \"nvidia.com/gpu\"\ncontainerEdits:\n"
            "  kind: wrong/one\n")
      .file("/etc/cdi/broken.json", "{\"kind\": \"amd.com/gpu\"")
      .file("/etc/cdi/notes.txt", "kind: a/b\ncdiVersion: 1\n")
      .file("/run/cdi/amd.json", R"({"cdiVersion": "0.6.0", "kind": "amd.com/gpu"})")
      .link("/var/run", "../run");
  CHECK(read_cdi_specs(*tree.files()) ==
        known(std::vector<std::string>{"amd.com/gpu 0.6.0", "nvidia.com/gpu 0.5.0"},
              "/etc/cdi, /var/run/cdi"));
  CHECK(read_cdi_specs(*MachineTree().files()).value == std::vector<std::string>{});
  CHECK_FALSE(parse_cdi_yaml("kind: nvidia.com/gpu\n"));
  CHECK_FALSE(parse_cdi_yaml("kind: no class\ncdiVersion: 0.5.0\n"));
  CHECK_FALSE(parse_cdi_json("[1]"));
  CHECK_FALSE(parse_cdi_json(R"({"cdiVersion": 1, "kind": "a/b"})"));
}

TEST_CASE("toolkits tell their version on disk: the usual one, or else the newest", "[hardware]") {
  MachineTree tree;
  CHECK(read_cuda_toolkit(*tree.files()).unknown == "there is no CUDA toolkit in /usr/local");
  tree.file("/usr/local/cuda-8.0/include/cuda.h",
            "#ifndef X\n#define CUDA_VERSION 8000 /* 8.0 */\n");
  CHECK(read_cuda_toolkit(*tree.files()) ==
        known(Version("8.0"), "/usr/local/cuda-8.0/include/cuda.h"));
  tree.file("/usr/local/cuda-9.2/version.txt", "CUDA Version 9.2.148\n")
      .file("/usr/local/cuda-12.4/version.json",
            R"({"cuda": {"name": "CUDA SDK", "version": "12.4.1"}})")
      .file("/usr/local/cuda-13.0/version.json", "{\"cuda\": []}")
      .file("/opt/rocm-6.2.0/.info/version", "6.2.0-66\n")
      .file("/opt/rocm-7.0.1/.info/version", "7.0.1-38\n");
  CHECK(read_cuda_toolkit(*tree.files()) ==
        known(Version("12.4.1"), "/usr/local/cuda-12.4/version.json"));
  CHECK(read_rocm(*tree.files()) == known(Version("7.0.1"), "/opt/rocm-7.0.1/.info/version"));
  tree.link("/usr/local/cuda", "cuda-9.2").link("/opt/rocm", "rocm-6.2.0");
  CHECK(read_cuda_toolkit(*tree.files()).value == Version("9.2.148"));
  CHECK(read_rocm(*tree.files()).value == Version("6.2.0"));
}
