// SPDX-License-Identifier: Apache-2.0
// The language of tests/scenario/*.test: its sections as values, and an outcome as text.
#pragma once

#include "las/plan/plan.hpp"

#include <map>
#include <string>

namespace scenario {

/// By name without "@"; MACHINE, POLICY, CATALOG and INSTALLED may be absent.
using Sections = std::map<std::string, std::string>;

Sections split(const std::string& text);
las::hardware::HardwareProfile machine(const std::string& text);
/// `source_directory` is where share/ lies, for the word "shipped".
las::catalog::Catalog catalog(const std::string& text, const std::string& source_directory);
std::vector<las::policy::Rule> policy(const std::string& text, const std::string& source_directory);
las::state::Generation installed(const std::string& text);
las::resolve::Request request(const std::string& text);

/// Resolves and plans, or answers a question; what comes of it as @EXPECT spells it.
std::string run(const Sections& sections, const std::string& source_directory);

}  // namespace scenario
