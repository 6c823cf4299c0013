// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/catalog/manifest.hpp"
#include "las/hardware/profile.hpp"
#include "las/state/records.hpp"

#include <string>
#include <vector>

namespace las::app {

/// A GPU, or a part of one that is divided by MIG.
struct ChosenGpu {
  const hardware::Gpu* gpu = nullptr;
  std::string part;  ///< UUID of the MIG instance; "" = all of it
};

/// The GPUs that `wish` stands for: "none"; "all" (those of the vendor that `needs` names, else
/// those that a model would run on); or a list of places in the list of GPUs as `las detect` has it
/// ("0,1"), UUIDs (of MIG instances too) and PCI addresses. "" is "all" where `needs` asks for a
/// GPU and "none" elsewhere.
///
/// NotFound for one that is not there, Unsatisfiable for one whose driver does not work; Usage for
/// one that stands twice. Pure.
std::vector<ChosenGpu> choose_gpus(const std::vector<hardware::Gpu>& gpus,
                                   const std::string& wish,
                                   const catalog::HardwareNeeds& needs);

/// What the module's installed variant needs of the machine.
catalog::HardwareNeeds variant_needs(const catalog::Manifest& manifest,
                                     const state::InstalledModule& module);

/// The GPUs that the service gets by its option "gpu" and its module's variant, with the files by
/// which it reaches them and, for a container, the names that the engine knows them by.
/// Unsatisfiable where the engine cannot be told of one.
std::vector<state::GrantedGpu> grant_gpus(Session& session,
                                          const state::ServiceInstance& instance,
                                          const state::InstalledModule& module,
                                          const catalog::Manifest& manifest,
                                          const Activity& activity);

}  // namespace las::app
