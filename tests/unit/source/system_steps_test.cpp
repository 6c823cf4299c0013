// SPDX-License-Identifier: Apache-2.0
// Accounts and kernel parameters over stand-ins for /proc/sys and for the distribution's tools.
#include "support/catch.hpp"
#include "support/no_processes.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/source/source.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace las;
using namespace las::test;
namespace fs = std::filesystem;

namespace {

/// Stands in for a machine's files: paths below a folder of this test.
class Below : public platform::FileSystem {
 public:
  explicit Below(fs::path root)
      : root_(std::move(root)), real_(platform::make_posix_file_system()) {}

  std::optional<platform::FileStatus> status(const fs::path& path) const override {
    return real_->status(in(path));
  }

  std::string read_file(const fs::path& path, ByteSize limit) const override {
    return real_->read_file(in(path), limit);
  }

  std::vector<std::string> list_directory(const fs::path& path) const override {
    return real_->list_directory(in(path));
  }

  fs::path read_symlink(const fs::path& path) const override {
    return real_->read_symlink(in(path));
  }

  void make_directories(const fs::path& path, std::uint32_t mode) override {
    real_->make_directories(in(path), mode);
  }

  std::unique_ptr<platform::FileWriter> create_file(const fs::path& path,
                                                    std::uint32_t mode) override {
    return real_->create_file(in(path), mode);
  }

  /// A file of /proc is written over, not added to.
  std::unique_ptr<platform::FileWriter> append_file(const fs::path& path,
                                                    std::uint32_t mode) override {
    real_->remove_file(in(path));
    return real_->append_file(in(path), mode);
  }

  void replace_file(const fs::path& path, std::string_view content, std::uint32_t mode) override {
    real_->replace_file(in(path), content, mode);
  }

  void replace_symlink(const fs::path& path, const fs::path& target) override {
    real_->replace_symlink(in(path), target);
  }

  void create_symlink(const fs::path& path, const fs::path& target) override {
    real_->create_symlink(in(path), target);
  }

  void rename(const fs::path& from, const fs::path& to) override {
    real_->rename(in(from), in(to));
  }

  void remove_file(const fs::path& path) override { real_->remove_file(in(path)); }

  void remove_tree(const fs::path& path) override { real_->remove_tree(in(path)); }

  void clone_file(const fs::path& from, const fs::path& to, bool link) override {
    real_->clone_file(in(from), in(to), link);
  }

  void set_mode(const fs::path& path, std::uint32_t mode) override {
    real_->set_mode(in(path), mode);
  }

  void set_owner(const fs::path& path, std::uint32_t uid, std::uint32_t gid) override {
    real_->set_owner(in(path), uid, gid);
  }

  void sync_directory(const fs::path& path) override { real_->sync_directory(in(path)); }

  void sync_tree(const fs::path& path) override { real_->sync_tree(in(path)); }

  ByteSize free_space(const fs::path& path) const override { return real_->free_space(in(path)); }

  std::string not_writable(const fs::path& path) const override {
    return real_->not_writable(in(path));
  }

 private:
  fs::path in(const fs::path& path) const { return root_ / path.relative_path(); }

  fs::path root_;
  std::unique_ptr<platform::FileSystem> real_;
};

/// Stands in for getent, groupadd, useradd, groupdel and userdel.
class AccountTools : public NoProcesses {
 public:
  std::set<std::string> groups, users;
  std::vector<std::string> done;

  platform::ProcessResult run(const platform::Command& command,
                              const Activity&,
                              std::optional<std::chrono::milliseconds>,
                              const std::function<void(std::string_view)>&) override {
    const auto& argv = command.argv;
    platform::ProcessResult result;
    if (argv.front() == "getent") {
      const bool there = (argv[1] == "group" ? groups : users).contains(argv[2]);
      result.status = there ? 0 : 2;
      return result;
    }
    done.push_back(argv.front() + " " + argv.back());
    const std::string& name = argv.back();
    if (argv.front() == "groupadd")
      groups.insert(name);
    else if (argv.front() == "groupdel")
      groups.erase(name);
    else if (argv.front() == "userdel") {
      users.erase(name);
      groups.erase(name);
    } else {
      users.insert(name);
      if (std::find(argv.begin(), argv.end(), "--user-group") != argv.end())
        groups.insert(name);
    }
    return result;
  }

  std::optional<fs::path> find_program(std::string_view, std::string_view) const override {
    return std::nullopt;
  }
};

class NoNetwork : public fetch::Fetcher {
 public:
  std::vector<fetch::Fetched> fetch(const std::vector<fetch::Artifact>&,
                                    const fs::path&,
                                    const Activity&) override {
    return {};
  }

  fetch::Response exchange(const fetch::Request&, const Activity&) override { return {}; }

  fetch::Response stream(const fetch::Request&,
                         const std::function<bool(std::string_view)>&,
                         const Activity&) override {
    return {};
  }
};

struct Machine {
  TempDirectory folder;
  Below files{folder.path()};
  AccountTools tools;
  NoNetwork fetcher;
  platform::Environment environment;
  platform::Layout layout = platform::Layout::system("/");
  RecordingReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};

