// SPDX-License-Identifier: Apache-2.0
#include "kfd.hpp"

#include "parse.hpp"

#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::hardware {

namespace {

constexpr const char* kNodes = "/sys/class/kfd/kfd/topology/nodes";
constexpr std::uint64_t kXgmi = 11;            // CRAT_IOLINK_TYPE_XGMI of kfd_crat.h
constexpr std::uint64_t kPartitioned = 90402;  // gfx942
constexpr std::uint64_t kMostLinks = 64;

using Properties = std::map<std::string, std::uint64_t>;

Properties read_properties(const platform::FileReader& files, const std::filesystem::path& folder) {
  const auto text = files.try_read(folder / "properties");
  return text ? parse_kfd_properties(*text) : Properties{};
}

std::uint64_t value_of(const Properties& properties, const char* key) {
  const auto found = properties.find(key);
  return found == properties.end() ? 0 : found->second;
}

// KFD has the domain, and bus, slot and function in one number. The number of a partition stands
// in its highest four bits; in Linux 6.5 to 6.7, in place of the function.
std::string address_of(const Properties& properties) {
  const std::uint64_t domain = value_of(properties, "domain");
  const std::uint64_t id = value_of(properties, "location_id") & 0xFFFF;
  const std::uint64_t function =
      value_of(properties, "gfx_target_version") == kPartitioned ? 0 : id & 7;
  return fmt::format("{:04x}:{:02x}:{:02x}.{}", domain, id >> 8, id >> 3 & 0x1F, function);
}

std::vector<std::filesystem::path> folders_in(const platform::FileReader& files,
                                              const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  for (const std::string& name : try_list(files, folder).value_or(std::vector<std::string>{}))
    folders.push_back(folder / name);
  return folders;
}

// The largest bandwidth between two GPUs is that of all their links, the smallest that of one.
// Both are 0 where the driver cannot tell them.
int lanes_of(const Properties& link) {
  const std::uint64_t least = value_of(link, "min_bandwidth");
  const std::uint64_t most = value_of(link, "max_bandwidth");
  if (least == 0 || most % least != 0 || most / least > kMostLinks)
    return 0;
  return static_cast<int>(most / least);
}

}  // namespace

std::map<std::string, std::uint64_t> parse_kfd_properties(std::string_view text) {
  std::map<std::string, std::uint64_t> values;
  for (const std::string& line : text::lines(text)) {
    const auto space = line.find(' ');
    if (space == std::string::npos)
      continue;
    if (const auto number = parse_unsigned(std::string_view(line).substr(space + 1)))
      values[line.substr(0, space)] = *number;
  }
  return values;
}

std::optional<std::string> gfx_target(std::uint64_t version) {
  const std::uint64_t major = version / 10000;
  const std::uint64_t minor = version / 100 % 100;
  const std::uint64_t stepping = version % 100;
  if (major == 0 || major > 99 || minor > 15 || stepping > 15)
    return std::nullopt;
  return fmt::format("gfx{}{:x}{:x}", major, minor, stepping);
}

std::optional<std::vector<KfdNode>> read_kfd_gpus(const platform::FileReader& files) {
  const auto names = try_list(files, kNodes);
  if (!names)
    return std::nullopt;
  std::vector<KfdNode> nodes;
  for (const std::string& name : *names) {
    const auto number = parse_unsigned(name);
    if (!number)
      continue;
    const std::filesystem::path folder = std::filesystem::path(kNodes) / name;
    const Properties properties = read_properties(files, folder);
    if (value_of(properties, "simd_count") != 0)  // a CPU has none
      nodes.push_back(
          {folder, address_of(properties), *number, value_of(properties, "gfx_target_version")});
  }
  std::sort(nodes.begin(), nodes.end(), [](const KfdNode& a, const KfdNode& b) {
    return a.number < b.number;
  });
  return nodes;
}

std::optional<ByteSize> read_kfd_memory(const platform::FileReader& files, const KfdNode& node) {
  std::optional<ByteSize> sum;
  for (const auto& bank : folders_in(files, node.folder / "mem_banks")) {
    if (const std::uint64_t size = value_of(read_properties(files, bank), "size_in_bytes"))
      sum = sum.value_or(ByteSize()) + ByteSize(size);
  }
  return sum;
}

std::vector<GpuLink> read_xgmi_links(const platform::FileReader& files,
                                     const KfdNode& node,
                                     const std::vector<KfdNode>& nodes) {
  std::map<std::string, int> lanes;  // by peer
  for (const auto& folder : folders_in(files, node.folder / "io_links")) {
    const Properties link = read_properties(files, folder);
    if (value_of(link, "type") != kXgmi)
      continue;
    const std::uint64_t to = value_of(link, "node_to");
    const auto peer = std::find_if(
        nodes.begin(), nodes.end(), [&](const KfdNode& other) { return other.number == to; });
    // The CPU of an MI250X or MI300A is reached by XGMI too.
    if (peer == nodes.end() || peer->pci_address == node.pci_address)
      continue;
    int& known = lanes[peer->pci_address];
    known = std::max(known, lanes_of(link));
  }
  std::vector<GpuLink> links;
  for (const auto& [peer, count] : lanes)
    links.push_back({peer, "xgmi", count});
  return links;
}

}  // namespace las::hardware
