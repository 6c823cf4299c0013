// SPDX-License-Identifier: Apache-2.0
#include "kernel.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <sys/utsname.h>

namespace las::hardware {

std::optional<std::string> parse_proc_version(std::string_view text) {
  constexpr std::string_view kPrefix = "Linux version ";
  if (!text.starts_with(kPrefix))
    return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const std::string_view release = text.substr(0, text.find_first_of(" \t\n"));
  if (release.empty())
    return std::nullopt;
  return std::string(release);
}

std::optional<std::string> architecture_of_cpuinfo(std::string_view cpuinfo) {
  const auto values = parse_colon_lines(cpuinfo);
  const auto has_word = [&](const char* key, std::string_view word) {
    const auto found = values.find(key);
    if (found == values.end())
      return false;
    for (const std::string& flag : text::split(found->second, ' ')) {
      if (flag == word)
        return true;
    }
    return false;
  };
  if (has_word("flags", "lm"))  // "long mode"
    return "x86_64";
  if (has_word("Features", "asimd"))  // a 32-bit kernel calls it "neon"
    return "aarch64";
  return std::nullopt;
}

Fact<std::string> read_kernel(const platform::FileReader& files) {
  if (auto release = files.try_read("/proc/sys/kernel/osrelease"); release && !release->empty())
    return text_fact(release, "/proc/sys/kernel/osrelease", _("the kernel release is not text"));
  const auto version = files.try_read("/proc/version");
  return text_fact(version ? parse_proc_version(*version) : std::nullopt,
                   "/proc/version",
                   _("neither /proc/sys/kernel/osrelease nor /proc/version tells it"));
}

Fact<std::string> read_architecture(const platform::FileReader& files, bool live) {
  utsname name{};
  if (live && uname(&name) == 0)
    return Fact<std::string>::known(name.machine, "uname");
  if (auto arch = files.try_read("/proc/sys/kernel/arch"); arch && !arch->empty())
    return text_fact(arch, "/proc/sys/kernel/arch", _("the architecture is not text"));
  const auto cpuinfo = files.try_read("/proc/cpuinfo");
  return text_fact(cpuinfo ? architecture_of_cpuinfo(*cpuinfo) : std::nullopt,
                   "/proc/cpuinfo",
                   _("neither /proc/sys/kernel/arch nor /proc/cpuinfo tells it"));
}

}  // namespace las::hardware
