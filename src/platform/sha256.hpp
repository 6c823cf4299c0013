// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace las::platform {

inline constexpr std::size_t kSha256Size = 32;

/// SHA-256 by code of our own. Some ten times slower than libcrypto, which takes four milliseconds
/// to open: half of what else a change of the state takes, and that needs no more than the digests
/// of a few short texts.
std::array<unsigned char, kSha256Size> sha256_of(std::string_view text);

}  // namespace las::platform
