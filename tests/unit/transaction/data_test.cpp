// SPDX-License-Identifier: Apache-2.0
// Data of services whose format changes: what is kept, what is put back, what is refused.
#include "bench.hpp"
#include "support/catch.hpp"

using namespace las;
using namespace las::test;

namespace {

const fs::path row(const World& world) {
  return world.layout.data("tiny") / "row";
}

std::string read(const fs::path& path) {
  return platform::make_posix_file_system()->read_file(path);
}

void write(const fs::path& path, const std::string& text) {
  platform::make_posix_file_system()->replace_file(path, text);
}

std::vector<state::DataSnapshot> snapshots(Process& process) {
  std::vector<state::DataSnapshot> found;
  process.store().read([&](const state::ReadTransaction& t) { found = t.snapshots(); });
  return found;
}

std::string format_of_data(Process& process) {
  std::string format;
  process.store().read([&](const state::ReadTransaction& t) { format = t.data("tiny")->format; });
  return format;
}

/// demo 1 with its service, and what the service wrote; then demo 2, which writes another format.
void upgraded(Process& process) {
  run_plan(process, format_plan(plan::Action::Install, "1"));
  run_plan(process, deploy_with_data(process));
  run_plan(process, format_plan(plan::Action::Upgrade, "2"));
}

}  // namespace

TEST_CASE("an upgrade that changes the format of data keeps a copy of what was there",
          "[transaction][data]") {
  World world;
  Process process(world);
  upgraded(process);
  CHECK(read(row(world)) == "2");
  const auto kept = snapshots(process);
  REQUIRE(kept.size() == 1);
  CHECK(kept.front().format == "f1");
  CHECK(kept.front().service == "tiny");
  CHECK(read(fs::path(kept.front().path) / "row") == "1");
  CHECK(format_of_data(process) == "f2");
  CHECK(world.machine.unreadable.empty());
}

TEST_CASE("an upgrade within one format copies nothing", "[transaction][data]") {
  World world;
  Process process(world);
  run_plan(process, format_plan(plan::Action::Install, "1"));
  run_plan(process, deploy_with_data(process));
  plan::Plan same = format_plan(plan::Action::Upgrade, "2");
  same.actions.front().data_format = "f1";
  run_plan(process, same);
  CHECK(snapshots(process).empty());
  CHECK(read(row(world)) == "2");
}

TEST_CASE("a rollback across a format gives the old data back and puts the new aside",
          "[transaction][data]") {
  World world;
  Process process(world);
  upgraded(process);
  process.transactor().switch_to(2, "las rollback", process.activity());
  CHECK(read(row(world)) == "1");
  CHECK(format_of_data(process) == "f1");
  const auto kept = snapshots(process);
  REQUIRE(kept.size() == 1);
  CHECK(kept.front().format == "f2");
  CHECK(read(fs::path(kept.front().path) / "row") == "2");
  CHECK(world.machine.running.contains("tiny"));
  CHECK(world.machine.unreadable.empty());
}

TEST_CASE("a rollback across a format without a snapshot is refused and changes nothing",
          "[transaction][data]") {
  World world;
  {
    Process process(world);
    upgraded(process);
    fs::remove_all(snapshots(process).front().path);
  }
  const std::string before = describe(world);
  {
    Process process(world);
    try {
      process.transactor().switch_to(2, "las rollback", process.activity());
      FAIL("it went back");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::Unsatisfiable);
      CHECK(error.subject() == "tiny");
      CHECK(
          error.message() ==
          "its data has the format f2, and what was asked for reads the format f1, of which there "
          "is no snapshot");
    }
  }
  CHECK(describe(world) == before);
}

TEST_CASE("an upgrade that is rejected gives the data back as it was before",
          "[transaction][data]") {
  World world;
  std::string before;
  {
    Process process(world);
    run_plan(process, format_plan(plan::Action::Install, "1"));
    run_plan(process, deploy_with_data(process));
  }
  before = describe(world);
  {
    Process process(world);
    world.machine.sick.insert("tiny");
    try {
      run_plan(process, format_plan(plan::Action::Upgrade, "2"));
      FAIL("it was accepted");
    } catch (const Error& error) {
      CHECK(error.was_rolled_back());
    }
    CHECK(snapshots(process).empty());
    CHECK(format_of_data(process) == "f1");
  }
  // The sick one does not run after the way back either.
  world.machine.sick.clear();
  world.machine.running.insert("tiny");
  write(row(world), read(row(world)));
  CHECK(read(row(world)) == "1");
  CHECK(world.machine.unreadable.empty());
  CHECK(describe(world) == before);
}

TEST_CASE("with --no-rollback the unhealthy new state stays, and history says so",
          "[transaction]") {
  World world;
  Process process(world);
  run_plan(process, install_plan(plan::Action::Install, "1"));
  world.machine.sick.insert("tiny");
  try {
    process.transactor().run(
        deploy_plan(process.current()), "las serve", process.activity(), {true});
    FAIL("it was healthy");
  } catch (const Error& error) {
    CHECK_FALSE(error.was_rolled_back());
    CHECK(error.message() == "the service did not become healthy");
  }
  CHECK(process.last_outcome() == "unhealthy");
  CHECK(process.current().find_service("tiny") != nullptr);
  CHECK_FALSE(process.journal_open());
}

TEST_CASE("a purge takes the snapshots of the data too", "[transaction][data]") {
  World world;
  Process process(world);
  upgraded(process);
  const std::string kept = snapshots(process).front().path;
  run_plan(process, purge_plan(world.layout));
  CHECK(snapshots(process).empty());
  CHECK_FALSE(fs::exists(kept));
  CHECK_FALSE(fs::exists(row(world)));
}

TEST_CASE("data of the service that has to be moved and is a mount point or a link is refused",
          "[transaction][data]") {
  World world;
  Process process(world);
  run_plan(process, format_plan(plan::Action::Install, "1"));
  run_plan(process, deploy_with_data(process));
  const fs::path elsewhere = world.folder.path() / "elsewhere";
  fs::rename(world.layout.data("tiny"), elsewhere);
  fs::create_directory_symlink(elsewhere, world.layout.data("tiny"));
  try {
    run_plan(process, format_plan(plan::Action::Upgrade, "2"));
    FAIL("it was moved");
  } catch (const Error& error) {
    CHECK(error.message() == "this data directory is a link that leads elsewhere");
  }
  CHECK(process.current().find("demo")->version == "1");
}
