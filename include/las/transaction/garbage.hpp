// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/transaction/transaction.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What nothing needs any more. Needed is what the current generation, a generation that is kept, a
/// model's record, or a running process uses.
namespace las::transaction {

struct Garbage {
  enum class Kind {
    Generation,  ///< one that the rules do not keep
    Payload,     ///< in the store, of no generation that stays
    Leftover,    ///< of an interrupted or failed run
    Download,    ///< of nothing that is installed, or half of one
    Model,       ///< a blob that no record names
    Registry,    ///< an older copy of a registry
    Snapshot,    ///< data that no generation that stays could go back to
  };

  Kind kind = Kind::Leftover;
  std::string name;  ///< number, folder or file
  std::filesystem::path path;
  ByteSize size;
  bool operator==(const Garbage&) const = default;
};

std::string_view to_string(Garbage::Kind kind);

struct GarbageRules {
  /// Generations to keep: the current one and the newest. Nothing: all of them.
  std::optional<std::size_t> keep;
  /// Only generations made longer ago than this go. With `keep` both have to allow it.
  std::optional<std::chrono::seconds> older_than;
};

/// A payload that is garbage but for a process that still uses it.
struct InUse {
  std::string name, user;
};

struct Survey {
  std::vector<Garbage> garbage;
  /// Goes with the generations, and lies where others keep it: "image NAME@DIGEST".
  std::vector<std::string> outside;
  std::vector<InUse> in_use;
};

/// Reads only. Of what another user's processes use root alone knows.
Survey survey_garbage(const Surroundings& world, const GarbageRules& rules);

struct Collected {
  std::size_t removed = 0;
  ByteSize freed;
  std::vector<std::string> failed;  ///< what could not be removed, with the reason
};

/// Removes what is on `wanted` and is still garbage by `rules`; the caller holds the writer lock.
/// What generations have outside goes first: Io, and nothing is removed or forgotten, when it
/// cannot. Then they themselves, in one write with the line of history; whatever stops it after
/// that leaves only things that nothing uses, which the next collection removes.
Collected collect_garbage(const Surroundings& world,
                          const GarbageRules& rules,
                          const std::vector<Garbage>& wanted,
                          const std::string& command,
                          const Activity& activity);

}  // namespace las::transaction
