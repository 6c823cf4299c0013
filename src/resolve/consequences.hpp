// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/resolve/resolve.hpp"

#include <string>
#include <vector>

namespace las::resolve {

const Choice* find_choice(const Resolution& resolution, const std::string& name);

/// As resolve(), without looking for what could be had instead, which is many resolutions more.
Outcome resolve_without_advice(const Request& request, const World& world);

/// What a resolution does to installed modules other than `asked` that nobody would want: going
/// back to an older release, or leaving.
std::vector<Explanation::Reason> consequences(const Resolution& resolution,
                                              const World& world,
                                              const std::string& asked);

}  // namespace las::resolve
