// SPDX-License-Identifier: Apache-2.0
// systemd's own judgement of our units, where it is there to give it.
#include "instances.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/platform/process.hpp"
#include "las/service/unit.hpp"

#include <cstdio>

using namespace las;
using namespace las::service;

namespace {

class Analyzer {
 public:
  bool present() const { return processes_->find_program("systemd-analyze", kPath).has_value(); }

  platform::ProcessResult run(const UnitInput& input, std::vector<std::string> words) const {
    return run_file(write(input), input.scope, std::move(words));
  }

  /// Writes its unit; the path of that.
  std::filesystem::path write(const UnitInput& input) const {
    auto runnable = input;
    runnable.instance.argv[0] = "/bin/sh";  // verify looks whether the program is there
    return directory_.write(unit_name(input.instance.id), render_unit(runnable));
  }

  /// Writes the units that go with it; their paths.
  std::vector<std::filesystem::path> write_more(const UnitInput& input) const {
    auto runnable = input;
    runnable.las_program = "/bin/sh";
    std::vector<std::filesystem::path> files;
    for (const auto& [name, text] : render_more_units(runnable))
      files.push_back(directory_.write(name, text));
    return files;
  }

  platform::ProcessResult run_file(const std::filesystem::path& file,
                                   platform::Scope scope,
                                   std::vector<std::string> words) const {
    platform::Command command;
    command.argv = {"systemd-analyze"};
    if (scope == platform::Scope::User)
      command.argv.emplace_back("--user");
    command.argv.insert(command.argv.end(), words.begin(), words.end());
    command.argv.push_back(file.string());
    command.environment = {{"PATH", kPath},
                           {"LC_ALL", "C.UTF-8"},
                           {"HOME", directory_.path().string()},
                           {"XDG_RUNTIME_DIR", directory_.path().string()}};
    NullReporter reporter;
    const Cancellation cancellation;
    return processes_->run(
        command, Activity{reporter, cancellation}, std::chrono::milliseconds(60000));
  }

 private:
  static constexpr const char* kPath = "/usr/bin:/bin";
  test::TempDirectory directory_;
  std::unique_ptr<platform::ProcessRunner> processes_ = platform::make_posix_process_runner();
};

}  // namespace

TEST_CASE("systemd finds no fault in our units", "[service]") {
  const Analyzer analyzer;
  if (!analyzer.present()) {
    WARN("skipped: systemd finds no fault in our units (no systemd-analyze here)");
    return;
  }
  for (const auto& input : {small_service(),
                            gpu_service(),
                            user_service(),
                            hostile_words_service(),
                            contained_service("podman")}) {
    const auto result = analyzer.run(input, {"verify", "--man=no"});
    INFO(input.instance.id);
    CHECK(result.status == 0);
    CHECK(result.err.empty());  // unknown directives are warnings to systemd, faults to us
  }
}

TEST_CASE("systemd finds no fault in the units that go with a service", "[service]") {
  for (auto input : {prepared_service(),
                     on_demand_service(),
                     user_on_demand_service(),
                     contained_service("docker")}) {
    const Analyzer analyzer;
    if (!analyzer.present()) {
      WARN(
          "skipped: systemd finds no fault in the units that go with a service (no "
          "systemd-analyze here)");
      return;
    }
    input.instance.uses.clear();  // services that are not there
    input.las_program = "/bin/sh";
    auto units = analyzer.write_more(input);
    units.push_back(analyzer.write(input));
    for (const auto& unit : units) {
      const auto result = analyzer.run_file(unit, input.scope, {"verify", "--man=no"});
      INFO(unit);
      CHECK(result.status == 0);
      CHECK(result.err.empty());
    }
  }
}

TEST_CASE("systemd rates the exposure of a service low, also with a GPU", "[service]") {
  const Analyzer analyzer;
  if (!analyzer.present() ||
      analyzer.run(small_service(), {"security", "--offline=true", "--no-pager"})
              .err.find("unrecognized option") != std::string::npos) {
    WARN("skipped: systemd rates the exposure of a service low (no systemd-analyze that can)");
    return;
  }
  // The threshold is in tenths; at or above it systemd-analyze fails.
  for (const auto& [input, threshold] : {std::pair{small_service(), "16"},
                                         std::pair{gpu_service(), "21"},
                                         std::pair{contained_service("docker"), "16"}}) {
    const auto result = analyzer.run(
        input,
        {"security", "--offline=true", "--no-pager", std::string("--threshold=") + threshold});
    const auto verdict = result.out.rfind("Overall exposure level");
    INFO(result.err);
    CHECK(result.status == 0);
    REQUIRE(verdict != std::string::npos);
    std::printf("%s", result.out.substr(verdict).c_str());
  }
}
