// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/digest.hpp"
#include "las/base/version.hpp"
#include "las/catalog/manifest.hpp"
#include "las/document/node.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

/// The kinds of value a manifest is made of. Each adds a fault where it finds something else, and
/// takes an absent node as nothing said.
namespace las::catalog {

std::optional<Version> read_version(const document::Node& node);
std::optional<VersionRange> read_range(const document::Node& node);
std::optional<Digest> read_digest(const document::Node& node);
std::optional<int> read_int(const document::Node& node, int min, int max);
/// "30s", "5m", "500ms"; a bare number is seconds. At most a day.
std::optional<std::chrono::milliseconds> read_duration(const document::Node& node);
/// text::is_name; "" with a fault if it is missing.
std::string read_name(const document::Node& node);
/// A path below the folder of the payload or of the manifest: relative, without "." and "..".
std::string read_inner_path(const document::Node& node);
std::string read_absolute_path(const document::Node& node);
/// https, file, or http where no bytes can be changed on the way (this machine) or where
/// `verified` says that a digest would notice.
std::string read_url(const document::Node& node, bool verified);
std::vector<std::string> read_urls(const document::Node& node, bool verified);
/// Whether a line of pip names one version and the digests of its files and is no option: nothing
/// is installed whose bytes were not agreed on before.
bool is_locked_requirement(std::string_view line);
/// "vm.max_map_count": words of a kernel parameter, which becomes a path below /proc/sys.
bool is_sysctl_name(std::string_view name);
/// Names of system accounts or groups, as useradd(8) of Debian takes them.
std::vector<std::string> read_accounts(const document::Node& node);
/// Names of packages of the distribution.
std::vector<std::string> read_packages(const document::Node& node);
/// "name" or "name@>=1.2.3", each.
std::vector<ModuleDependency> read_modules(const document::Node& node);
std::vector<std::string> read_words(const document::Node& node, const std::vector<std::string>& of);
HardwareNeeds read_hardware(const document::Node& node);

}  // namespace las::catalog
