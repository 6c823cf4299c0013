// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <string>
#include <vector>

namespace las::app {

/// How `las repair` mends a finding.
enum class Mend {
  ByHand,      ///< it cannot
  Reinstall,   ///< the module's payload or packages are brought anew
  Converge,    ///< links, units and services are made what the generation says
  Collect,     ///< what nothing uses is removed
  Import,      ///< the model is taken from the file that it came from
  CloseState,  ///< others may no longer write into the folder of the state
};

/// One thing that is not as recorded.
struct Finding {
  std::string id;       ///< stable: "payload-damaged", "unit-edited" ...; las(1) lists them
  std::string subject;  ///< module, service or model
  std::string evidence;
  std::string mend;  ///< what to type
  Mend by = Mend::ByHand;
};

/// Every id that a finding may have, with what it means: for the manual.
struct FindingKind {
  const char *id, *meaning;
};

const std::vector<FindingKind>& finding_kinds();

enum class Depth {
  Glance,  ///< what is there, without reading contents: for every run that changes something
  Quick,   ///< and every record of the state, which grows with all that las ever did
  Full,    ///< and every payload hashed
  Deeply,  ///< and the models
};

/// Compares the store, the links, the services, ports, packages, models and policies with the
/// state. `names` limits it to these modules; NotFound for one that is not installed. Damage of the
/// state itself is a finding, not an Error; it is looked for beyond a glance.
std::vector<Finding> verify(Session& session,
                            const std::vector<std::string>& names,
                            Depth depth,
                            const Activity& activity);

/// Takes the writer lock (Session::writer) and warns of everything that the world changed behind
/// las's back: nothing of it is mended without being asked for. Every use case that makes a
/// transaction begins with it. What concerns `expected` (services that the run is about) is no
/// news.
transaction::Transactor& writer_that_looks(Session& session,
                                           const Activity& activity,
                                           const std::vector<std::string>& expected = {});

struct RepairResult {
  std::vector<Finding> mended, left;  ///< left: with why, where the try failed
  std::vector<std::string> notes;     ///< what the user has to know: where an edited unit is kept
};

/// Mends what `findings` lists and las can mend, then looks again. The user's edits of a unit are
/// saved first.
RepairResult repair(Session& session,
                    const std::vector<Finding>& findings,
                    const Activity& activity);

}  // namespace las::app
