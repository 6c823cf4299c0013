// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/diagnostics.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::document {

/// A YAML document read with its positions: the only code that knows yaml-cpp.
///
/// Every accessor that finds the wrong type adds a Diagnostic (file, line, column, key path) and
/// returns nothing, so that one pass reports all faults. Anchors and aliases are resolved;
/// duplicate keys are a fault; documents are limited to 4 MiB and 64 levels (alias bombs end
/// there).
class Node {
 public:
  /// A node over nothing (absent).
  Node() = default;

  bool present() const;  ///< exists and is not null
  bool is_map() const;
  bool is_sequence() const;
  bool is_scalar() const;
  const std::string& key_path() const;
  int line() const;
  int column() const;

  /// The child of a map; an absent node if there is none (never a fault).
  Node operator[](std::string_view key) const;
  /// Children of a sequence, in order; empty for an absent node; a fault for another type.
  std::vector<Node> items() const;
  /// Keys of a map in document order; empty for an absent node; a fault for another type.
  std::vector<std::string> keys() const;

  /// Unknown keys of a map are faults, with the nearest allowed name as suggestion. Keys starting
  /// with "x-" are always allowed (vendor extensions).
  void allow_only(const std::vector<std::string>& allowed) const;

  std::optional<std::string> string() const;
  std::optional<long long> integer() const;
  std::optional<double> number() const;
  std::optional<bool> boolean() const;
  std::optional<ByteSize> size() const;
  /// A sequence of scalars, or one scalar taken as a list of one.
  std::vector<std::string> strings() const;
  /// One of `allowed`; a fault with a suggestion otherwise.
  std::optional<std::string> one_of(const std::vector<std::string>& allowed) const;
  /// Like the above but absence is a fault ("missing key").
  std::string required_string() const;

  /// Adds a fault at this node.
  void fault(std::string message, std::string suggestion = {}) const;
  void warn(std::string message, std::string suggestion = {}) const;

 private:
  friend Node parse(std::string_view, std::string, Diagnostics&);
  struct Data;

  explicit Node(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

  std::shared_ptr<const Data> data_;
};

/// Parses one document. Syntax errors become a Diagnostic and an absent node. `diagnostics` must
/// outlive the nodes. `file` is only used in messages.
Node parse(std::string_view text, std::string file, Diagnostics& diagnostics);

/// A YAML rendering of plain key: value pairs for `config set`: replaces, adds or (no value)
/// removes one dotted key in a document, keeping every other line and all comments as they are.
std::string edit_scalar(std::string_view document,
                        std::string_view dotted_key,
                        const std::optional<std::string>& value);

/// The document in flow style, without comments, and of the list `list` at its top without the
/// items whose `member` is a value that `keep` does not take. InvalidData where it has errors, or
/// where what its aliases stand for is too large.
std::string keep_items(std::string_view document,
                       std::string_view list,
                       std::string_view member,
                       const std::function<bool(const std::string&)>& keep);

}  // namespace las::document
