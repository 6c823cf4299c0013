// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/faulty_file_system.hpp"
#include "support/no_processes.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/service/supervisor.hpp"

using namespace las;
using namespace las::service;

TEST_CASE("purging removes data, and the data behind systemd's link as well", "[service]") {
  const test::TempDirectory directory;
  const auto files = platform::make_posix_file_system();
  directory.write("lib/las/data/plain/file", "x");
  directory.write("lib/private/las/data/linked/file", "x");
  files->create_symlink(directory / "lib/las/data/linked", "../../private/las/data/linked");
  purge_data(*files, directory / "lib/las/data/plain");
  purge_data(*files, directory / "lib/las/data/linked");
  purge_data(*files, directory / "lib/las/data/absent");
  CHECK(files->list_directory(directory / "lib/las/data").empty());
  CHECK(files->list_directory(directory / "lib/private/las/data").empty());
}

TEST_CASE("purging does not follow a link that systemd did not make", "[service]") {
  const test::TempDirectory directory;
  const auto files = platform::make_posix_file_system();
  directory.write("mine/file", "x");
  directory.write("lib/private/las/data/other/file", "x");
  for (const char* target : {"../../../mine", "../../private/las/data/other"}) {
    const auto link = directory / "lib/las/data/tiny";
    files->make_directories(link.parent_path());
    files->create_symlink(link, target);
    try {
      purge_data(*files, link);
      FAIL("purged");
    } catch (const Error& error) {
      CHECK(error.message() == "this data directory is a link that leads elsewhere");
      CHECK(error.cause() == (link.parent_path() / target).lexically_normal().string());
    }
    files->remove_file(link);
  }
  CHECK(files->exists(directory / "mine/file"));
  CHECK(files->exists(directory / "lib/private/las/data/other/file"));
}

namespace {

/// Stands in for files that a stranger owns, as he sees them who is not root.
class StrangersFiles : public test::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;

  void remove_tree(const platform::fs::path& path) override {
    if (!given_up)
      throw Error(ErrorKind::Permission, "cannot remove", path.string());
    FaultyFileSystem::remove_tree(path);
  }

  bool given_up = false;
};

/// Stands in for a container engine, or for none at all.
class StandInEngine : public test::NoProcesses {
 public:
  explicit StandInEngine(StrangersFiles& files) : files_(files) {}

  platform::ProcessResult run(const platform::Command& command,
                              const Activity&,
                              std::optional<std::chrono::milliseconds>,
                              const std::function<void(std::string_view)>&) override {
    asked.push_back(command.argv);
    files_.given_up = helps;
    return {};
  }

  std::optional<std::filesystem::path> find_program(std::string_view program,
                                                    std::string_view) const override {
    if (program != present)
      return std::nullopt;
    return std::filesystem::path("/usr/bin") / program;
  }

  std::vector<std::vector<std::string>> asked;
  std::string present = "podman";
  bool helps = true;

 private:
  StrangersFiles& files_;
};

}  // namespace

TEST_CASE("what a user's containers wrote is removed by their engine where the user may not",
          "[service]") {
  const test::TempDirectory directory;
  const auto posix = platform::make_posix_file_system();
  StrangersFiles files(*posix);
  StandInEngine engine(files);
  test::RecordingReporter reporter;
  const Cancellation cancellation;
  platform::Environment user;
  user.uid = 1000;
  const auto data = directory / "data/cache";
  directory.write("data/cache/file", "x");
  const auto purge = [&] {
    purge_data_of_users(files, engine, user, data, {reporter, cancellation});
  };

  SECTION("it is asked, and the rest goes the usual way") {
    purge();
    CHECK(engine.asked == std::vector<std::vector<std::string>>{
                              {"podman", "unshare", "rm", "-rf", "--one-file-system", "--", data}});
    CHECK_FALSE(files.exists(data));
  }
  SECTION("it does not help") {
    engine.helps = false;
    CHECK(test::error_of(purge).value().kind() == ErrorKind::Permission);
    CHECK(files.exists(data));
  }
  SECTION("there is none that knows these users") {
    engine.present = "docker";
    CHECK(test::error_of(purge).value().kind() == ErrorKind::Permission);
    CHECK(engine.asked.empty());
  }
  SECTION("root may do all there is, and asks nobody") {
    user.uid = 0;
    CHECK(test::error_of(purge).value().kind() == ErrorKind::Permission);
    CHECK(engine.asked.empty());
  }
}
