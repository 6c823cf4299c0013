// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/digest.hpp"
#include "las/base/version.hpp"
#include "las/document/node.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Typed values of a document's nodes; each adds a fault for what is no such value.
namespace las::lockfile {

/// The keys that an object of this name has (keys.hpp); others are faults.
void allow_keys(const document::Node& node, const std::string& object);
/// "" and a fault for what may be no name of a module, a model or a service.
std::string name_of(const document::Node& node);
std::optional<Digest> digest_of(const document::Node& node);
/// A wish: "" is any version, "1.2" exactly that one.
VersionRange range_of(const document::Node& node);
/// Exactly one version; required.
VersionRange version_of(const document::Node& node);
std::optional<Version> least_of(const document::Node& node);
std::optional<std::uint16_t> port_of(const document::Node& node);
std::map<std::string, std::string> texts_of(const document::Node& node);
/// "" for an absent node, and with a fault for another word.
std::string word_of(const document::Node& node, const std::vector<std::string>& allowed);

}  // namespace las::lockfile
