// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/digest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What las remembers. Plain values; times are ISO 8601 UTC text. The JSON spelling of each record
/// is the on-disk format and changes only with a schema version and a migration.
namespace las::state {

enum class Reason { User, Dependency, Optional };
std::string_view to_string(Reason reason);

/// What the user asked for: the intent.
struct WorldEntry {
  std::string module;
  std::string range;    ///< version wish, "" = any
  std::string variant;  ///< "" = the best
  std::string mode;     ///< "" = as policy and manifest prefer
  bool held = false;    ///< neither changed nor removed
  bool wished = true;   ///< false: it came with others, and the user only holds it
  bool operator==(const WorldEntry&) const = default;
};

/// A change outside the store and how to take it back (apt packages, users). Written to the journal
/// before the act; kept in the generation while something needs it.
struct ExternalChange {
  std::string kind;    ///< source kind that knows how to undo it: "apt"
  std::string before;  ///< that kind's own JSON: what was there
  std::string wanted;  ///< that kind's own JSON: what it brings
  bool operator==(const ExternalChange&) const = default;
};

/// What a payload was made of, so that a lock can ask for the same again.
struct InstalledArtifact {
  std::string from;  ///< its first URL, mirrors left out; or what its kind of source calls it
  Digest digest;
  bool operator==(const InstalledArtifact&) const = default;
};

struct InstalledModule {
  std::string name;
  std::string version;    ///< of the release that was resolved
  std::string delivered;  ///< what the source really delivered ("" = the same)
  std::string variant, mode;
  Reason reason = Reason::User;
  std::string source;                 ///< "archive", "apt", "python"
  std::string source_detail;          ///< URL, packages or requirement: where it came from
  std::string store_name;             ///< folder in the store; "" for sources outside the store
  std::optional<Digest> tree_digest;  ///< of the payload, for verify
  bool pinned_now = false;            ///< the digest was unknown before this install
  ByteSize size;
  std::string installed_at;
  std::map<std::string, std::string> executables;  ///< name → absolute path
  std::vector<ExternalChange> external;
  std::vector<std::string> requires_modules;  ///< names, for autoremove and refusal to remove
  std::vector<InstalledArtifact> artifacts;   ///< empty: a kind without, or an older record
  std::string data_format;  ///< of what its services write; "" where that was never said
  /// What its manifest said of how its service runs (las/catalog/recipe.hpp); empty for one without
  /// a service, and in an older record.
  std::map<std::string, std::string> recipe;
  bool operator==(const InstalledModule&) const = default;
};

/// Made once in a service's data folder, before its first start: `command` makes it at
/// "<makes>.new", which is then renamed to `makes`.
struct PreparedPath {
  std::string makes;  ///< absolute path
  std::vector<std::string> command;
  bool operator==(const PreparedPath&) const = default;
};

/// How a service is looked at while it runs.
struct HealthRules {
  std::vector<std::string> command;                ///< of kind "exec"
  std::map<std::string, std::string> environment;  ///< likewise; {word} stands for the secret
  std::string expect;  ///< of kind "http" and "exec": text that the answer must hold; "" = any
  std::int64_t interval_s = 30;    ///< between two looks
  std::int64_t timeout_ms = 5000;  ///< of one look
  std::int64_t retries = 3;        ///< looks in a row that fail until it counts as ill
  bool operator==(const HealthRules&) const = default;
};

/// What a service may use of the machine at most; nothing, 0 and "": no limit of its own.
struct ServiceLimits {
  std::optional<ByteSize> memory;
  std::int64_t cpu_percent = 0;  ///< of one core
  std::int64_t tasks = 0;
  std::int64_t io_weight = 0;
  std::string cpus;        ///< "0-3,8"
  std::string numa_nodes;  ///< where its memory may be: "0,2-3"
  bool operator==(const ServiceLimits&) const = default;
};

/// A service that is started by the first request to its port and stopped when nobody asks it any
/// more.
struct OnDemand {
  std::uint16_t inner_port = 0;  ///< where the service itself listens
  std::int64_t idle_s = 600;     ///< without a connection until it is stopped
  bool operator==(const OnDemand&) const = default;
};

/// A GPU that a service may use, by what does not change when another one is put in beside it.
struct GrantedGpu {
  std::string vendor;                ///< "nvidia", "amd", "intel"
  std::string id;                    ///< its UUID where the driver tells it, else its PCI address
  std::vector<std::string> nodes;    ///< its device files, with those that all of its vendor share
  std::vector<std::int64_t> groups;  ///< whose members may open those that not everybody may
  std::string cdi;  ///< its name to container engines, "VENDOR/CLASS=NAME"; "" = by its files
  bool operator==(const GrantedGpu&) const = default;
};

/// What runs a service from an image. The image stands by its digest.
struct ContainerRun {
  std::string engine;  ///< platform::ContainerEngine::name()
  std::string image;   ///< "NAME@sha256:..."
  /// The engine's options before the image, without those that say who watches it; and the words
  /// after it.
  std::vector<std::string> options, command;
  std::string network;  ///< addresses of the network that it is in; "" in older records
  /// Of an engine with a daemon: who makes its control groups, "systemd" or "cgroupfs".
  std::string cgroup_driver;
  /// Who its program runs as within the container, "" if as root. By numbers, "999:999", where las
  /// gives it its data; else as the image has it.
  std::string user;
  bool operator==(const ContainerRun&) const = default;
};

/// A service as a generation fixes it: everything needed to run and to render its unit.
struct ServiceInstance {
  std::string id;  ///< deployment or module name; unit is las-<id>.service
  std::string module;
  std::string model;         ///< deployment: model name; "" otherwise
  std::string model_digest;  ///< deployment: content it serves
  std::uint16_t port = 0;
  std::string host = "127.0.0.1";
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;
  std::string health_kind, health_path;  ///< "http" "/health"; "tcp"; "exec"; "none"
  std::int64_t start_period_s = 60;
  std::string stop_signal = "SIGTERM";
  std::int64_t stop_timeout_s = 20;
  std::string api;      ///< "openai" or ""
  std::string metrics;  ///< path on its port where it tells Prometheus its numbers; "" = nowhere
  std::string data_directory;
  std::map<std::string, std::string> options;  ///< that were set; the manifest's defaults are not
  std::string unit_text;                       ///< rendered; the generation's units/ holds the same
  /// Units that go with it (its health timer, its socket), by name, rendered likewise.
  std::map<std::string, std::string> more_units;
  std::vector<PreparedPath> prepare;
  /// Configuration files by name, which lie in the generation's services/<id>/.
  std::map<std::string, std::string> config;
  /// What its secret files hold, by name: {word} stands for the secret, which is never in a record.
  std::map<std::string, std::string> secrets;
  bool notifies = false;          ///< it tells systemd when it is ready
  std::string network = "local";  ///< who may reach it: "local" this machine, "lan", "public"
  bool asks_for_word = false;     ///< who connects has to know the service's secret
  std::vector<std::string> uses;  ///< ids of services of the modules that its own needs
  HealthRules health;
  ServiceLimits limits;
  std::optional<OnDemand> on_demand;
  std::optional<ContainerRun> container;  ///< argv is then the engine's whole command
  std::vector<GrantedGpu> gpus;           ///< that it may use; no other is open to it
  bool operator==(const ServiceInstance&) const = default;

