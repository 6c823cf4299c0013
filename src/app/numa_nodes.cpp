// SPDX-License-Identifier: Apache-2.0
#include "numa_nodes.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/catalog/manifest.hpp"

#include <fmt/format.h>

namespace las::app {

namespace {

constexpr const char* kNodes = "/sys/devices/system/node";

[[noreturn]] void refuse(const platform::FileReader& files, const std::string& nodes) {
  const std::string online = files.try_read(fmt::format("{}/online", kNodes)).value_or("");
  Error error(ErrorKind::Usage, _("this machine has no such NUMA node"), nodes);
  if (!online.empty())
    error.hint(fmt::format(fmt::runtime(_("its nodes are: {}")), text::trim(online)));
  throw error;
}

}  // namespace

std::string cores_of_nodes(const platform::FileReader& files, const std::string& nodes) {
  if (!catalog::is_cpu_list(nodes))
    refuse(files, nodes);
  std::vector<std::string> cores;
  for (const std::string& range : text::split(nodes, ',')) {
    const auto ends = text::split(range, '-');
    const int last = std::stoi(ends.back());
    for (int node = std::stoi(ends.front()); node <= last; ++node) {
      const auto list = files.try_read(fmt::format("{}/node{}/cpulist", kNodes, node));
      if (!list)
        refuse(files, nodes);
      if (const auto trimmed = text::trim(*list); !trimmed.empty())
        cores.emplace_back(trimmed);
    }
    if (std::stoi(ends.front()) > last)
      refuse(files, nodes);
  }
  return text::join(cores, ",");
}

}  // namespace las::app
