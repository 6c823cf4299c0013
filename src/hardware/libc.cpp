// SPDX-License-Identifier: Apache-2.0
#include "libc.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"

#include <array>
#include <string>

#include <unistd.h>

namespace las::hardware {

std::optional<Version> glibc_version_of_banner(std::string_view library) {
  constexpr std::string_view kBanner = "GNU C Library";
  constexpr std::string_view kRelease = "release version ";
  const auto banner = library.find(kBanner);
  if (banner == std::string_view::npos)
    return std::nullopt;
  const std::string_view line = library.substr(banner, 256);
  const auto release = line.find(kRelease);
  if (release == std::string_view::npos)
    return std::nullopt;
  return first_version(line.substr(release + kRelease.size()));
}

Fact<Version> read_glibc(const platform::FileReader& files, bool live) {
  if (live) {
#ifdef _CS_GNU_LIBC_VERSION
    std::array<char, 64> name{};
    if (confstr(_CS_GNU_LIBC_VERSION, name.data(), name.size()) > 0) {  // "glibc 2.36"
      if (auto version = first_version(name.data()))
        return Fact<Version>::known(*version, "confstr");
    }
#endif
    return Fact<Version>::missing(_("the C library of this machine is not glibc"));
  }
  for (const char* path : {"/lib/x86_64-linux-gnu/libc.so.6",
                           "/usr/lib/x86_64-linux-gnu/libc.so.6",
                           "/lib/aarch64-linux-gnu/libc.so.6",
                           "/usr/lib/aarch64-linux-gnu/libc.so.6",
                           "/lib64/libc.so.6",
                           "/usr/lib64/libc.so.6"}) {
    const auto library = files.try_read(path);
    if (!library)
      continue;
    if (auto version = glibc_version_of_banner(*library))
      return Fact<Version>::known(*version, path);
  }
  return Fact<Version>::missing(_("the captured tree holds no libc.so.6"));
}

}  // namespace las::hardware
