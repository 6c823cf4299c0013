// SPDX-License-Identifier: Apache-2.0
#include "las/app/verify.hpp"

namespace las::app {

// Marks for xgettext without translating at static-initialisation time.
#define N_(text) text

const std::vector<FindingKind>& finding_kinds() {
  static const std::vector<FindingKind> kKinds = {
      {"payload-missing", N_("the folder of an installed module is not in the store")},
      {"payload-damaged", N_("its content is not what was recorded")},
      {"package-missing", N_("a package, account or kernel parameter that a module needs is gone")},
      {"package-unknown", N_("what keeps a module's package or image does not answer")},
      {"generation-damaged", N_("the folder of the current generation is not as recorded")},
      {"link-missing", N_("a link to an executable is gone")},
      {"current-link-wrong", N_("the link to the current generation is gone or leads elsewhere")},
      {"unit-missing", N_("a service has no unit")},
      {"unit-edited", N_("a unit is not as las wrote it")},
      {"unit-unknown", N_("a unit of las that the current generation does not have")},
      {"unit-disabled", N_("a service that is to run would not start at the next boot")},
      {"unit-enabled", N_("a service that was stopped would start at the next boot")},
      {"service-failed", N_("a service ended with an error")},
      {"service-stopped", N_("a service that is to run does not")},
      {"service-given-up", N_("a service runs, is not well, and is restarted no more")},
      {"service-runs", N_("a service that was stopped runs")},
      {"port-taken", N_("something else listens on the port of a service that is to run")},
      {"network-open", N_("no filter of addresses keeps out whom a service is not for")},
      {"policy-denies", N_("a policy denies today what is installed")},
      {"model-missing", N_("the file of a model is gone")},
      {"model-damaged", N_("the file of a model is not what was recorded")},
      {"state-open", N_("others may write into the folder of the state")},
      {"leftover", N_("what an interrupted run left")},
      {"run-interrupted", N_("a run was interrupted; whatever changes something next finishes it")},
      {"state-damaged", N_("a record of the state cannot be read")},
  };
  return kKinds;
}

}  // namespace las::app
