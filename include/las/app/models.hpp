// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/model/library.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace las::app {

/// Checks its arguments, then takes the lock: only what came so far is in the history. See
/// model::ModelLibrary for what can go wrong.
model::ModelLibrary::Import import_model(Session& session,
                                         const std::string& file,
                                         const std::string& name,
                                         const Activity& activity);

struct ModelImport {
  std::string name;
  std::filesystem::path path;
  Digest digest;  ///< that the file has to have
  ByteSize size;
  std::string format;
  std::string source;  ///< to record in place of the path; "" = the path
};

/// Takes several models in, as one line of history; a name that is in use goes over to the new
/// content. Integrity when a file is not what it should be: what came before it stays. Takes the
/// lock.
void import_models(Session& session,
                   const std::vector<ModelImport>& imports,
                   const Activity& activity);

void remove_model(Session& session, const std::string& name, const Activity& activity);
std::vector<state::ModelRecord> models(Session& session);

/// NotFound with the nearest name as hint.
state::ModelRecord model_named(Session& session, const std::string& name);

/// What makes the library's file of a model whole again.
std::string import_again(Session& session, const state::ModelRecord& model);

/// CorruptState, with import_again() as hint, when the library's file of a model that is to be
/// served is gone or has another size. Its content is not read.
void require_model_file(Session& session, const std::string& name, const std::string& digest);

}  // namespace las::app
