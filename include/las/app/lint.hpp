// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/base/diagnostics.hpp"

#include <string>
#include <vector>

namespace las::app {

struct LintResult {
  std::size_t checked = 0;  ///< documents
  Diagnostics diagnostics;
};

/// Checks every YAML file below `paths` (none: the shipped and the site's manifests and policies)
/// as what it is: a document with `policies:` is a policy, anything else a manifest.
LintResult lint(Session& session, const std::vector<std::string>& paths);

}  // namespace las::app
