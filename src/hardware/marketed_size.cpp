// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/marketed_size.hpp"

namespace las::hardware {

ByteSize marketed_floor(ByteSize nominal) {
  constexpr std::uint64_t kPercent = 8;
  return ByteSize(nominal.bytes() - nominal.bytes() / 100 * kPercent);
}

}  // namespace las::hardware
