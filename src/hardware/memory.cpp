// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include "cgroup.hpp"
#include "parse.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::hardware {

std::map<std::string, ByteSize> parse_meminfo(std::string_view text) {
  std::map<std::string, ByteSize> sizes;
  for (const auto& [key, value] : parse_colon_lines(text)) {
    if (!value.ends_with(" kB"))
      continue;
    const auto kib = parse_unsigned(std::string_view(value).substr(0, value.size() - 3));
    if (kib && *kib <= (UINT64_MAX >> 10))
      sizes[key] = ByteSize::kib(*kib);
  }
  return sizes;
}

std::optional<std::uint64_t> parse_huge_page_count(std::string_view text) {
  const auto values = parse_colon_lines(text);
  const auto found = values.find("HugePages_Total");
  return found == values.end() ? std::nullopt : parse_unsigned(found->second);
}

Memory read_memory(const platform::FileReader& files) {
  const std::string origin = "/proc/meminfo";
  const auto text = files.try_read(origin);
  const auto sizes = text ? parse_meminfo(*text) : std::map<std::string, ByteSize>{};
  const auto fact = [&](const char* key) {
    const auto found = sizes.find(key);
    if (found != sizes.end())
      return Fact<ByteSize>::known(found->second, origin);
    return Fact<ByteSize>::missing(
        text ? fmt::format(fmt::runtime(_("/proc/meminfo has no {}")), key)
             : std::string(_("/proc/meminfo could not be read")));
  };
  Memory memory;
  memory.total = fact("MemTotal");
  memory.available = fact("MemAvailable");
  memory.swap = fact("SwapTotal");
  memory.huge_page_size = fact("Hugepagesize");
  // Of all sizes together; kernels before 4.18 count only those of the default size.
  memory.huge_pages = fact("Hugetlb");
  const auto count = text ? parse_huge_page_count(*text) : std::nullopt;
  if (!memory.huge_pages.is_known() && memory.huge_page_size.is_known() && count) {
    const std::uint64_t size = memory.huge_page_size.value->bytes();
    if (size == 0 || *count <= UINT64_MAX / size)
      memory.huge_pages = Fact<ByteSize>::known(ByteSize(*count * size), origin);
  }
  memory.effective = memory.total;
  const auto limit = read_memory_limit(files);
  if (limit && memory.total.is_known() && limit->bytes < *memory.total.value)
    memory.effective = Fact<ByteSize>::known(limit->bytes, limit->origin);
  const auto room = read_memory_headroom(files);
  if (room && memory.available.is_known() && room->bytes < *memory.available.value)
    memory.available = Fact<ByteSize>::known(room->bytes, room->origin);
  return memory;
}

}  // namespace las::hardware
