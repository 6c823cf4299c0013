// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

/// Every key of a policy document and of a policy test, by the name of its object. Tests keep them
/// equal to share/schema/policy.schema.json and policy-test.schema.json.
namespace las::policy {

using Keys = std::vector<std::string>;

inline const std::map<std::string, Keys> kKeys = {
    {"document", {"schema", "policies"}},
    {"rule",
     {"name",
      "description",
      "tier",
      "extends",
      "replaces",
      "conditions",
      "allow",
      "instead",
      "deny"}},
    {"allow", {"max_model_size", "runtimes", "features"}},
    {"test", {"schema", "defaults", "machines", "expect"}},
    {"test.expect", {"tier", "models", "features", "allow", "deny", "why"}},
};

/// The keys of a map of conditions, and those of a comparison with a named fact.
Keys condition_keys();
Keys comparison_keys();

}  // namespace las::policy
