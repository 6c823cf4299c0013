// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/catalog/manifest.hpp"
#include "las/fetch/fetch.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/layout.hpp"
#include "las/platform/process.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace las::source {

/// What a kind of source works with; all references outlive it.
struct Surroundings {
  platform::FileSystem& files;
  platform::ProcessRunner& processes;
  fetch::Fetcher& fetcher;
  const platform::Environment& environment;
  const platform::Layout& layout;
  /// The container engine that images go into; "" = the first that is here.
  std::string container_engine = {};
};

/// What is to be staged.
struct StageRequest {
  std::string module;   ///< "engine"
  std::string version;  ///< release version
  std::string variant;
  const catalog::Source* source = nullptr;
  std::string manifest_directory;  ///< for ManifestFile::from
  std::filesystem::path staging;   ///< an empty folder of this transaction, beside the store
  /// Digests pinned at an earlier install, by URL.
  std::function<std::optional<Digest>(const std::string& url)> pinned;
  /// Whether the store has this payload and it is whole: its recorded digest is compared with what
  /// is there now. A kind that knows the name before it fetches asks, and then has nothing to do.
  std::function<bool(const std::string& store_name)> in_store;
  /// Must be called before anything outside the store is changed: it makes the intent durable.
  std::function<void(const std::string& before, const std::string& wanted)> journal_external;
};

/// One input of a payload that has a digest.
struct InputArtifact {
  std::string from;  ///< its first URL (mirrors are the same bytes), or what the kind calls it
  Digest digest;
  bool operator==(const InputArtifact&) const = default;
};

/// A payload ready to be moved into the store (or, for apt, packages already there).
struct Staged {
  /// Folder below `staging`; empty for sources outside the store and where `in_store` said so.
  std::filesystem::path payload;
  std::string store_name;  ///< "<name>-<version>-<digest12>"; "" likewise
  std::string identity;    ///< what digest12 was made of: equal inputs give equal store names
  std::string delivered;   ///< real version when it differs
  std::string detail;      ///< URL, packages, requirement
  std::map<std::string, std::string> executables;  ///< name → path in the payload (apt: absolute)
  std::map<std::string, Digest> newly_pinned;      ///< by URL
  std::vector<InputArtifact> artifacts;            ///< what the payload was made of
  std::optional<std::string> external_before, external_wanted;
};

/// What changes something outside the store, and knows how to take it back from a record of what
/// was there before. Stateless.
class ExternalKind {
 public:
  ExternalKind() = default;
  ExternalKind(const ExternalKind&) = delete;
  ExternalKind& operator=(const ExternalKind&) = delete;
  virtual ~ExternalKind() = default;

  /// As records name it: "apt", "sysctl".
  virtual std::string kind() const = 0;

  /// Takes back what was done outside the store, from the journaled intent; idempotent. Removes
  /// only what that change brought.
  /// `wanted_by_others`: the records of other installed modules; what they name stays.
  virtual void undo_external(const std::string& before,
                             const std::string& wanted,
                             const std::vector<std::string>& wanted_by_others,
                             const Activity& activity);

  /// When the module that made the change `wanted` leaves: the part of it that a module which
  /// stays, recorded as `needed_by`, goes on needing. A record for that module to keep, with the
  /// same `before`, so that the last one takes it back; "" if it needs none of it. Pure.
  /// CorruptState for a damaged record.
  virtual std::string inherited(const std::string& wanted, const std::string& needed_by) const;

  /// The packages that `wanted` asked for with the versions that are there now, for kinds that
  /// install outside the store; what is not there has the version "".
  virtual std::map<std::string, std::string> versions(const std::string& wanted,
                                                      const Activity& activity);

  /// Whether what it brought stays when a module leaves, until no generation that is kept names it
  /// any more: to go back to one must not need the network.
  virtual bool stays_for_rollback() const { return false; }

  /// What undo_external() would take away, as one name for a list of it: the image. "" for nothing,
  /// and for kinds that do not stay. Pure.
  virtual std::string brought(const std::string& before, const std::string& wanted) const;

