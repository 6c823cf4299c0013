// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace las::model {

/// Foreign text as one line that is safe to show: control characters (a terminal obeys them) become
/// spaces, what is not UTF-8 becomes "?", and it ends at `longest` bytes.
std::string printable(std::string_view text, std::size_t longest = 200);

}  // namespace las::model
