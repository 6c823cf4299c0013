// SPDX-License-Identifier: Apache-2.0
#include "golden.hpp"
#include "instances.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "unit_file.hpp"

#include <array>

using namespace las;
using namespace las::service;
using Units = std::map<std::string, std::string>;

namespace {

/// Compares each unit with the golden file of its own name.
void check_units(const Units& units, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const auto& [name, text] : units) {
    found.push_back(name);
    check_golden("units/" + name, text);
    CHECK(is_generated(text));
  }
  CHECK(found == names);
}

bool has_line(const std::string& unit, const std::string& line) {
  return ("\n" + unit).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a unit that prepares, has secrets and limits is what its golden file says",
          "[service]") {
  check_golden("units/prepared.service", render_unit(prepared_service()));
}

TEST_CASE("a unit that starts on demand is what its golden file says", "[service]") {
  check_golden("units/on-demand.service", render_unit(on_demand_service()));
  check_golden("units/user-on-demand.service", render_unit(user_on_demand_service()));
}

TEST_CASE("a service with a health check has a timer and the look that it triggers", "[service]") {
  check_units(render_more_units(prepared_service()),
              {"las-health@db.service", "las-health@db.timer"});
}

TEST_CASE("the look at a service leaves homes open only where las lies in one", "[service]") {
  auto input = prepared_service();
  const auto look = [&] { return render_more_units(input).at("las-health@db.service"); };
  CHECK(has_line(look(), "ProtectHome=yes"));
  input.las_program = "/home/ada/build/las";
  CHECK(has_line(look(), "ProtectHome=read-only"));
  CHECK_FALSE(has_line(look(), "ProtectHome=yes"));
  input.las_program = "/homes/las";
  CHECK(has_line(look(), "ProtectHome=yes"));
  input.state_directory = "/root/../root/las";
  CHECK(has_line(look(), "ProtectHome=read-only"));
}

TEST_CASE("a service on demand has a socket and what goes between it and the service",
          "[service]") {
  check_units(render_more_units(on_demand_service()),
              {"las-gate@lazy.service",
               "las-health@lazy.service",
               "las-health@lazy.timer",
               "las-lazy.socket",
               "las-proxy@lazy.service"});
}

TEST_CASE("the units of a user's service on demand are the user manager's", "[service]") {
  check_units(render_more_units(user_on_demand_service()),
              {"las-gate@lazy\\x2b\\x2b.service",
               "las-health@lazy\\x2b\\x2b.service",
               "las-health@lazy\\x2b\\x2b.timer",
               "las-lazy\\x2b\\x2b.socket",
               "las-proxy@lazy\\x2b\\x2b.service"});
}

TEST_CASE("nobody looks at a service without a health check, or without a las to do it",
          "[service]") {
  auto input = prepared_service();
  for (const char* kind : {"none", ""}) {
    input.instance.health_kind = kind;
    CHECK(render_more_units(input).empty());
    CHECK_FALSE(has_line(render_unit(input), "Wants=las-health@db.timer"));
  }
  input = prepared_service();
  CHECK(has_line(render_unit(input), "Wants=las-health@db.timer"));
  input.las_program.clear();
  CHECK(render_more_units(input).empty());
  CHECK_FALSE(has_line(render_unit(input), "Wants=las-health@db.timer"));
}

TEST_CASE("where nobody looks at it a service on demand is ready when it is begun", "[service]") {
  auto input = on_demand_service();
  CHECK(render_unit(input).find("las health --wait") != std::string::npos);
  input.instance.health_kind = "none";
  CHECK(render_unit(input).find("las health --wait") == std::string::npos);
  CHECK(render_more_units(input).size() == 3);
}

