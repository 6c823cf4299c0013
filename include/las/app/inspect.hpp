// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <string>
#include <vector>

/// Use cases that only look.
namespace las::app {

/// An engine (a module that serves models, or of category runtime) judged for this machine by the
/// resolver.
struct EngineFit {
  std::string name, version, variant;
  bool usable = false;
  std::string why;  ///< why this variant, or why not
};

struct DetectResult {
  hardware::HardwareProfile profile;
  policy::Verdict verdict;
  std::vector<EngineFit> engines;
};

DetectResult detect(Session& session, const Activity& activity);

/// One thing that is not as recorded.
struct Finding {
  std::string id;       ///< stable: "store-damaged", "payload-missing", "unit-missing" ...
  std::string subject;  ///< module, service or model
  std::string evidence;
  std::string mend;  ///< what to type
};

/// Compares the store, the links, the services and the models with the state. Hashes every payload;
/// `deep` hashes the models too. `names` limits it to these modules. Damage of the state itself is
/// always looked for, and is a finding, not an Error.
std::vector<Finding> verify(Session& session,
                            const std::vector<std::string>& names,
                            bool deep,
                            const Activity& activity);

}  // namespace las::app
