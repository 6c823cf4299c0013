// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/model/library.hpp"

#include <string>
#include <vector>

namespace las::app {

/// Takes the lock; see model::ModelLibrary for what can go wrong.
model::ModelLibrary::Import import_model(Session& session,
                                         const std::string& file,
                                         const std::string& name,
                                         const Activity& activity);
void remove_model(Session& session, const std::string& name, const Activity& activity);
std::vector<state::ModelRecord> models(Session& session);

}  // namespace las::app