  /// The address at which this machine reaches it.
  std::string reachable_host() const { return host == "0.0.0.0" ? "127.0.0.1" : host; }

  /// Where the service itself listens: behind its socket, where it has one.
  std::uint16_t own_port() const { return on_demand ? on_demand->inner_port : port; }
};

/// One complete, numbered state. Immutable once committed.
struct Generation {
  std::uint64_t number = 0;  ///< 0 is the empty state before the first install
  std::uint64_t parent = 0;
  std::string created_at, operation_id, command;
  std::vector<InstalledModule> modules;   ///< sorted by name
  std::vector<ServiceInstance> services;  ///< sorted by id
  std::vector<WorldEntry> world;          ///< sorted by module
  bool operator==(const Generation&) const = default;

  const InstalledModule* find(const std::string& name) const;
  const ServiceInstance* find_service(const std::string& id) const;
};

/// Wanted state of a service, outside the generations: `stop` and `start` change it.
struct ServiceWish {
  std::string id;
  bool running = true;
  /// Whether it starts with the machine; nothing: as `running` says.
  std::optional<bool> at_boot;
  bool kept_from_boot = false;  ///< by las itself, until it is started anew: it never got well
  bool operator==(const ServiceWish&) const = default;

  bool starts_at_boot() const { return !kept_from_boot && at_boot.value_or(running); }
};

/// What the looks at a running service have found. It belongs to the machine, not to a generation.
struct HealthRecord {
  std::string service;
  std::string checked_at;
  bool healthy = false;
  std::string reason;         ///< of the last look: "200 from /health", "connection refused"
  std::string since;          ///< when `healthy` last changed
  std::int64_t failures = 0;  ///< looks in a row that failed
  std::int64_t restarts = 0;  ///< by las, since it was last well for a while
  std::string restart_after;  ///< not again before this instant; "" = at once
  std::string gave_up;        ///< why las restarts it no more; "" = it does
  bool operator==(const HealthRecord&) const = default;
};

/// In which format the data of a service is that lies on the disk now. It outlives the service and
/// its generations, as the data does.
struct DataRecord {
  std::string service;
  std::string module, version;  ///< the release that wrote it last
  std::string format;
  bool operator==(const DataRecord&) const = default;
};

/// A service's data, put aside when a change of its format was due, to go back to.
struct DataSnapshot {
  std::string id;  ///< a folder's name: "<service>-<format>-<operation>"
  std::string service, module;
  std::string format;     ///< of the data in it
  std::string directory;  ///< the service's data directory that it is of
  std::string path;       ///< where it lies
  std::string created_at, operation_id;
  ByteSize size;
  bool operator==(const DataSnapshot&) const = default;
};

struct PortLease {
  std::uint16_t port = 0;
  std::string owner;  ///< service id
  bool operator==(const PortLease&) const = default;
};

struct ModelRecord {
  std::string name;    ///< "tiny"
  std::string format;  ///< "gguf"
  Digest digest;       ///< of the file; it lies in models/blobs/<algorithm>-<hex>
  ByteSize size;
  std::string source;  ///< where it was imported or pulled from
  std::string imported_at;
  std::string architecture, quantization, license;  ///< from the file's own metadata; "" unknown
  std::uint64_t parameters = 0;                     ///< 0 unknown
  std::uint64_t context_length = 0;                 ///< 0 unknown
  std::string note;  ///< e.g. "random weights, talks nonsense", from general.description
  bool operator==(const ModelRecord&) const = default;
};

/// Where a transaction stands. Order matters: recovery undoes before Committed, redoes after.
/// Returning: the new generation was rejected, the old one is current again, and what is left is to
/// converge to it and to remove what the rejected one brought.
enum class Phase { Planned, Staging, Staged, Committed, Returning };
std::string_view to_string(Phase phase);

/// What one transaction does with the data of one service whose format changes.
struct DataMove {
  /// Copy: a snapshot is taken, and the new release migrates the data in its place. Exchange: the
  /// data is put aside as a snapshot, and an earlier snapshot takes its place.
  enum class Kind { Copy, Exchange } kind = Kind::Copy;
  DataSnapshot snapshot;                ///< the one that comes to be
  std::optional<DataSnapshot> restore;  ///< Exchange: the one that is used up
  std::string to_version, to_format;    ///< of the release that takes the data over
  std::string from_version;             ///< of the one that wrote it
  bool done = false;  ///< and recorded: the new release may have started on it since
  bool operator==(const DataMove&) const = default;
};

std::string_view to_string(DataMove::Kind kind);

/// The one transaction in flight, if any; present at start of a run means it was interrupted.
struct Journal {
  std::string operation_id, command, started_at, boot_id;
  Phase phase = Phase::Planned;
  std::uint64_t from_generation = 0, to_generation = 0;
  std::vector<std::string> staged_payloads;  ///< store folders this transaction may have created
  std::vector<ExternalChange> external;      ///< in the order they were begun
  std::vector<ServiceWish> wishes;           ///< as they were before, for the way back
  std::vector<std::string> purge;            ///< folders to delete once all is proven
  std::vector<DataMove> data;                ///< data whose format changes
  bool keep_unhealthy = false;               ///< --no-rollback: what is unhealthy stays
  bool operator==(const Journal&) const = default;
};

/// How long a part of an operation took.
struct OperationStep {
  std::string name;  ///< "fetch", "stage", "commit", "converge", "prove"
  std::int64_t ms = 0;
  bool operator==(const OperationStep&) const = default;
};

/// One line of history; kept for ever.
struct OperationRecord {
  std::string id, command, user, started_at, ended_at;
  std::string outcome;  ///< "running", "done", "failed", "rolled-back", "interrupted"
  std::string error;    ///< message of the failure
  std::uint64_t generation_before = 0, generation_after = 0;
  std::vector<std::string> changes;  ///< "install engine 1.2 (cpu)", one each
  std::string sudo_user;             ///< who called sudo; "" without
  std::vector<OperationStep> steps;  ///< in order; empty in older records
  ByteSize fetched, stored;          ///< bytes that came over the network, and into the store
  bool operator==(const OperationRecord&) const = default;
};

/// A digest fixed at first install for a release whose publisher digest was not in the manifest.
struct PinnedDigest {
  std::string url;
  Digest digest;
  std::string pinned_at;
  bool operator==(const PinnedDigest&) const = default;
};

/// One entry of the audit trail. Entries are only ever added; each holds the digest of the one
/// before, so that none can be changed or left out without every later digest being another.
struct AuditEntry {
  std::uint64_t number = 0;  ///< from 1, without gaps
  std::string at, user, sudo_user, operation_id;
  std::string event;     ///< "operation-done", "generation-current", "model-added" ...
  std::string subject;   ///< what it was done to
  std::string detail;    ///< what a person wants to know of it
  std::string previous;  ///< hash of the entry before; "" of the first
  std::string hash;      ///< of all of the above: see audit_hash()
  bool operator==(const AuditEntry&) const = default;
};

/// What is wrong with a chain of entries: changed, left out or out of order.
struct AuditFault {
  std::uint64_t number = 0;  ///< of the entry
  std::string cause;
  bool operator==(const AuditFault&) const = default;
};

/// `entries`: all of them, oldest first. That the newest are there nobody can tell from the chain
/// alone: for that somebody has to have noted a hash elsewhere.
std::vector<AuditFault> check_audit(const std::vector<AuditEntry>& entries);

/// SHA-256 in hex over the entry's other members in their order, each followed by a NUL.
std::string audit_hash(const AuditEntry& entry);

/// One change of the user's overrides of policies. Events are only ever added: what is in force
/// follows from them, and the number of the last one is the version of the whole.
struct OverrideEvent {
  std::uint64_t number = 0;  ///< from 1, without gaps
  std::string action;        ///< "add", "revert"
  std::string id;            ///< of the override: "ov-3"
  std::string capability, reason;
  std::string until;       ///< last day it holds, as typed ("2026-12-31"); "" = until reverted
  std::string expires_at;  ///< the instant that day ends where it was typed; "" = never
  std::string at, user;
  std::string sudo_user;  ///< who called sudo; "" without
  std::string operation_id;
  bool operator==(const OverrideEvent&) const = default;
};

/// A remote registry of manifests that the user trusts, and what of it was accepted last.
struct RegistryRecord {
  std::string name;
  std::uint64_t number = 0;  ///< order of adding, from 1: later ones win over earlier ones
  std::string url;           ///< of its tree, without credentials
  std::string public_key;    ///< minisign's one line
  std::string added_at, added_by;
  std::uint64_t version = 0;     ///< highest one accepted; 0: none under this key yet
  std::string created, expires;  ///< of the accepted index
  /// Digest of the accepted index: it identifies everything in the copy of the registry, which lies
  /// in registries/<name>/<its hex>. "" before the first.
  std::string snapshot;
  std::string previous_snapshot;  ///< kept for those that were reading it; "" if none
  std::uint64_t packages = 0;
  std::string etag, last_modified;  ///< of the accepted index, for asking again; "" unknown
  std::string accepted_at;          ///< when this index was accepted
  std::string checked_at;           ///< when the registry last said what is current
  bool operator==(const RegistryRecord&) const = default;
};

std::string to_json(const Generation& generation);
Generation generation_from_json(const std::string& text);  ///< CorruptState if it is not one

}  // namespace las::state