  /// Whether what `wanted` brought is still there, for verify: the faults found. Io, with a hint,
  /// when it cannot be looked at.
  virtual std::vector<std::string> verify_external(const std::string& wanted,
                                                   const Activity& activity);
};

/// One kind of source. Stateless. Implemented once each in src/source/<kind>.cpp.
class SourceKind : public ExternalKind {
 public:
  /// Whether it can be tried on this machine at all, without the network: "" when it can, else the
  /// reason as one translated clause ("apt has no package foo", "python3-venv is missing").
  virtual std::string unavailable(const catalog::Source& source, const Activity& activity) = 0;

  /// The version that this source would deliver now, for kinds where that is decided elsewhere; ""
  /// for the others, and where it cannot be known without the network.
  virtual std::string newest(const catalog::Source& source, const Activity& activity);

  /// What of this source is not on the machine yet, for kinds that install outside the store
  /// (packages); empty for the others.
  virtual std::vector<std::string> absent(const catalog::Source& source, const Activity& activity);

  /// Where it comes from, for the plan: the first URL, the packages, the requirement.
  virtual std::string describe(const catalog::Source& source) const = 0;

  /// The same source, bound to bytes that were had before: it can deliver nothing else. Integrity
  /// when it names other bytes for one of them; Unsatisfiable when it is made of other parts, or of
  /// none that have a digest. Pure.
  virtual catalog::Source bound_to(const catalog::Source& source,
                                   const std::vector<InputArtifact>& artifacts) const;

  /// What stage() will fetch through the fetcher, as far as it is known without asking anybody:
  /// several modules' downloads run side by side then. Empty for kinds that fetch by themselves.
  virtual std::vector<fetch::Artifact> artifacts(const StageRequest& request) const;

  /// Fetches and unpacks. On any Error the staging folder is the caller's to remove; changes
  /// outside it were announced through journal_external and are undone by undo_external. Network
  /// means "the next source may be tried"; Integrity and hostile content end the install.
  virtual Staged stage(const StageRequest& request, const Activity& activity) = 0;
};

/// A change of the system besides packages that a module needs (catalog::SystemChanges), one kind
/// of it.
class SystemStep : public ExternalKind {
 public:
  /// This kind's part of the changes, as the record of what is wanted; "" if it has none.
  virtual std::string wanted(const catalog::SystemChanges& changes) const = 0;

  /// Why it cannot be done here, as one translated clause; "" if it can.
  virtual std::string unavailable() const = 0;

  /// What is there now of what `wanted` names, as the record of what was before.
  virtual std::string look(const std::string& wanted, const Activity& activity) = 0;

  /// Makes it so; what is there already stays. The intent was made durable before. Idempotent.
  virtual void apply(const std::string& before,
                     const std::string& wanted,
                     const Activity& activity) = 0;
};

std::unique_ptr<SourceKind> make_archive_source(Surroundings surroundings);
std::unique_ptr<SourceKind> make_apt_source(Surroundings surroundings);
std::unique_ptr<SourceKind> make_python_source(Surroundings surroundings);
std::unique_ptr<SourceKind> make_npm_source(Surroundings surroundings);
std::unique_ptr<SourceKind> make_deb_source(Surroundings surroundings);
std::unique_ptr<SourceKind> make_image_source(Surroundings surroundings);

/// The container engine that has the image, by what stage() of kind "image" gave as
/// external_wanted. CorruptState for a damaged record.
std::string image_engine(const std::string& wanted);

/// What that engine is to run, by the same record: what can mean no other image, its digest or its
/// id. CorruptState.
std::string image_to_run(const std::string& wanted);

/// Every kind, by name. The one list a new kind is added to.
std::map<std::string, std::unique_ptr<SourceKind>> make_source_kinds(Surroundings surroundings);

/// Kernel parameters: set at once, and for every boot by /etc/sysctl.d/60-las.conf.
std::unique_ptr<SystemStep> make_sysctl_step(Surroundings surroundings);
/// System groups and accounts, by the distribution's groupadd and useradd.
std::unique_ptr<SystemStep> make_accounts_step(Surroundings surroundings);

/// Every kind, in the order in which they are done.
std::vector<std::unique_ptr<SystemStep>> make_system_steps(Surroundings surroundings);

}  // namespace las::source
