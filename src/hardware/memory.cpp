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
  memory.effective = memory.total;
  const auto limit = read_memory_limit(files);
  if (limit && memory.total.is_known() && limit->bytes < *memory.total.value) {
    memory.effective = Fact<ByteSize>::known(limit->bytes, limit->origin);
    if (memory.available.is_known() && limit->bytes < *memory.available.value)
      memory.available = memory.effective;
  }
  return memory;
}

}  // namespace las::hardware
