// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/layout.hpp"
#include "las/state/store.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace las::model {

/// The models of this machine: blobs by digest below <state>/models/blobs, records in the state.
class ModelLibrary {
 public:
  ModelLibrary(platform::FileSystem& files,
               platform::Clock& clock,
               const platform::Layout& layout,
               state::StateStore& store);

  struct Import {
    state::ModelRecord record;
    bool was_present = false;  ///< the same name and content were there already
  };

  /// The name that import_file() would use, after all that can be said against its arguments
  /// without writing: NotFound, Permission, InvalidData for the file; Usage for the name.
  std::string check_import(const std::filesystem::path& path, std::string name) const;

  /// What import_file() would record of the file, but for its name and place: it is hashed and
  /// nothing is written. The same errors as check_import().
  state::ModelRecord inspect(const std::filesystem::path& path, const Activity& activity) const;

  /// For documents that say what the library should hold. Another content under a name in use takes
  /// that name over; the old one stays while a generation serves it.
  struct Expectation {
    Digest digest;            ///< Integrity, and nothing recorded, when the file has another
    std::string source = {};  ///< to record in place of the file's path; "" = the path
  };

  /// Checks the file (format by content, not by name), hashes it, clones it into the blob store
  /// (reflink or copy; free space is checked first) and records it. `name` empty: from the file
  /// name
  /// ("Tiny-Model.Q4_0.gguf" → "tiny-model.q4_0"). Another content under a name in use is Busy with
  /// a hint. A blob that is damaged or gone is made whole. Interrupted or failed: nothing is left
  /// behind; killed: the next import sweeps it up. Who calls holds the writer lock.
  Import import_file(const std::filesystem::path& path,
                     std::string name,
                     const Activity& activity,
                     const std::optional<Expectation>& expected = std::nullopt);

  /// Forgets the model and deletes its blob when no other record and no generation uses it; Busy
  /// when a service of the current generation serves it. Who calls holds the writer lock.
  void remove(const std::string& name, const Activity& activity);

  std::filesystem::path blob_path(const Digest& digest) const;

  /// Model by name; NotFound with the nearest name as hint.
  state::ModelRecord get(const std::string& name) const;

 private:
  void record(const state::ModelRecord& model);

  platform::FileSystem& files_;
  platform::Clock& clock_;
  const platform::Layout& layout_;
  state::StateStore& store_;
};

}  // namespace las::model
