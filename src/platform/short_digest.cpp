// SPDX-License-Identifier: Apache-2.0
#include "short_digest.hpp"

#include <array>
#include <cstdint>

#include <sha2.h>

namespace las::platform {

std::string short_sha256(std::string_view text) {
  std::array<char, SHA256_DIGEST_STRING_LENGTH> hex{};
  ::SHA256Data(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), hex.data());
  return hex.data();
}

}  // namespace las::platform
