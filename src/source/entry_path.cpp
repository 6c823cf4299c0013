// SPDX-License-Identifier: Apache-2.0
#include "entry_path.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

namespace las::source {

namespace {

std::string describe(PathFault fault) {
  switch (fault) {
    case PathFault::None:
      break;
    case PathFault::Empty:
      return _("an entry has no name");
    case PathFault::Absolute:
      return _("a path is absolute");
    case PathFault::ParentFolder:
      return _("a path climbs with \"..\"");
    case PathFault::ControlCharacter:
      return _("a path holds control characters");
  }
  return {};
}

}  // namespace

PathFault split_path(std::string_view path, std::vector<std::string>& parts) {
  parts.clear();
  if (path.empty())
    return PathFault::Empty;
  if (path.front() == '/')
    return PathFault::Absolute;
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return PathFault::ControlCharacter;
  }
  for (std::string& part : text::split(path, '/')) {
    if (part == "..")
      return PathFault::ParentFolder;
    if (!part.empty() && part != ".")
      parts.push_back(std::move(part));
  }
  return PathFault::None;
}

std::vector<std::string> entry_parts(std::string_view name) {
  std::vector<std::string> parts;
  const PathFault fault = split_path(name, parts);
  if (fault != PathFault::None)
    throw Error(ErrorKind::Integrity, describe(fault), text::printable(name));
  return parts;
}

std::vector<std::string> manifest_parts(std::string_view path) {
  std::vector<std::string> parts;
  const PathFault fault = split_path(path, parts);
  if (fault != PathFault::None)
    throw Error(ErrorKind::InvalidData, describe(fault), text::printable(path));
  return parts;
}

void check_link_target(std::string_view entry,
                       const std::vector<std::string>& link,
                       std::string_view target) {
  const auto refuse = [&](std::string message) {
    throw Error(ErrorKind::Integrity, std::move(message), text::printable(entry))
        .cause(text::printable(target));
  };
  if (target.empty() || link.empty())
    refuse(_("a symlink points nowhere"));
  if (target.front() == '/')
    refuse(_("a symlink leaves the tree"));
  std::size_t depth = link.size() - 1;
  bool descending = false;
  for (const std::string& part : text::split(target, '/')) {
    if (part.empty() || part == ".")
      continue;
    if (part != "..") {
      descending = true;
      continue;
    }
    if (descending)
      refuse(_("a symlink climbs after going down"));
    if (depth == 0)
      refuse(_("a symlink leaves the tree"));
    --depth;
  }
}

std::filesystem::path to_path(const std::vector<std::string>& parts) {
  return text::join(parts, "/");
}

bool EntryTree::add_parents(std::string_view entry, const std::vector<std::string>& parts) {
  bool added = false;
  std::string path;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    path += (i == 0 ? "" : "/") + parts[i];
    const auto [found, is_new] = entries_.emplace(path, Kind::Folder);
    added |= is_new;
    if (found->second == Kind::Link)
      throw Error(
          ErrorKind::Integrity, _("an entry is written through a symlink"), std::string(entry));
    if (found->second == Kind::File)
      throw Error(ErrorKind::Integrity, _("an entry lies below a file"), std::string(entry));
  }
  return added;
}

bool EntryTree::add_leaf(std::string_view entry, const std::vector<std::string>& parts, Kind kind) {
  const bool parents_added = add_parents(entry, parts);
  if (!entries_.emplace(text::join(parts, "/"), kind).second)
    throw Error(ErrorKind::Integrity, _("an entry is there twice"), std::string(entry));
  return parents_added;
}

bool EntryTree::add_folder(std::string_view entry, const std::vector<std::string>& parts) {
  const bool parents_added = add_parents(entry, parts);
  const auto [found, is_new] = entries_.emplace(text::join(parts, "/"), Kind::Folder);
  if (found->second != Kind::Folder)
    throw Error(ErrorKind::Integrity, _("an entry is there twice"), std::string(entry));
  return parents_added || is_new;
}

bool EntryTree::add_file(std::string_view entry, const std::vector<std::string>& parts) {
  return add_leaf(entry, parts, Kind::File);
}

bool EntryTree::add_link(std::string_view entry, const std::vector<std::string>& parts) {
  return add_leaf(entry, parts, Kind::Link);
}

bool EntryTree::holds_file(const std::vector<std::string>& parts) const {
  const auto found = entries_.find(text::join(parts, "/"));
  return found != entries_.end() && found->second == Kind::File;
}

}  // namespace las::source
