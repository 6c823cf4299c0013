// SPDX-License-Identifier: Apache-2.0
#include "on_demand_units.hpp"

#include "sandbox.hpp"
#include "unit_parts.hpp"

#include "las/base/printable.hpp"

#include <fmt/format.h>

namespace las::service {

using platform::Scope;

namespace {

/// Below the folder of runtime directories: of the proxy of a service on demand.
std::string proxy_directory(const state::ServiceInstance& instance) {
  return container_name(instance.id) + "-proxy";
}

// The FIFO of a proxy that waits, and what it reads there when it may begin. No FIFO: it was told.
constexpr std::string_view kVerdict = "verdict", kReady = "ready";

/// The FIFO as a word of a command line of any unit.
std::string verdict_word(const state::ServiceInstance& instance) {
  return fmt::format("%t/{}/{}", proxy_directory(instance), kVerdict);
}

std::string listen_address(const state::ServiceInstance& instance) {
  const bool is_ipv6 = instance.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(is_ipv6 ? "[{}]:{}" : "{}:{}"), instance.host, instance.port);
}

UnitInput with_proxy_walls(const UnitInput& input) {
  UnitInput walls = input;
  walls.needs_open.clear();
  walls.readable.clear();
  return walls;
}

}  // namespace

void add_readiness(UnitSection& section, const UnitInput& input) {
  const std::string& id = input.instance.id;
  const bool is_system = input.scope == Scope::System;
  // Whoever waits behind the socket is let through once the service is ready, not when it is begun.
  // One shell waits and tells it: each process that systemd begins costs some 20 ms, to move it
  // into the unit's control group. Where the proxy does not read yet the word gets lost, and the
  // gate tells it.
  std::string tell = fmt::format(R"([ ! -p "$0" ] || echo {} 1<>"$0")", kReady);
  std::string waits;
  if (is_looked_at(input) && !input.instance.notifies) {
    tell = R"("$@" || exit; )" + tell;
    waits = " " + las_command(input, {"health", "--wait", "--quiet", id});
  }
  section.add("ExecStartPost",
              fmt::format("{}/bin/sh -c {} {}{}",
                          is_system ? "+" : "",
                          escape_exec_word(tell),
                          verdict_word(input.instance),
                          waits));
  // After a crash the proxy is begun anew, and the service with it; while the proxy still waits for
  // the service, this does nothing.
  const std::string again = fmt::format("systemctl {}--no-block try-restart {}",
                                        is_system ? "" : "--user ",
                                        text::shell_word(unit_name(id, UnitKind::Proxy)));
  section.add("ExecStopPost",
              fmt::format("{}/bin/sh -c {} {}",
                          is_system ? "+" : "",
                          escape_exec_word(fmt::format(
                              R"([ "$SERVICE_RESULT" = success ] || [ -p "$0" ] || {})", again)),
                          verdict_word(input.instance)));
}

std::string render_socket(const UnitInput& input) {
  UnitFile unit = begin_unit(input, UnitKind::Socket);
  unit.section("Unit").add("Description", described(input, "its port"));
  UnitSection& section = unit.section("Socket");
  section.add("ListenStream", listen_address(input.instance))
      .add("Service", unit_name(input.instance.id, UnitKind::Proxy))
      .add("NoDelay", "yes");
  add_network_walls(section, input);
  unit.section("Install").add("WantedBy", "sockets.target");
  return unit.render();
}

