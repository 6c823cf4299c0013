// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Pure checks of foreign paths: no file is touched here.
namespace las::source {

enum class PathFault { None, Empty, Absolute, ParentFolder, ControlCharacter };

/// Splits a foreign relative path into its parts; "." and doubled slashes vanish. "." alone gives
/// no parts and no fault.
PathFault split_path(std::string_view path, std::vector<std::string>& parts);

/// The parts of an archive entry's name. Throws Integrity naming the entry.
std::vector<std::string> entry_parts(std::string_view name);

/// The parts of a path that a manifest gives (`into`, `to`, an executable). Throws InvalidData.
std::vector<std::string> manifest_parts(std::string_view path);

/// Throws Integrity unless the symlink at `link` (parts from the top of the tree) stays in the
/// tree.
///
/// ".." may only lead the target. Then it counts real folders (nothing is ever written below a
/// symlink), and what follows descends, so chains of links stay inside too; "a/../.." would be
/// judged wrongly when "a" is itself a link.
void check_link_target(std::string_view entry,
                       const std::vector<std::string>& link,
                       std::string_view target);

std::filesystem::path to_path(const std::vector<std::string>& parts);

/// What an unpacking has created so far. It decides from its own record, never from the disk,
/// whether the next entry may be written. All failures are Integrity with the entry as subject.
class EntryTree {
 public:
  /// Whether the folder, or one above it, is new. A folder may be named more than once.
  bool add_folder(std::string_view entry, const std::vector<std::string>& parts);
  /// These say whether a folder above the entry is new.
  bool add_file(std::string_view entry, const std::vector<std::string>& parts);
  bool add_link(std::string_view entry, const std::vector<std::string>& parts);
  bool holds_file(const std::vector<std::string>& parts) const;

 private:
  enum class Kind { Folder, File, Link };
  bool add_parents(std::string_view entry, const std::vector<std::string>& parts);
  bool add_leaf(std::string_view entry, const std::vector<std::string>& parts, Kind kind);
  std::unordered_map<std::string, Kind> entries_;
};

}  // namespace las::source
