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
    auto runnable = input;
    runnable.instance.argv[0] = "/bin/sh";  // verify looks whether the program is there
    const auto file = directory_.write(unit_name(input.instance.id), render_unit(runnable));
    platform::Command command;
    command.argv = {"systemd-analyze"};
    if (input.scope == platform::Scope::User)
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
  for (const auto& input :
       {small_service(), gpu_service(), user_service(), hostile_words_service()}) {
    const auto result = analyzer.run(input, {"verify", "--man=no"});
    INFO(input.instance.id);
    CHECK(result.status == 0);
    CHECK(result.err.empty());  // unknown directives are warnings to systemd, faults to us
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
  for (const auto& [input, threshold] :
       {std::pair{small_service(), "16"}, std::pair{gpu_service(), "21"}}) {
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
