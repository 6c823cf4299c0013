// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace las::text {

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::vector<std::string> lines(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string lower(std::string_view text);

/// A name that may become a file name, a unit name and a URL part: [a-z0-9][a-z0-9._+-]{0,63}, and
/// no "..". Module ids, model names and deployment names obey it.
bool is_name(std::string_view text);

/// Replaces every {key} of `text` with its value. Throws InvalidData naming the key when one is
/// unknown. "{{" and "}}" stand for braces.
std::string expand(std::string_view text, const std::map<std::string, std::string>& values);

}  // namespace las::text
