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

}  // namespace las::app