TEST_CASE("the proxy is begun with the service, and the gate tells it when both are there",
          "[service]") {
  const auto units = render_more_units(on_demand_service());
  const std::string& proxy = units.at("las-proxy@lazy.service");
  CHECK(has_line(proxy, "Wants=las-lazy.service las-gate@lazy.service"));
  CHECK(has_line(proxy, "After=las-lazy.socket"));
  const std::string& gate = units.at("las-gate@lazy.service");
  CHECK(has_line(gate, "After=las-lazy.service las-proxy@lazy.service"));
  // One path to the FIFO, as the unit that makes it has it and as the two others do.
  CHECK(has_line(proxy, "RuntimeDirectory=las-lazy-proxy"));
  CHECK(proxy.find(R"(mkfifo -m 644 \"$$RUNTIME_DIRECTORY/verdict\")") != std::string::npos);
  CHECK(gate.find(" %t/las-lazy-proxy/verdict\n") != std::string::npos);
  CHECK(render_unit(on_demand_service()).find(" %t/las-lazy-proxy/verdict\n") != std::string::npos);
}

TEST_CASE("a service on demand is installed by its socket alone", "[service]") {
  const auto input = on_demand_service();
  CHECK(render_unit(input).find("[Install]") == std::string::npos);
  CHECK(has_line(render_more_units(input).at("las-lazy.socket"), "WantedBy=sockets.target"));
}

TEST_CASE("the socket listens where the service is to be reached", "[service]") {
  auto input = on_demand_service();
  input.instance.host = "0.0.0.0";
  CHECK(has_line(render_more_units(input).at("las-lazy.socket"), "ListenStream=0.0.0.0:18080"));
  input.instance.host = "::1";
  CHECK(has_line(render_more_units(input).at("las-lazy.socket"), "ListenStream=[::1]:18080"));
}

TEST_CASE("a socket that only this machine may reach lets nobody else in", "[service]") {
  for (const auto& [name, text] : render_more_units(on_demand_service())) {
    INFO(name);
    if (name == "las-proxy@lazy.service")
      CHECK(has_line(text, "IPAddressDeny=any\nIPAddressAllow=localhost"));
  }
}

TEST_CASE("limits that were not set are not written", "[service]") {
  auto input = prepared_service();
  input.instance.limits = {};
  const std::string unit = render_unit(input);
  for (const char* directive : {"MemoryMax", "CPUQuota", "AllowedCPUs", "IOWeight"})
    CHECK(unit.find(directive) == std::string::npos);
  CHECK(unit.find("TasksMax=512") == std::string::npos);
}

TEST_CASE("a list of cores cannot break out of its line", "[service]") {
  auto input = prepared_service();
  for (const char* cpus : {"0\nExecStartPre=+/bin/evil", "0\r", "0 \\"}) {
    input.instance.limits.cpus = cpus;
    const auto error = test::error_of([&] { return render_unit(input); });
    INFO(cpus);
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::InvalidData);
  }
}

TEST_CASE("the words of a preparation cannot break out of their line", "[service]") {
  auto input = prepared_service();
  input.instance.prepare = {{"/var/lib/las/data/db/a\nUser=root", {"/bin/true"}}};
  CHECK_THROWS_WITH(render_unit(input), "a line break or null byte cannot stand in a unit file");
  input.instance.prepare = {{"/var/lib/las/data/db/a", {"/bin/true", "\nUser=root"}}};
  CHECK_THROWS_WITH(render_unit(input), "a line break or null byte cannot stand in a unit file");
}

TEST_CASE("a user's service reads its secrets itself", "[service]") {
  auto input = prepared_service();
  CHECK(has_line(render_unit(input), "LoadCredential=password:/var/lib/las/secrets/db/password"));
  CHECK(render_unit(user_on_demand_service()).find("LoadCredential") == std::string::npos);
}

TEST_CASE("a container's unit speaks to its engine as its golden file says", "[service]") {
  for (const char* engine : {"podman", "docker"})
    check_golden(fmt::format("units/{}.service", engine), render_unit(contained_service(engine)));
}

