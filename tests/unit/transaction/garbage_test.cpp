// SPDX-License-Identifier: Apache-2.0
#include "las/transaction/garbage.hpp"

#include "bench.hpp"
#include "support/catch.hpp"

#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

using namespace las;
using namespace las::test;
using transaction::Garbage;

namespace {

std::set<std::string> names(const transaction::Survey& survey, Garbage::Kind kind) {
  std::set<std::string> found;
  for (const Garbage& one : survey.garbage) {
    if (one.kind == kind)
      found.insert(one.name);
  }
  return found;
}

/// demo 1, 2 and 3, one generation each.
void three(Process& process) {
  run_plan(process, install_plan(plan::Action::Install, "1"));
  run_plan(process, install_plan(plan::Action::Upgrade, "2"));
  run_plan(process, install_plan(plan::Action::Upgrade, "3"));
}

transaction::Collected collect(Process& process, const transaction::GarbageRules& rules) {
  const transaction::Surroundings world = process.surroundings();
  const auto survey = transaction::survey_garbage(world, rules);
  return transaction::collect_garbage(world, rules, survey.garbage, "las gc", process.activity());
}

/// Keeps what it brought elsewhere, and can be made to refuse to give it up.
class Keeper : public source::SystemStep {
 public:
  std::string kind() const override { return "keeper"; }

  std::string wanted(const catalog::SystemChanges&) const override { return {}; }

  std::string unavailable() const override { return {}; }

  std::string look(const std::string&, const Activity&) override { return {}; }

  void apply(const std::string&, const std::string&, const Activity&) override {}

  bool stays_for_rollback() const override { return true; }

  std::string brought(const std::string&, const std::string& wanted) const override {
    return wanted;
  }

  void undo_external(const std::string&,
                     const std::string& wanted,
                     const std::vector<std::string>&,
                     const Activity&) override {
    if (refuses)
      throw Error(ErrorKind::Io, "does not answer").hint("start it");
    taken.push_back(wanted);
  }

  bool refuses = false;
  std::vector<std::string> taken;
};

std::vector<std::uint64_t> generations(Process& process) {
  std::vector<std::uint64_t> numbers;
  process.store().read([&](const state::ReadTransaction& t) { numbers = t.generation_numbers(); });
  return numbers;
}

}  // namespace

TEST_CASE("without rules no generation and no payload of one is garbage", "[transaction][gc]") {
  World world;
  Process process(world);
  three(process);
  CHECK(transaction::survey_garbage(process.surroundings(), {}).garbage.empty());
}

TEST_CASE("with keep the newest stay with their payloads, and the others go", "[transaction][gc]") {
  World world;
  Process process(world);
  three(process);
  const auto done = collect(process, {2, std::nullopt});
  CHECK(done.failed.empty());
  CHECK(generations(process) == std::vector<std::uint64_t>{2, 3});
  CHECK_FALSE(fs::exists(world.layout.store() / "demo-1-0123456789ab"));
  CHECK(fs::exists(world.layout.store() / "demo-2-0123456789ab"));
  CHECK_FALSE(fs::exists(world.layout.generation(1)));
  CHECK(process.last_outcome() == "done");
  // Its number is never given out again.
  run_plan(process, install_plan(plan::Action::Upgrade, "4"));
  CHECK(process.current().number == 4);
}

TEST_CASE("the current generation stays although it is the oldest", "[transaction][gc]") {
  World world;
  Process process(world);
  three(process);
  process.transactor().switch_to(1, "las rollback 1", process.activity());
  collect(process, {1, std::nullopt});
  CHECK(generations(process) == std::vector<std::uint64_t>{1});
  CHECK(fs::exists(world.layout.store() / "demo-1-0123456789ab"));
}

TEST_CASE("what a running process uses stays, and it is told which", "[transaction][gc]") {
  World world;
  Process process(world);
  three(process);
  const fs::path payload = world.layout.store() / "demo-1-0123456789ab";
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Stands in for an engine: it lives in the payload's folder until it is ended.
    if (::chdir(payload.c_str()) != 0)
      ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  // It is there as soon as /proc shows the folder.
  const std::string link = "/proc/" + std::to_string(child) + "/cwd";
  while (fs::read_symlink(link) != fs::canonical(payload))
    ::usleep(1000);
  const auto survey = transaction::survey_garbage(process.surroundings(), {1, std::nullopt});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(names(survey, Garbage::Kind::Payload) == std::set<std::string>{"demo-2-0123456789ab"});
  REQUIRE(survey.in_use.size() == 1);
  CHECK(survey.in_use.front().name == "demo-1-0123456789ab");
  CHECK(survey.in_use.front().user.find("pid " + std::to_string(child)) == 0);
}

