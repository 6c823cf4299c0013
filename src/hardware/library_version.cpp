// SPDX-License-Identifier: Apache-2.0
#include "library_version.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"

#include <array>

#include <fmt/format.h>

namespace las::hardware {

namespace {

// Where Debian, Ubuntu, Fedora and their likes keep libraries. Debian's NVIDIA packages keep theirs
// in a folder of their own behind two links of update-alternatives, WSL in one that Windows fills.
constexpr std::array kFolders = {"/usr/lib/x86_64-linux-gnu",
                                 "/usr/lib/aarch64-linux-gnu",
                                 "/usr/lib/x86_64-linux-gnu/nvidia/current",
                                 "/usr/lib/aarch64-linux-gnu/nvidia/current",
                                 "/usr/lib/aarch64-linux-gnu/nvidia",
                                 "/usr/lib64",
                                 "/usr/lib",
                                 "/usr/local/lib",
                                 "/usr/lib/wsl/lib"};

}  // namespace

Fact<Version> read_library_version(const platform::FileReader& files, const std::string& soname) {
  const std::string stem = soname.substr(0, soname.rfind('.') + 1);  // "libnvidia-ml.so."
  bool present = false;
  for (const char* folder : kFolders) {
    const std::filesystem::path link = std::filesystem::path(folder) / soname;
    const auto target = try_link_name(files, link);
    present = present || target || files.exists(link);
    if (!target || !target->starts_with(stem))
      continue;
    const auto version = first_version(std::string_view(*target).substr(stem.size()));
    if (version && version->text().find('.') != std::string::npos)
      return Fact<Version>::known(*version, link.string());
  }
  if (present)
    return Fact<Version>::missing(
        fmt::format(fmt::runtime(_("the name of the file {} tells no version")), soname));
  return Fact<Version>::missing(fmt::format(fmt::runtime(_("there is no {}")), soname));
}

}  // namespace las::hardware