TEST_CASE("who makes a container, or joins it, may give it what its manifest gives", "[service]") {
  auto input = contained_service("podman");
  input.las_program = "/usr/bin/las";
  input.instance.health_kind = "exec";
  constexpr const char* kGiven = "CapabilityBoundingSet=CAP_IPC_LOCK CAP_SYS_NICE";
  const auto units = [&] {
    return std::array{
        render_unit(input),
        render_more_units(input).at(unit_name(input.instance.id, UnitKind::HealthCheck))};
  };
  for (const std::string& text : units())
    CHECK_FALSE(has_line(text, kGiven));
  input.instance.container->options = {
      "--cap-drop=all", "--cap-add=CAP_IPC_LOCK", "--cap-add=CAP_SYS_NICE"};
  for (const std::string& text : units())
    CHECK(has_line(text, kGiven));
}

TEST_CASE("nothing shuts devices to a container whose group lies below its unit's", "[service]") {
  auto input = contained_service("docker");
  input.instance.container->cgroup_driver = "cgroupfs";
  for (const char* shuts : {"PrivateDevices=", "ProtectClock=", "DevicePolicy=", "DeviceAllow="})
    CHECK(render_unit(input).find(shuts) == std::string::npos);
}

TEST_CASE("limits and walls of what a daemon runs are those of its slice", "[service]") {
  CHECK_FALSE(render_more_units(contained_service("podman"))
                  .contains(unit_name("my-cache", UnitKind::Slice)));
  check_units(
      render_more_units(contained_service("docker")),
      {"las-health@my-cache.service", "las-health@my-cache.timer", "las-my\\x2dcache.slice"});

  auto input = contained_service("docker");
  const auto slice = [&] {
    return render_more_units(input).at(unit_name("my-cache", UnitKind::Slice));
  };
  input.instance.container->network = "10.1.0.0/24 10.2.0.0/24";
  CHECK(has_line(slice(), "IPAddressAllow=localhost 10.1.0.0/24 10.2.0.0/24"));
  input.instance.network = "lan";
  input.instance.host = "0.0.0.0";
  CHECK(has_line(slice(), "IPAddressDeny=any"));
  CHECK(slice().find("IPAddressAllow=localhost link-local 10.0.0.0/8") != std::string::npos);
  input.instance.network = "public";
  CHECK(slice().find("IPAddress") == std::string::npos);
}

TEST_CASE("looks at a container, and connections to it, get through to the engine's network",
          "[service]") {
  const auto units = [](bool contained, const std::string& health, const char* user = "") {
    auto input = on_demand_service();
    input.las_program = "/usr/bin/las";
    input.instance.health_kind = health;
    if (contained)
      input.instance.container =
          state::ContainerRun{"podman", "image@sha256:1", {}, {}, {}, {}, user};
    return render_more_units(input);
  };
  constexpr const char* kHere = "IPAddressAllow=localhost";
  constexpr const char* kContainers = "IPAddressAllow=localhost 10.88.0.0/16";
  constexpr const char* kJoin = "CAP_SETGID CAP_SETPCAP CAP_SYS_CHROOT CAP_SYS_ADMIN";
  for (const auto kind : {UnitKind::HealthCheck, UnitKind::Proxy}) {
    const std::string name = unit_name(on_demand_service().instance.id, kind);
    CHECK(has_line(units(false, "http").at(name), kHere));
    CHECK(has_line(units(true, "http").at(name), kContainers));
  }
  const std::string check = unit_name(on_demand_service().instance.id, UnitKind::HealthCheck);
  CHECK(units(true, "http").at(check).find(kJoin) == std::string::npos);
  CHECK(units(false, "exec").at(check).find(kJoin) == std::string::npos);
  CHECK(units(true, "exec").at(check).find(kJoin) != std::string::npos);
  CHECK(has_line(units(true, "exec").at(check), "ProtectControlGroups=no"));
  // As found by trying: crun says whom it may not signal, or become.
  CHECK(units(true, "exec", "redis").at(check).find("CAP_SETUID CAP_KILL") != std::string::npos);
  CHECK(units(true, "exec").at(check).find("CAP_SETUID") == std::string::npos);
}