// Walls take systemd some 50 ms to build, so that the proxy is begun together with the service,
// not After= it, and waits at a FIFO for what the gate says.
//
// Wants= and not Requires=: where the service cannot start, the proxy takes the connection all the
// same, and closes it. Left in the socket's queue it would trigger the socket again and again,
// until that fails for good. Not Type=notify: systemd 252's proxy never says that it is ready.
std::string render_proxy(const UnitInput& input) {
  constexpr int kConnections = 2048;
  // Two sockets and two pipes for each connection.
  constexpr int kFilesPerConnection = 6, kSpareFiles = 64;
  const std::string service = unit_name(input.instance.id);
  const std::string socket = unit_name(input.instance.id, UnitKind::Socket);
  UnitFile unit = begin_unit(input, UnitKind::Proxy);
  unit.section("Unit")
      .add("Description", described(input, "connections to it"))
      .add("Wants", fmt::format("{} {}", service, unit_name(input.instance.id, UnitKind::Gate)))
      .add("StopPropagatedFrom", service)
      .add("Requires", socket)
      .add("After", socket)
      .add("StartLimitIntervalSec", "0");
  UnitSection& section = unit.section("Service");
  // Where the service did not start, the proxy only closes what waits, and ends: it is the next
  // start of the proxy that tries the service again.
  constexpr int kRefusingSeconds = 2, kEndedByTimeout = 124;
  const bool is_system = input.scope == Scope::System;
  const std::string address = fmt::format("127.0.0.1:{}", input.instance.on_demand->inner_port);
  // Whoever opens the FIFO and ends before he writes has said nothing. `timeout` starts another
  // process than the one that systemd gave the socket to.
  const std::string serve =
      fmt::format(R"(verdict="$RUNTIME_DIRECTORY/{}"; )"
                  R"(until read word < "$verdict" || [ ! -p "$verdict" ]; do :; done; )"
                  R"(rm -f "$verdict"; )"
                  R"(proxy="/lib/systemd/systemd-socket-proxyd --connections-max={}"; )"
                  R"(if [ "$word" = {} ]; )"
                  R"(then exec $proxy --exit-idle-time={}s {}; )"
                  R"(else exec timeout {} /bin/sh -c "LISTEN_PID=\$\$ exec $proxy {}"; fi)",
                  kVerdict,
                  kConnections,
                  kReady,
                  input.instance.on_demand->idle_s,
                  address,
                  kRefusingSeconds,
                  address);
  // It is there before the proxy counts as begun, which the gate waits for.
  const std::string make = fmt::format(R"(mkfifo -m 644 "$RUNTIME_DIRECTORY/{}")", kVerdict);
  section.add("Type", "exec")
      .add("RuntimeDirectory", proxy_directory(input.instance))
      .add("ExecStartPre",
           fmt::format("{}/bin/sh -c {}", is_system ? "+" : "", escape_exec_word(make)))
      .add("ExecStart", fmt::format("/bin/sh -c {}", escape_exec_word(serve)))
      .add("SuccessExitStatus", std::to_string(kEndedByTimeout));
  if (is_system)
    section.add("DynamicUser", "yes");
  UnitInput walls = with_proxy_walls(input);
  walls.needs_open = {
      {"LimitNOFILE",
       fmt::format("{}  # sockets and pipes", kConnections * kFilesPerConnection + kSpareFiles)}};
  add_sandbox(section, walls);
  return unit.render();
}

// It asks outside of its walls, which let nothing through to systemd.
std::string render_gate(const UnitInput& input) {
  constexpr int kLongestSeconds = 30;  // a proxy that is there reads at once
  const bool is_system = input.scope == Scope::System;
  const std::string service = unit_name(input.instance.id);
  UnitFile unit = begin_unit(input, UnitKind::Gate);
  unit.section("Unit")
      .add("Description", described(input, "whether it came up"))
      .add("After", fmt::format("{} {}", service, unit_name(input.instance.id, UnitKind::Proxy)))
      .add("StartLimitIntervalSec", "0");
  UnitSection& section = unit.section("Service");
  // What is in a FIFO goes with the last that has it open: the gate has, until the proxy has read.
  const std::string tell = fmt::format(R"([ -p "$0" ] || exit 0; word=refuse; )"
                                       R"(systemctl {}is-active -q {} && word={}; )"
                                       R"(exec 3<>"$0"; echo $word >&3; )"
                                       R"(while [ -p "$0" ]; do sleep 0.1; done)",
                                       is_system ? "" : "--user ",
                                       text::shell_word(service),
                                       kReady);
  section.add("Type", "oneshot")
      .add("TimeoutStartSec", std::to_string(kLongestSeconds))
      .add("ExecStart",
           fmt::format("{}/bin/sh -c {} {}",
                       is_system ? "+" : "",
                       escape_exec_word(tell),
                       verdict_word(input.instance)));
  if (is_system)
    section.add("DynamicUser", "yes");
  add_sandbox(section, with_proxy_walls(input));
  return unit.render();
}

}  // namespace las::service