  source::Surroundings surroundings() { return {files, tools, fetcher, environment, layout}; }

  void parameter(const std::string& value) {
    files.make_directories("/proc/sys/vm", 0755);
    files.replace_file("/proc/sys/vm/max_map_count", value + "\n", 0644);
  }

  std::string parameter() { return files.try_read("/proc/sys/vm/max_map_count").value_or(""); }

  std::string line() { return files.try_read("/etc/sysctl.d/60-las.conf").value_or(""); }
};

const std::string kWanted = R"({"vm.max_map_count":"262144"})";

}  // namespace

TEST_CASE("a kernel parameter that is too small is raised, also for the next boot, and taken back",
          "[source]") {
  Machine machine;
  machine.parameter("65530");
  const auto step = source::make_sysctl_step(machine.surroundings());
  catalog::SystemChanges changes;
  changes.sysctl = {{"vm.max_map_count", "262144"}};
  CHECK(step->wanted(changes) == kWanted);
  const std::string before = step->look(kWanted, machine.activity);
  CHECK(before == R"({"vm.max_map_count":"65530"})");
  CHECK(step->verify_external(kWanted, machine.activity) ==
        std::vector<std::string>{"vm.max_map_count is 65530, and 262144 is needed"});
  for (int again = 0; again < 2; ++again) {
    step->apply(before, kWanted, machine.activity);
    CHECK(machine.parameter() == "262144");
    CHECK(machine.line().ends_with("vm.max_map_count = 262144"));
  }
  CHECK(step->verify_external(kWanted, machine.activity).empty());
  step->undo_external(before, kWanted, {}, machine.activity);
  CHECK(machine.parameter() == "65530");
  CHECK(machine.line().empty());
}

TEST_CASE("a kernel parameter that is large enough stays, and no line could lower it later",
          "[source]") {
  Machine machine;
  machine.parameter("1048576");
  const auto step = source::make_sysctl_step(machine.surroundings());
  const std::string before = step->look(kWanted, machine.activity);
  step->apply(before, kWanted, machine.activity);
  CHECK(machine.parameter() == "1048576");
  CHECK(machine.line().empty());
  step->undo_external(before, kWanted, {}, machine.activity);
  CHECK(machine.parameter() == "1048576");
}

TEST_CASE("a kernel parameter that another module needs, or that somebody changed since, stays",
          "[source]") {
  Machine machine;
  machine.parameter("65530");
  const auto step = source::make_sysctl_step(machine.surroundings());
  const std::string before = step->look(kWanted, machine.activity);
  step->apply(before, kWanted, machine.activity);
  step->undo_external(before, kWanted, {R"({"vm.max_map_count":"100000"})"}, machine.activity);
  CHECK(machine.parameter() == "100000");
  CHECK(machine.line().ends_with("vm.max_map_count = 100000"));
  machine.parameter("7");
  step->undo_external(before, kWanted, {}, machine.activity);
  CHECK(machine.parameter() == "7");
  CHECK(machine.line().empty());
}

TEST_CASE("an unknown kernel parameter is refused before anything is changed", "[source]") {
  Machine machine;
  const auto step = source::make_sysctl_step(machine.surroundings());
  try {
    step->look(kWanted, machine.activity);
    FAIL("it was taken");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::Unsatisfiable);
  }
}

TEST_CASE("accounts that are missing are made, and only those are taken away again", "[source]") {
  Machine machine;
  machine.tools.groups = {"render"};
  const auto step = source::make_accounts_step(machine.surroundings());
  catalog::SystemChanges changes;
  changes.groups = {"render", "lasgroup"};
  changes.users = {"engine"};
  const std::string wanted = step->wanted(changes);
  const std::string before = step->look(wanted, machine.activity);
  for (int again = 0; again < 2; ++again)
    step->apply(before, wanted, machine.activity);
  CHECK(machine.tools.groups == std::set<std::string>{"engine", "lasgroup", "render"});
  CHECK(machine.tools.users == std::set<std::string>{"engine"});
  CHECK(step->verify_external(wanted, machine.activity).empty());
  machine.tools.done.clear();
  step->undo_external(before, wanted, {R"({"groups":["lasgroup"],"users":[]})"}, machine.activity);
  CHECK(machine.tools.done == std::vector<std::string>{"userdel engine"});
  step->undo_external(before, wanted, {}, machine.activity);
  CHECK(machine.tools.groups == std::set<std::string>{"render"});
  CHECK(step->verify_external(wanted, machine.activity).size() == 2);
}

TEST_CASE("below another root nothing of the system is changed", "[source]") {
  Machine machine;
  machine.layout = platform::Layout::system("/srv/other");
  CHECK_FALSE(source::make_sysctl_step(machine.surroundings())->unavailable().empty());
  CHECK_FALSE(source::make_accounts_step(machine.surroundings())->unavailable().empty());
}
