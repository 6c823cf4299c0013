// SPDX-License-Identifier: Apache-2.0
#include "tools.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"

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
