// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/diagnostics.hpp"
#include "las/base/digest.hpp"
#include "las/base/version.hpp"
#include "las/state/records.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Pure: the documents that say what a machine should be (share/schema/lock.schema.json), as text
/// and as values, and what differs between two of them.
namespace las::lockfile {

/// What a payload is made of, in a lock; in las.yaml nothing.
struct Provenance {
  std::string kind;       ///< of source: "archive", "apt", "python"
  std::string delivered;  ///< the version it really has; "" = the release's
  std::vector<state::InstalledArtifact> artifacts;
  std::vector<std::string> requirements;        ///< python: the hash-locked lines, sorted
  std::map<std::string, std::string> packages;  ///< of the distribution, with their versions
  bool operator==(const Provenance&) const = default;
};

/// A module that is there (lock) or wished for (las.yaml).
struct Module {
  std::string name;
  VersionRange version;  ///< lock: exactly one; las.yaml: any range
  std::string variant;   ///< las.yaml: "" = the best
  std::string mode;      ///< las.yaml: "" = as preferred
  state::Reason reason = state::Reason::User;
  std::optional<bool> hold;  ///< las.yaml; absent: as it is
  Provenance source;
  int line = 0;  ///< where it stands; 0: in no document

  /// The version of a lock's module.
  std::string exact_version() const;
};

struct Model {
  std::string name, format;
  std::optional<Digest> digest;
  std::optional<ByteSize> size;
  std::string source;  ///< lock: the name of the file, without the folders of its machine
  std::string path;    ///< las.yaml: where to take it from, relative to the document
  int line = 0;
};

struct Service {
  std::string name;
  std::string model;   ///< "" : the module's own service
  std::string engine;  ///< las.yaml: "" = the installed one that serves the format
  std::optional<Digest> model_digest;
  std::string host;                   ///< "" = as it is made today
  std::optional<std::uint16_t> port;  ///< las.yaml: absent = a free one, or as it is
  /// las.yaml: absent = as they are
  std::optional<std::map<std::string, std::string>> options;
  bool running = true;
  int line = 0;
};

/// What of the machine the choice of builds depended on: bounds that another has to meet.
struct Machine {
  std::string architecture;
  std::string gpu_vendor;
  std::optional<Version> compute_capability_min, driver_min, cuda_min, glibc_min;
  std::optional<ByteSize> vram_min;
  std::vector<std::string> cpu_features;
  bool operator==(const Machine&) const = default;
};

struct PolicyDocument {
  std::string name, layer;
  Digest digest;
  bool operator==(const PolicyDocument&) const = default;
};

struct PolicyOverride {
  std::string capability, reason;
  bool operator==(const PolicyOverride&) const = default;
};

/// A lock (what is there, to the byte) or a las.yaml (what is wished for).
struct Document {
  enum class Kind { Lock, Wishes } kind = Kind::Wishes;
  Machine machine;                        ///< lock
  std::vector<PolicyDocument> policies;   ///< lock
  std::vector<PolicyOverride> overrides;  ///< lock: what the choice rested on
  std::vector<state::WorldEntry> world;   ///< lock: what was asked for
  std::vector<Module> modules;            ///< sorted by name, like all that follows
  std::vector<Model> models;
  std::vector<Service> services;

  const Module* find_module(const std::string& name) const;
  const Model* find_model(const std::string& name) const;
  const Service* find_service(const std::string& name) const;
};

/// The range that holds this version alone; any() for a text that is no version.
VersionRange exactly(std::string_view version);

/// Reads either kind. Every fault goes to `diagnostics`: unknown keys, wrong types and words,
/// missing keys, names given twice, services of models that a lock does not name. Use the result
/// only when there is none.
Document parse(std::string_view text, const std::string& file, Diagnostics& diagnostics);

/// A lock as YAML, the same bytes for the same value. parse() gives the value back.
std::string render(const Document& lock);
/// The same as one JSON object.
std::string to_json(const Document& lock);

}  // namespace las::lockfile
