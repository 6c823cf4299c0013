// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"
#include "las/catalog/npm_lock.hpp"

#include <map>
#include <string>
#include <string_view>

/// Pure readers and writers of npm's formats.
namespace las::source {

/// The lock of a source that was loaded; InvalidData with its first fault.
catalog::NpmLock read_npm_lock(const std::string& json, const std::string& name);

/// What npm is given, made anew from what was checked: nothing else of the lock reaches it.
/// `lock` is a package-lock.json, `json` the text it was parsed from.
std::string render_package_json(const catalog::NpmLock& lock);
std::string render_npm_lock(const catalog::NpmLock& lock, const std::string& json);

/// The environment for npm: `variables` without what would lead it out of its folder or change what
/// it installs. Where the registry is and how it is reached (registry, proxies, certificates,
/// tokens) stays.
std::map<std::string, std::string> npm_environment(std::map<std::string, std::string> variables);

/// The Error that a failed npm ended in. Network only where another source may help.
Error npm_failure(std::string_view output, std::string message, std::string subject);

}  // namespace las::source
