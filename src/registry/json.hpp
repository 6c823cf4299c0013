// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"
#include "las/registry/index.hpp"

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

/// Reading JSON that others wrote: every accessor throws Integrity that names the place.
namespace las::registry {

using Json = nlohmann::json;

[[noreturn]] void throw_malformed(const std::string& place, std::string cause);

/// An object of a format that this las reads; InvalidData where it is a newer one.
Json read_document(std::string_view text, const std::string& name);
const Json& member(const Json& object, const std::string& place, const char* key);
std::string read_text(const Json& object, const std::string& place, const char* key);
std::uint64_t read_number(const Json& object, const std::string& place, const char* key);
const Json& read_list(const Json& object,
                      const std::string& place,
                      const char* key,
                      std::size_t most);
/// {"sha256": hex, "size": bytes}; not larger than `limit`.
Blob read_blob(const Json& object, const std::string& place, ByteSize limit);

}  // namespace las::registry
