// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace las::source {

/// The file name a URL ends in: without query and fragment, percent-decoded.
std::string url_file_name(std::string_view url);

}  // namespace las::source
