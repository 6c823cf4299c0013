// SPDX-License-Identifier: Apache-2.0
#include "sandbox.hpp"

#include "addresses.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/container_engine.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace las::service {
namespace {

namespace fs = std::filesystem;

/// RFC 1918 and RFC 4193; link-local is systemd's word for 169.254.0.0/16 and fe80::/64.
constexpr std::string_view kLan =
    "localhost link-local 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7";

/// What a directive of the sandbox is to us.
struct Wall {
  std::string_view directive;
  std::string_view value;   ///< of every service; "" : not set unless opened
  bool user_scope = false;  ///< user managers can do it without privileges
  bool list = false;        ///< further lines add to it instead of replacing it
};

// Not here on purpose: MemoryDenyWriteExecute= (kernels compiled at run time by GPU and Python
// engines need it off), ProcSubset=pid (engines size themselves by /proc/cpuinfo and
// /proc/meminfo), PrivateNetwork= (services serve).
constexpr std::array kWalls{
    Wall{"NoNewPrivileges", "yes", true},
    Wall{"CapabilityBoundingSet", "", false, true},
    Wall{"AmbientCapabilities", "", false, true},
    Wall{"ProtectSystem", "strict"},
    Wall{"ProtectHome", "yes"},
    Wall{"PrivateTmp", "yes"},
    Wall{"PrivateDevices", "yes"},
    Wall{"DevicePolicy", ""},
    Wall{"DeviceAllow", "", false, true},
    Wall{"SupplementaryGroups", "", false, true},
    Wall{"ReadWritePaths", "", false, true},
    Wall{"ReadOnlyPaths", "", false, true},
    Wall{"BindPaths", "", false, true},
    Wall{"BindReadOnlyPaths", "", false, true},
    Wall{"ProtectKernelTunables", "yes"},
    Wall{"ProtectKernelModules", "yes"},
    Wall{"ProtectKernelLogs", "yes"},
    Wall{"ProtectControlGroups", "yes"},
    Wall{"ProtectClock", "yes"},
    Wall{"ProtectHostname", "yes"},
    Wall{"ProtectProc", "invisible"},
    Wall{"RestrictNamespaces", "yes", true},
    Wall{"RestrictRealtime", "yes", true},
    Wall{"RestrictSUIDSGID", "yes", true},
    Wall{"LockPersonality", "yes", true},
    Wall{"SystemCallArchitectures", "native", true, true},
    Wall{"SystemCallFilter", "@system-service", true, true},
    Wall{"SystemCallErrorNumber", "EPERM", true},
    Wall{"RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6", true, true},
    Wall{"IPAddressDeny", "", false, true},
    Wall{"IPAddressAllow", "", false, true},
    Wall{"UMask", "0077", true},
    Wall{"LimitNOFILE", "65536", true},
    Wall{"LimitMEMLOCK", "", true},
    Wall{"LimitNPROC", "", true},
    Wall{"LimitRTPRIO", "", true},
    Wall{"OOMScoreAdjust", "", true},
};

const Wall& find_wall(const std::string& directive) {
  std::vector<std::string> names;
  for (const Wall& wall : kWalls) {
    if (wall.directive == directive)
      return wall;
    names.emplace_back(wall.directive);
  }
  Error error(ErrorKind::InvalidData,
              _("not a directive of the sandbox that a manifest may open"),
              directive);
  if (const std::string near = nearest_name(directive, names); !near.empty())
    error.hint(fmt::format(fmt::runtime(_("did you mean '{}'?")), near));
  throw error;
}

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto relative = path.lexically_normal().lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

/// The walls hide these folders; what the service must read there is shown to it alone.
std::vector<std::string> readable_behind_walls(const UnitInput& input) {
  static const std::array<fs::path, 5> kHidden{"/home", "/root", "/run/user", "/tmp", "/var/tmp"};
  std::vector<std::string> found;
  for (const fs::path& path : input.readable)
    if (std::any_of(kHidden.begin(), kHidden.end(), [&](const fs::path& folder) {
          return is_below(path, folder);
        }))
      found.push_back(escape_path_word(path.string()));
  return found;
}

void add_walls(UnitSection& service, platform::Scope scope) {
  for (const Wall& wall : kWalls) {
    if (scope == platform::Scope::User && !wall.user_scope)
      continue;
    // Set to nothing, this one means: no capability at all.
    if (!wall.value.empty() || wall.directive == "CapabilityBoundingSet")
      service.add(wall.directive, wall.value);
  }
}

/// "value  # reason", as manifests write a door.
struct Door {
  std::string value, reason;
};

Door parse_door(std::string_view line) {
  const auto hash = line.find('#');
  if (hash == std::string_view::npos)
    return {std::string(text::trim(line)), {}};
  return {std::string(text::trim(line.substr(0, hash))),
          std::string(text::trim(line.substr(hash + 1)))};
}

void open_door(UnitSection& service, const Wall& wall, const std::string& value) {
  if (!wall.list)
    service.drop(wall.directive);
  for (const std::string& line : text::lines(value)) {
    if (text::trim(line).empty())
      continue;
    const Door door = parse_door(line);
    if (!door.reason.empty())
      service.comment(door.reason);
    service.add(wall.directive, escape_line(door.value));
  }
}

/// What goes to the published port of a container is on its way into the engine's network before
/// the filter sees it.
std::string addresses_here(const UnitInput& input) {
  const auto& container = input.instance.container;
  if (!container)
    return "localhost";
  return "localhost " + (container->network.empty()
                             ? platform::container_engine(container->engine).usual_network()
                             : container->network);
}

}  // namespace

