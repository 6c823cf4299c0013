// SPDX-License-Identifier: Apache-2.0
// resolve_bench CATALOG INDEX MODULE...: how long it takes to open a catalog whose index is warm,
// to resolve MODULE, and what libsolv alone takes for the same problem. Medians of processor time,
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

using namespace las;

namespace {

constexpr int kRuns = 41;

// Of the processor's time, which other work on the machine does not stretch.
template <typename Body>
double median_ms(Body&& body) {
  std::vector<double> times;
  for (int run = 0; run < kRuns; ++run) {
    const std::clock_t begin = std::clock();
    body();
    times.push_back(1000.0 * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
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
      const double solving = median_ms([&] { resolve::solve(formulation.problem()); });
      std::printf(
          "{\"what\": \"resolve\", \"module\": \"%s\", \"chosen\": %zu, \"open_and_resolve_ms\": "
          "%.3f, "
          "\"resolve_ms\": %.3f, \"libsolv_ms\": %.3f}\n",
          argv[i],
          chosen,
          cold,
          warm,
          solving);
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
