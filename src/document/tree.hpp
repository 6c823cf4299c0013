// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/diagnostics.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace las::document {

inline constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
inline constexpr int kMaxDepth = 64;
inline constexpr std::size_t kMaxKey = 256;  // bytes
/// Values in a document, each alias counted as everything it stands for.
inline constexpr std::size_t kMaxValues = 100'000;

/// One value of a document. Aliases share the element they stand for.
struct Element {
  enum class Kind { Null, Scalar, Sequence, Map };

  struct Entry {
    std::string key;
    int line = 0, column = 0;  ///< of the key, from 1
    bool aliased = false;      ///< the value is an alias
    std::shared_ptr<Element> value;
  };

  Kind kind = Kind::Null;
  std::string text;          ///< Scalar
  bool plain = true;         ///< Scalar without quotes
  bool anchored = false;     ///< has a name by which aliases share it
  bool flow = false;         ///< collection written with {} or []
  int line = 0, column = 0;  ///< from 1
  std::vector<std::shared_ptr<Element>> items;
  std::vector<Entry> entries;

  std::size_t weight = 1;  ///< values below and including this one, aliases expanded
  int height = 1;          ///< levels below and including this one
  bool open = false;       ///< still being read

  const Entry* find(std::string_view key) const;
};

/// Reads one document. Syntax errors and exceeded limits become a Diagnostic and a null pointer;
/// duplicate keys become Diagnostics. An empty document is a Null element.
std::shared_ptr<Element> read_tree(std::string_view text,
                                   const std::string& file,
                                   Diagnostics& diagnostics);

/// "a.b" from "a" and "b"; "b" from "" and "b".
std::string child_path(const std::string& parent, std::string_view key);
std::string child_path(const std::string& parent, std::size_t index);

}  // namespace las::document