TEST_CASE("leftovers of every kind are garbage, and only they", "[transaction][gc]") {
  World world;
  Process process(world);
  three(process);
  const auto files = platform::make_posix_file_system();
  files->make_directories(world.layout.store() / "demo-3-0123456789ab.damaged-x");
  files->make_directories(world.layout.staging() / "x");
  files->make_directories(world.layout.generations() / "99");
  files->make_directories(world.layout.models() / "blobs");
  files->replace_file(world.layout.models() / "blobs" / ".import-x", "half");
  files->replace_file(world.layout.models() / "blobs" / ("sha256-" + std::string(64, 'a')), "old");
  const auto survey = transaction::survey_garbage(process.surroundings(), {});
  CHECK(names(survey, Garbage::Kind::Leftover) ==
        std::set<std::string>{"demo-3-0123456789ab.damaged-x", "x", "99", ".import-x"});
  CHECK(names(survey, Garbage::Kind::Model).size() == 1);
  CHECK(names(survey, Garbage::Kind::Payload).empty());
}

TEST_CASE("only what was shown is removed", "[transaction][gc]") {
  World world;
  Process process(world);
  three(process);
  const transaction::Surroundings around = process.surroundings();
  const auto shown = transaction::survey_garbage(around, {2, std::nullopt});
  run_plan(process, install_plan(plan::Action::Upgrade, "4"));
  // By now generation 2 would go as well.
  transaction::collect_garbage(
      process.surroundings(), {2, std::nullopt}, shown.garbage, "las gc", process.activity());
  CHECK(generations(process) == std::vector<std::uint64_t>{2, 3, 4});
}

TEST_CASE("a collection that crashes at any effect loses nothing that is needed",
          "[transaction][gc][crash]") {
  std::size_t points = 0;
  for (std::size_t k = 1;; ++k) {
    World world;
    bool crashed = false;
    {
      Process process(world);
      three(process);
      process.files().crash_at(process.files().effect_count() + k);
      try {
        collect(process, {1, std::nullopt});
      } catch (const test::Crash&) {
        crashed = true;
      }
    }
    if (!crashed)
      break;
    ++points;
    Process process(world);
    process.transactor().recover(process.activity());
    CHECK(process.last_outcome() == "interrupted");
    CHECK(generations(process) == std::vector<std::uint64_t>{3});
    CHECK(fs::exists(world.layout.store() / "demo-3-0123456789ab"));
    collect(process, {1, std::nullopt});
    CHECK(transaction::survey_garbage(process.surroundings(), {1, std::nullopt}).garbage.empty());
  }
  CHECK(points >= 4);
}

TEST_CASE("what generations have outside is shown, and goes before they are forgotten",
          "[transaction][gc]") {
  World world;
  Process process(world);
  three(process);
  process.store().write([&](state::WriteTransaction& state) {
    for (const std::uint64_t number : {1U, 2U, 3U}) {
      state::Generation generation = *state.generation(number);
      generation.modules[0].external = {
          {"keeper", "", number == 2 ? "thing 3" : fmt::format("thing {}", number)}};
      state.put_generation(generation);
    }
  });
  auto owned = std::make_unique<Keeper>();
  Keeper& keeper = *owned;
  process.add_step(std::move(owned));
  const transaction::GarbageRules rules{1, std::nullopt};
  const auto survey = transaction::survey_garbage(process.surroundings(), rules);
  // The one of generation 2 is the current one's as well.
  CHECK(survey.outside == std::vector<std::string>{"keeper thing 1"});

  keeper.refuses = true;
  CHECK_THROWS_WITH(collect(process, rules), "does not answer");
  CHECK(process.last_outcome() == "failed");
  CHECK(generations(process) == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(fs::exists(world.layout.store() / "demo-1-0123456789ab"));

  keeper.refuses = false;
  collect(process, rules);
  CHECK(keeper.taken == std::vector<std::string>{"thing 1"});
  CHECK(generations(process) == std::vector<std::uint64_t>{3});
  CHECK(transaction::survey_garbage(process.surroundings(), rules).outside.empty());
}
