// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace las {

enum class Severity { Debug, Info, Warning, Error };
std::string_view to_string(Severity severity);

/// One fault in a document (manifest, policy, configuration).
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string file;
  int line = 0;          ///< from 1; 0 if the fault is about the file as a whole
  int column = 0;        ///< from 1; 0 if unknown
  std::string key_path;  ///< "service.health.port", "releases[2].sources[0]"
  std::string message;
  std::string suggestion;  ///< "did you mean 'dependencies'?"; may be empty

  /// "file:line:column: error: key_path: message (suggestion)"
  std::string to_string() const;
  bool operator==(const Diagnostic&) const = default;
};

/// Collects the faults of documents so that a reader sees all of them at once.
class Diagnostics {
 public:
  void add(Diagnostic diagnostic) { items_.push_back(std::move(diagnostic)); }

  bool has_errors() const;

  bool empty() const { return items_.empty(); }

  const std::vector<Diagnostic>& items() const { return items_; }

  /// One InvalidData error that carries every fault, if there is an error among them.
  void throw_if_errors(std::string message) const;

 private:
  std::vector<Diagnostic> items_;
};

/// The candidate nearest to `name` by edit distance, if near enough to be a typing slip; else "".
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace las
