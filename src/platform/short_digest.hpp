// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace las::platform {

/// SHA-256 in hex by libmd, which is linked in. Some ten times slower than libcrypto, which takes
/// four milliseconds to open: half of what else a change of the state takes, and that needs no more
/// than the digests of a few short texts.
std::string short_sha256(std::string_view text);

}  // namespace las::platform
