// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/lint.hpp"
#include "las/app/session.hpp"
#include "las/policy/test_file.hpp"

#include <string>
#include <vector>

/// Use cases about the policies themselves. The verdict on a machine is Session::verdict.
namespace las::app {

/// The policy documents that count here, in the order of evaluation: what las ships, then this
/// site's <config>/policies.d/*.yaml (/etc/las below --root, the user's folder with --user).
std::vector<policy::Document> policy_documents(Session& session);

/// Every name that some rule allows or denies, sorted.
std::vector<std::string> ruled_capabilities(Session& session);

/// NotFound, with a suggestion, for a name that neither a rule nor the catalog knows.
void require_capability(Session& session, const std::string& name, const Activity& activity);

struct PolicyTest {
  std::size_t machines = 0, expectations = 0;
  std::vector<policy::Mismatch> mismatches;
};

/// Runs a test file (see policy::parse_test_file) against the rules in force, without overrides.
/// InvalidData lists every fault of the file.
PolicyTest test_policies(Session& session, const std::string& file);

/// Checks policy files together with the rules in force, and that their tiers take every machine
/// exactly once. `paths`: files or folders, of which each counts as this site's; a file that las
/// ships, or that is named like one, stands in for that one. None: the rules in force.
LintResult lint_policies(Session& session, const std::vector<std::string>& paths);

/// Adds the faults of `documents`, judged together with the rules in force.
std::vector<policy::Rule> check_documents(Session& session,
                                          std::vector<policy::Document> documents,
                                          Diagnostics& diagnostics);

}  // namespace las::app
