// SPDX-License-Identifier: Apache-2.0
// resolve_bench CATALOG INDEX MODULE...: how long it takes to open a catalog whose index is warm,
// to resolve MODULE, and what libsolv alone takes for the same: given only what the request can
// reach, as las gives it, and given the whole catalog in its own terms. Medians of processor time,
// one line of JSON each.
#include "formulation.hpp"
#include "solver.hpp"
#include "universe.hpp"

#include "las/base/error.hpp"
#include "las/catalog/catalog.hpp"
#include "las/hardware/profile.hpp"
#include "las/policy/policy.hpp"
#include "las/resolve/resolve.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

// See src/resolve/solver.cpp.
#define LIBSOLV_SOLVABLE_PREPEND_DEP 1
#define requires dep_requires
#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/solver.h>
#undef requires

using namespace las;

namespace {

// Every release of the catalog as a package with versioned requirements, and one wish. Gives the
// number of packages to install.
int libsolv_by_itself(const std::vector<catalog::Manifest>& manifests, const char* wish) {
  Pool* pool = pool_create();
  Repo* repo = repo_create(pool, "bench");
  const auto id = [&](const std::string& text) { return pool_str2id(pool, text.c_str(), 1); };
  for (const catalog::Manifest& manifest : manifests) {
    for (const catalog::Release& release : manifest.releases) {
      Solvable* solvable = pool_id2solvable(pool, repo_add_solvable(repo));
      solvable->name = id(manifest.name);
      solvable->evr = id(release.version.text());
      solvable->arch = ARCH_NOARCH;
      solvable_add_deparray(solvable,
                            SOLVABLE_PROVIDES,
                            pool_rel2id(pool, solvable->name, solvable->evr, REL_EQ, 1),
                            0);
      for (const catalog::ModuleDependency& needed : manifest.dependencies.modules) {
        Id dependency = id(needed.name);
        for (const VersionRange::Bound& bound : needed.range.bounds()) {
          using Operator = VersionRange::Operator;
          const int flags = bound.op == Operator::Less           ? REL_LT
                            : bound.op == Operator::GreaterEqual ? REL_GT | REL_EQ
                                                                 : REL_EQ;
          dependency = pool_rel2id(pool, dependency, id(bound.version.text()), flags, 1);
        }
        solvable_add_deparray(solvable, SOLVABLE_REQUIRES, dependency, 0);
      }
    }
  }
  pool_createwhatprovides(pool);
  Queue job;
  queue_init(&job);
  queue_push2(&job, SOLVER_INSTALL | SOLVER_SOLVABLE_NAME, id(wish));
  Solver* solver = solver_create(pool);
  int chosen = 0;
  if (solver_solve(solver, &job) == 0) {
    Transaction* transaction = solver_create_transaction(solver);
    chosen = transaction->steps.count;
    transaction_free(transaction);
  }
  solver_free(solver);
  queue_free(&job);
  pool_free(pool);
  return chosen;
}

constexpr std::size_t kRuns = 41, kFewestRuns = 3;
constexpr double kLongestMs = 10000;

// Of the processor's time, which other work on the machine does not stretch. What takes seconds is
// repeated less often.
template <typename Body>
double median_ms(Body&& body) {
  std::vector<double> times;
  double sum = 0;
  while (times.size() < kRuns && (sum < kLongestMs || times.size() < kFewestRuns)) {
    const std::clock_t begin = std::clock();
    body();
    times.push_back(1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    sum += times.back();
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: resolve_bench CATALOG INDEX MODULE...\n", stderr);
    return 2;
  }
  try {
    const auto files = platform::make_posix_file_system();
    Diagnostics diagnostics;
    const auto open = [&] {
      return catalog::load_catalog(
          *files, {{"generated", argv[1]}}, diagnostics, {{argv[2]}, "resolve_bench"});
    };
    open();  // makes the index
    open();  // trusts it
    const double opening = median_ms([&] { open(); });
    std::printf(
        "{\"what\": \"open\", \"ms\": %.3f, \"modules\": %zu}\n", opening, open().briefs().size());

    const hardware::HardwareProfile profile;
    const policy::Verdict verdict = policy::evaluate(profile, {}, {});
    const state::Generation nothing;
    std::vector<catalog::Manifest> manifests;
    {
      const catalog::Catalog whole = open();
      for (const catalog::Brief& module : whole.briefs())
        manifests.push_back(whole.get(module.name));
    }
    for (int i = 3; i < argc; ++i) {
      resolve::Request request;
      request.install.push_back(resolve::parse_wish(argv[i]));
      // As a run of las does it: the catalog is opened, and manifests are read as they are needed.
      std::size_t chosen = 0;
      const double cold = median_ms([&] {
        const catalog::Catalog catalog = open();
        const auto outcome = resolve::resolve(request, {catalog, profile, verdict, nothing});
        chosen = outcome.resolution ? outcome.resolution->choices.size() : 0;
      });
      const catalog::Catalog catalog = open();
      const resolve::World world{catalog, profile, verdict, nothing};
      const double warm = median_ms([&] { resolve::resolve(request, world); });
      const resolve::Universe universe(request, world);
      const resolve::Formulation formulation(request, universe);
      int packages = 0;
      const double alone = median_ms([&] { packages = libsolv_by_itself(manifests, argv[i]); });
      if (static_cast<std::size_t>(packages) != chosen)
        std::fprintf(stderr, "%s: libsolv chose %d packages, las %zu\n", argv[i], packages, chosen);
      const double solving = median_ms([&] { resolve::search(formulation.problem()); });
      std::printf(
          "{\"what\": \"resolve\", \"module\": \"%s\", \"chosen\": %zu, \"open_and_resolve_ms\": "
          "%.3f, "
          "\"resolve_ms\": %.3f, \"libsolv_ms\": %.3f, \"libsolv_whole_ms\": %.3f}\n",
          argv[i],
          chosen,
          cold,
          warm,
          solving,
          alone);
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
