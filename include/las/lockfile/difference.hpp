// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/lockfile/document.hpp"

#include <string>
#include <vector>

namespace las::lockfile {

/// Whether what a document does not name has to go.
enum class Prune { No, Yes };

/// One thing that is not as the document says.
struct Difference {
  enum class Kind { Module, Wish, Model, Service, Policy } kind = Kind::Module;
  std::string subject;  ///< "demo"
  std::string what;     ///< stable: "missing", "extra", "version", "port" ...
  std::string wanted, present;
  /// Whether it is drift. What las cannot set (the distribution's versions, this site's policies)
  /// and what is left alone (models nobody named) is only worth knowing.
  bool is_drift = true;
  bool operator==(const Difference&) const = default;
};

std::string_view to_string(Difference::Kind kind);  ///< "module", "wish" ...
/// The sentence for a person.
std::string describe(const Difference& difference);

/// What of `present`, a machine's own lock, is not as `wanted` says. A lock names all modules and
/// services there are; a las.yaml only those it wishes for, unless `prune`. Models that are not
/// named are extra with `prune` alone. Sorted by kind and subject. The machines are not compared.
std::vector<Difference> difference(const Document& wanted, const Document& present, Prune prune);

bool has_drift(const std::vector<Difference>& differences);

}  // namespace las::lockfile
