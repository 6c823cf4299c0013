// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/transaction/garbage.hpp"

#include <filesystem>
#include <vector>

/// Making room: what nothing needs, and what can be had again.
namespace las::app {

transaction::Survey plan_collection(Session& session,
                                    const transaction::GarbageRules& rules,
                                    const Activity& activity);
transaction::Collected collect(Session& session,
                               const transaction::GarbageRules& rules,
                               const std::vector<transaction::Garbage>& wanted,
                               const Activity& activity);

/// A part of the cache: everything in it can be had or made again.
struct CachePart {
  std::filesystem::path path;
  ByteSize size;
};

/// Finished and partial downloads, the compiled catalog, what was learnt of programs.
std::vector<CachePart> cache_parts(Session& session);
/// Takes the lock: a run in flight needs its downloads.
void clean(Session& session, const std::vector<CachePart>& parts, const Activity& activity);

}  // namespace las::app
