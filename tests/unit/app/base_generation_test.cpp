// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/app/install.hpp"

using namespace las;

namespace {

/// Runs of las below one root, each with a Session of its own, on an empty catalog.
struct Root {
  test::TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<platform::ProcessRunner> processes = platform::make_posix_process_runner();
  test::ManualClock clock;
  platform::Environment environment;
  int runs = 0;

  Root() {
    environment.home = (folder / "home").string();
    environment.variables["LAS_DATA_DIR"] = (folder / "data").string();
  }

  app::Session session() {
    app::SessionOptions options;
    options.layout = platform::Layout::system(folder.path());
    options.operation_id = "operation-" + std::to_string(++runs);
    options.command_line = "las test";
    return {{*files, *processes, clock, environment}, options};
  }

  /// A plan as some run would show it: a wish more, no module.
  app::PreparedPlan prepare(const std::string& wish) {
    app::Session looking = session();
    app::PreparedPlan prepared;
    looking.store().read([&](const state::ReadTransaction& transaction) {
      prepared.base_generation = transaction.current_generation();
      prepared.plan.world = transaction.current().world;
    });
    prepared.plan.world.push_back({wish, "", "", "", false});
    return prepared;
  }

  void execute(const app::PreparedPlan& prepared) {
    app::Session running = session();
    app::execute(running, prepared, test::test_activity());
  }

  void rollback(std::uint64_t base, std::uint64_t target) {
    app::Session running = session();
    app::rollback(running, base, target, test::test_activity());
  }

  state::Generation current() {
    state::Generation generation;
    session().store().read(
        [&](const state::ReadTransaction& transaction) { generation = transaction.current(); });
    return generation;
  }
};

template <typename Body>
void check_refused(Body&& body) {
  const auto error = test::error_of([&] {
    body();
    return 0;
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Busy);
  CHECK(error->message() == "the installed state changed since the plan was made");
  CHECK(error->hint() == "run the command again");
}

}  // namespace

TEST_CASE("a plan is refused when another run changed the state since it was made", "[app]") {
  Root root;
  const app::PreparedPlan early = root.prepare("early");
  root.execute(root.prepare("other"));
  check_refused([&] { root.execute(early); });
  CHECK(root.current().number == 1);
  CHECK(root.current().world.size() == 1);
  root.execute(root.prepare("early"));
  CHECK(root.current().world.size() == 2);
}

TEST_CASE("a rollback is refused when another run changed the state since it was shown", "[app]") {
  Root root;
  root.execute(root.prepare("one"));
  root.execute(root.prepare("two"));
  // Shown over generation 2; then somebody installs, or rolls back.
  root.execute(root.prepare("three"));
  check_refused([&] { root.rollback(2, 1); });
  CHECK(root.current().number == 3);
  root.rollback(3, 1);
  CHECK(root.current().world == std::vector<state::WorldEntry>{{"one", "", "", "", false}});
  check_refused([&] { root.rollback(3, 2); });
  CHECK(root.current().number == 1);
}
