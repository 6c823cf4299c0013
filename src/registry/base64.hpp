// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace las::registry {

/// RFC 4648, with padding and without line breaks.
std::string to_base64(std::string_view bytes);
/// Strict: padding where it belongs, unused bits zero, so that one value has one spelling.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace las::registry
