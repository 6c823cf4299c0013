// SPDX-License-Identifier: Apache-2.0
// Small random catalogs with a state and a request, and what is right about them, said without the
// resolver: a checker of constraints and an exhaustive search.
#pragma once

#include "unit/resolve/builders.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace small_world {

struct Problem {
  builders::Stage stage;
  las::resolve::Request request;

  /// As a person reads it, when a case fails.
  std::string to_string() const;
};

/// Every manifest of a catalog, by name.
std::vector<las::catalog::Manifest> manifests_of(const las::catalog::Catalog& catalog);

/// The same seed gives the same problem.
Problem make(unsigned seed);

/// A way to have a module: release and variant.
struct Candidate {
  las::Version version;
  std::string variant;
  bool installed = false;
  const las::catalog::Release* release = nullptr;

  bool operator==(const Candidate& other) const {
    return version == other.version && variant == other.variant;
  }
};

using Assignment = std::map<std::string, Candidate>;

class Judge {
 public:
  explicit Judge(const Problem& problem);

  /// The modules that must be there, in the order in which they are served.
  const std::vector<std::string>& roots() const { return roots_; }

  /// What may be chosen of a module, best first.
  const std::vector<Candidate>& candidates(const std::string& module) const;

  /// "" when everything holds, else what does not.
  std::string fault(const Assignment& assignment) const;

  /// The assignment that gives the roots, one after the other, the best candidate that the ones
  /// before leave possible; nothing when there is none.
  std::optional<Assignment> search() const;

  bool provides_something(const std::string& module) const;

  /// The modules that cannot be reached from the roots along what is needed.
  std::vector<std::string> unneeded(const Assignment& assignment) const;

 private:
  bool search(Assignment& assignment, std::size_t next) const;
  std::string fault_between(const std::string& module,
                            const Candidate& candidate,
                            const Assignment& assignment,
                            bool complete) const;
  std::vector<Candidate> make_candidates(const las::catalog::Manifest& manifest) const;
  bool meets_wish(const std::string& module, const Candidate& candidate) const;

  const Problem& problem_;
  std::vector<std::string> roots_, order_;
  std::map<std::string, std::vector<Candidate>> candidates_;
};

}  // namespace small_world
