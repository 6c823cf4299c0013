// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/install.hpp"
#include "las/app/models.hpp"
#include "las/app/session.hpp"
#include "las/lockfile/difference.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace las::app {

struct ApplyRequest {
  std::string file;  ///< a lock or a las.yaml
  lockfile::Prune prune = lockfile::Prune::No;
  std::vector<std::filesystem::path> model_folders;  ///< where files of models may lie
};

/// What a document asks for and what of it is not so.
struct Comparison {
  lockfile::Document wanted;
  std::vector<lockfile::Difference> differences;
};

/// Reads the document and compares. Changes nothing and needs no lock. InvalidData lists every
/// fault of the document; Unsatisfiable, with both facts, for a lock that another machine's needs
/// made.
Comparison compare(Session& session, const ApplyRequest& request, const Activity& activity);

/// How the machine becomes what the document says, to show before it is done.
struct PreparedApply {
  Comparison comparison;
  PreparedPlan plan;                     ///< modules, wishes and services: one transaction
  std::vector<ModelImport> imports;      ///< before it
  std::vector<std::string> start, stop;  ///< services, after it
  std::vector<std::string> forget;       ///< models, last
  bool empty() const;
};

/// Looks for everything that could keep it from being done before anything is: a release, a source
/// or a build that the catalog no longer has (Unsatisfiable, with what to type), other bytes than a
/// lock names (Integrity), a model's file that is not there (NotFound) or is another (Integrity), a
/// port that is taken (Busy), what a policy denies (PolicyDenied). Changes nothing, needs no lock.
/// A document that the machine meets gives an empty one.
PreparedApply prepare_apply(Session& session,
                            const ApplyRequest& request,
                            const Activity& activity);

struct Applied {
  std::optional<transaction::Result> transaction;  ///< nothing: no module or service changed
  std::vector<lockfile::Difference> remaining;     ///< what differs still: should be none
};

/// Does it, in steps that are each done or not: models come in, then the transaction, then services
/// start and stop, then models are forgotten. A failure says what was done; running it again goes
/// on from there. Takes the lock; Busy when another run changed the state since it was prepared.
Applied apply(Session& session,
              const ApplyRequest& request,
              const PreparedApply& prepared,
              const Activity& activity);

}  // namespace las::app
