// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace las::resolve {

/// What a SAT solver needs to know, and nothing of manifests, machines or versions: everything is a
/// set of packages, so las::Version stays the only judge of what is newer or within a range.
struct Problem {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  struct Package {
    std::string_view name;          ///< of a text that lives longer
    int preference = 0;             ///< > 0; of one name, the highest possible is taken
    bool favoured = false;          ///< among names that meet a demand: before the others
    std::size_t relations = kNone;  ///< which of `relations` it has
  };

  /// What packages need and exclude: one list for all those of which it is the same.
  struct Relations {
    std::vector<std::size_t> requirements = {};     ///< demands to be met
    std::vector<std::size_t> conflicts = {};        ///< none of whose packages may be there too
    std::vector<std::size_t> recommendations = {};  ///< demands to be met where that is possible
  };

  struct Job {
    std::size_t demand = 0;
    bool weak = false;  ///< given up when it cannot be met
  };

  std::vector<Package> packages;
  std::vector<Relations> relations;
  std::vector<std::vector<std::size_t>> demands;  ///< packages, any one of which meets it
  std::vector<Job> jobs;  ///< decided in this order: earlier ones get the better package
};

/// One fact of why a problem has no solution.
struct Clash {
  enum class Kind {
    Job,              ///< `demand` is asked for
    Requires,         ///< `package` requires `demand`
    NothingProvides,  ///< `package` requires `demand`, which nothing meets
    Conflicts,        ///< `package` conflicts with `other`
    SameName,         ///< `package` and `other` are one module in two builds
  } kind = Kind::Job;
  std::size_t package = 0, other = 0, demand = 0;
};

struct Answer {
  bool solved = false;
  std::vector<std::size_t> chosen;  ///< packages, ascending
  std::vector<Clash> clashes;       ///< of the smallest conflict, when not solved
};

/// Of two names that meet a demand equally the alphabetically first is taken. One package per name.
/// What libsolv would find without ever going back is found without it.
Answer solve(const Problem& problem);

/// As solve(), always by libsolv.
Answer search(const Problem& problem);

}  // namespace las::resolve
