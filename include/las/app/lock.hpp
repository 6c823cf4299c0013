// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/lockfile/document.hpp"

namespace las::app {

/// What "running" says of a service.
enum class ServiceState {
  AsWished,  ///< whether the user wants it to run: what a lock records
  AsFound,   ///< whether it is wished to run and does: what a comparison is about
};

/// What is installed here as a lock. The same state, catalog and policies give the same value. What
/// it cannot hold to its bytes (installed by an earlier las, or no longer in the catalog) is told
/// as a warning. CorruptState when a service serves a model that the library does not name.
lockfile::Document make_lock(Session& session, ServiceState services, const Activity& activity);

}  // namespace las::app
