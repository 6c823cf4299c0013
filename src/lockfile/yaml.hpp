// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace las::lockfile {

/// An object of objects, lists, texts, numbers and booleans as YAML in block style, one value a
/// line. Every text reads back as the same text, by YAML 1.1 and 1.2 alike: what either might take
/// for something else is quoted.
std::string to_yaml(const nlohmann::ordered_json& object);

}  // namespace las::lockfile
