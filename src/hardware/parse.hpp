// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/version.hpp"
#include "las/hardware/profile.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What every parser of this room needs. The text comes from kernels, firmware and captured trees:
/// nothing about it is trusted.
namespace las::hardware {

/// The whole of `text` as a number: "42", or "0x10de" for base 16. Nothing for anything else.
std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base = 10);
std::optional<int> parse_int(std::string_view text);

/// One line of a foreign text as a fact may show it: without control characters, valid UTF-8, at
/// most 256 bytes. Firmware strings have held anything.
std::string printable(std::string_view text);
/// The printable text as a fact, or `why` it is unknown when nothing printable is left.
Fact<std::string> text_fact(const std::optional<std::string>& text,
                            std::string origin,
                            std::string why);

/// "Key : value" lines (/proc/cpuinfo, /proc/self/status, /proc/driver/nvidia/...): first one wins.
std::map<std::string, std::string> parse_colon_lines(std::string_view text);

/// The first word that reads as a version ("Docker version 27.3.1, build ce12230" gives 27.3.1).
std::optional<Version> first_version(std::string_view text);

/// Names in a folder, or nothing if it cannot be listed.
std::optional<std::vector<std::string>> try_list(const platform::FileReader& files,
                                                 const std::filesystem::path& folder);
/// The last component of where a symlink points, or nothing.
std::optional<std::string> try_link_name(const platform::FileReader& files,
                                         const std::filesystem::path& link);

}  // namespace las::hardware
