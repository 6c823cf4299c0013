// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "unit/resolve/builders.hpp"

using las::Version;
using las::hardware::Fact;
using las::resolve::judge_tool;
using State = las::resolve::ToolNeed::State;

namespace {

las::hardware::HardwareProfile machine() {
  auto profile = builders::machine();
  profile.os.id = Fact<std::string>::known("debian", "test");
  profile.tools.podman = Fact<Version>::known(Version("4.3.1+ds1-8+deb12u1"), "test");
  profile.tools.docker = Fact<Version>::missing("there is no docker in PATH");
  return profile;
}

}  // namespace

TEST_CASE("a tool's version is compared however the need is spelled", "[resolve]") {
  for (const char* text : {"podman", "podman>=4.1", "podman >= 4.1", "podman@>=4.1,<5", " Podman "})
    CHECK(judge_tool(text, machine()).state == State::Met);
  const auto need = judge_tool("podman>=5,<6", machine());
  CHECK(need.state == State::Unmet);
  CHECK(need.clause == "needs podman >= 5, < 6; this machine has 4.3.1+ds1-8+deb12u1");
  CHECK(need.remedy.empty());
}

TEST_CASE("a tool that is not there is told with how the distribution gives it", "[resolve]") {
  auto profile = machine();
  CHECK(judge_tool("docker", profile).clause ==
        "needs docker; none was found: there is no docker in PATH");
  CHECK(judge_tool("docker", profile).remedy == "sudo apt install docker.io");
  profile.os.id = Fact<std::string>::known("fedora", "test");
  CHECK(judge_tool("docker", profile).remedy.empty());
  profile.os.id = Fact<std::string>::missing("no os-release");
  CHECK(judge_tool("docker", profile).remedy.empty());
}

TEST_CASE("what las knows no fact about, or cannot read, is not judged", "[resolve]") {
  CHECK(judge_tool("abacus>=2", machine()).state == State::NoFact);
  CHECK(judge_tool("abacus>=2", machine()).name == "abacus");
  const auto prose = judge_tool("Python 3.10 or newer", machine());
  CHECK(prose.state == State::NoFact);
  CHECK(prose.name == "Python 3.10 or newer");
  CHECK(judge_tool("", machine()).state == State::NoFact);
}