void add_network_walls(UnitSection& section, const UnitInput& input) {
  // User managers have no filter.
  if (input.scope == platform::Scope::User)
    return;
  if (input.instance.network == "lan") {
    section.add("IPAddressDeny", "any").add("IPAddressAllow", kLan);
    return;
  }
  // Whoever listens beyond the machine was meant to be reached from there.
  if (!is_loopback(input.instance.host))
    return;
  section.add("IPAddressDeny", "any").add("IPAddressAllow", addresses_here(input));
}

void add_sandbox(UnitSection& service, const UnitInput& input) {
  add_walls(service, input.scope);
  add_network_walls(service, input);
  if (input.scope == platform::Scope::System) {
    // The record of what is installed is nobody's business.
    if (!input.state_directory.empty())
      service.add("InaccessiblePaths",
                  "-" + escape_path_word((input.state_directory / "db").string()));
    if (const auto readable = readable_behind_walls(input); !readable.empty()) {
      service.drop("ProtectHome").add("ProtectHome", "tmpfs");
      service.add("BindReadOnlyPaths", text::join(readable, " "));
    }
  }
  for (const auto& [directive, value] : input.needs_open) {
    const Wall& wall = find_wall(directive);
    if (input.scope == platform::Scope::System || wall.user_scope)
      open_door(service, wall, value);
  }
}

void add_gpu_doors(UnitSection& service, const UnitInput& input) {
  // User managers cannot close devices off.
  if (input.instance.gpus.empty() || input.scope == platform::Scope::User)
    return;
  service.drop("PrivateDevices").drop("DevicePolicy");
  service.add("PrivateDevices", "no").add("DevicePolicy", "closed");
  std::set<std::string> open;
  std::set<std::int64_t> groups;
  for (const state::GrantedGpu& gpu : input.instance.gpus) {
    service.comment("GPU " + gpu.id);
    for (const std::string& node : gpu.nodes) {
      if (open.insert(node).second)
        service.add("DeviceAllow", escape_path_word(node) + " rw");
    }
    groups.insert(gpu.groups.begin(), gpu.groups.end());
  }
  for (const std::int64_t group : groups)
    service.add("SupplementaryGroups", std::to_string(group));
}

std::string capabilities_of(const state::ContainerRun& container) {
  constexpr std::string_view kGives = "--cap-add=";
  std::vector<std::string> given;
  for (const std::string& option : container.options)
    if (option.starts_with(kGives))
      given.push_back(option.substr(kGives.size()));
  return text::join(given, " ");
}

void add_container_walls(UnitSection& service, const UnitInput& input) {
  // Not RestrictSUIDSGID=: systemd takes openat2(2) away with it, without which crun 1.21 (Debian
  // 13) makes no container.
  service.add("UMask", "0077");
  // Without root an engine needs the setuid helpers newuidmap and newgidmap, and each filter of
  // system calls would bring NoNewPrivileges= along: systemd.exec(5).
  if (input.scope == platform::Scope::User)
    return;
  service.add("NoNewPrivileges", "yes")
      .add("RestrictRealtime", "yes")
      .add("LockPersonality", "yes")
      .add("SystemCallArchitectures", "native");
  service.comment("the container is made in this unit; the program in it has walls of its own")
      .add("RestrictNamespaces", "mnt pid ipc uts cgroup net user")
      .comment("the network of the container")
      .add("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK")
      .comment("its files, which are its users'")
      .add("CapabilityBoundingSet",
           "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_SETFCAP "
           "CAP_MKNOD")
      .comment("its user, and what is taken from it")
      .add("CapabilityBoundingSet", "CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_KILL CAP_AUDIT_WRITE")
      .comment("its namespaces and mounts")
      .add("CapabilityBoundingSet", "CAP_SYS_ADMIN CAP_SYS_CHROOT CAP_SYS_PTRACE")
      .comment("its network and published port")
      .add("CapabilityBoundingSet", "CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE")
      .comment("its limits")
      .add("CapabilityBoundingSet", "CAP_SYS_RESOURCE");
  if (const std::string own = capabilities_of(*input.instance.container); !own.empty())
    service.comment("what its manifest gives it").add("CapabilityBoundingSet", own);
  service.comment("to make all that")
      .add("SystemCallFilter",
           "@system-service @mount seccomp keyctl add_key pivot_root unshare setns bpf capset "
           "sethostname chroot")
      .add("SystemCallFilter",
           "~@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap")
      .add("SystemCallErrorNumber", "EPERM");
  // A published port alone would not do: whoever is on the same network could reach the container's
  // own address. The engine's default network has to get through.
  if (input.instance.network == "local")
    service.add("IPAddressDeny", "any").add("IPAddressAllow", addresses_here(input));
  else if (input.instance.network == "lan")
    service.add("IPAddressDeny", "any").add("IPAddressAllow", kLan);
}

void add_client_walls(UnitSection& service, const UnitInput& input) {
  UnitInput walls = input;
  walls.readable.clear();
  walls.needs_open.clear();
  add_sandbox(service, walls);
  // The container's group lies below the unit's then, and what is shut to that is shut to it.
  // ProtectClock= shuts the devices, too; its calls and its capability are not the client's anyway.
  if (input.instance.container->cgroup_driver != "systemd")
    service.drop("PrivateDevices").drop("ProtectClock");
  service.drop("RestrictAddressFamilies");
  service.add("RestrictAddressFamilies", "AF_UNIX")
      .add("SystemCallFilter", "~@privileged @resources")
      .add("ProcSubset", "pid")
      .add("MemoryDenyWriteExecute", "yes");
}

}  // namespace las::service
