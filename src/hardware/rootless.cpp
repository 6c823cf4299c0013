// SPDX-License-Identifier: Apache-2.0
#include "rootless.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace las::hardware {

namespace {

namespace fs = std::filesystem;

fs::path runtime_folder(const platform::Environment& environment) {
  return fs::path("/run/user") / std::to_string(environment.uid);
}

Fact<bool> not_for_root() {
  return Fact<bool>::missing(_("las runs as root; this is about an ordinary user"));
}

}  // namespace

std::uint64_t count_subordinate_ids(std::string_view text,
                                    std::string_view user,
                                    std::uint32_t uid) {
  constexpr std::uint64_t kAll = std::uint64_t{1} << 32;
  const std::string number = std::to_string(uid);
  std::uint64_t sum = 0;
  for (const std::string& line : text::lines(text)) {
    const std::vector<std::string> parts = text::split(text::trim(line), ':');
    if (parts.size() != 3 || (parts[0] != user && parts[0] != number))
      continue;
    const auto count = parse_unsigned(parts[2]);
    if (parse_unsigned(parts[1]) && count && *count <= kAll)
      sum = std::min(kAll, sum + *count);
  }
  return sum;
}

Fact<bool> read_systemd_user(const platform::FileReader& files,
                             const platform::Environment& environment) {
  const fs::path socket = runtime_folder(environment) / "systemd" / "private";
  return Fact<bool>::known(files.exists(socket), socket.string());
}

Fact<bool> read_podman_rootless(const platform::FileReader& files,
                                const platform::Environment& environment,
                                const platform::ProcessRunner& processes) {
  if (environment.uid == 0)
    return not_for_root();
  for (const char* limit :
       {"/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/unprivileged_userns_clone"}) {
    if (files.try_read(limit) == "0")
      return Fact<bool>::known(false, limit);
  }
  const std::string path = environment.get("PATH").value_or("/usr/bin:/bin");
  for (const char* program : {"newuidmap", "newgidmap"}) {
    if (!processes.find_program(program, path))
      return Fact<bool>::known(false, program);
  }
  constexpr std::uint64_t kUsual = 65536;
  for (const char* file : {"/etc/subuid", "/etc/subgid"}) {
    const auto text = files.try_read(file);
    if (!text)
      return Fact<bool>::missing(_("/etc/subuid and /etc/subgid cannot be read"));
    if (count_subordinate_ids(*text, environment.user, environment.uid) < kUsual)
      return Fact<bool>::known(false, file);
  }
  return Fact<bool>::known(true, "/etc/subuid, /etc/subgid");
}

Fact<bool> read_docker_rootless(const platform::FileReader& files,
                                const platform::Environment& environment) {
  if (environment.uid == 0)
    return not_for_root();
  const fs::path socket = runtime_folder(environment) / "docker.sock";
  return Fact<bool>::known(files.exists(socket), socket.string());
}

}  // namespace las::hardware
