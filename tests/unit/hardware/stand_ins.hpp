// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/catch.hpp"

#include "las/base/activity.hpp"
#include "las/base/error.hpp"
#include "las/hardware/probe.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

#include <map>
#include <string>
#include <vector>

namespace las::hardware::test {

/// A stand-in for the programs of a machine: answers `PROGRAM --version` and logs what was run.
class StandInPrograms : public platform::ProcessRunner {
 public:
  struct Answer {
    int status = 0;
    std::string out;
    bool times_out = false;
  };

  std::map<std::string, Answer> programs;
  std::vector<std::string> log;
  mutable std::string searched;  ///< the PATH of the last look-up

  platform::ProcessResult run(const platform::Command& command,
                              const Activity&,
                              std::optional<std::chrono::milliseconds> timeout,
                              const std::function<void(std::string_view)>&) override {
    const std::string name = std::filesystem::path(command.argv.at(0)).filename();
    log.push_back(name + " " + command.argv.at(1) + " within " +
                  std::to_string(timeout ? timeout->count() : 0) + " ms");
    const Answer& answer = programs.at(name);
    if (answer.times_out)
      throw Error(ErrorKind::Io, "the program took too long", name);
    return {answer.status, answer.out, {}};
  }

  platform::ProcessIdentity spawn_detached(const platform::DetachedCommand&) override {
    throw refusal();
  }

  bool alive(const platform::ProcessIdentity&) const override { throw refusal(); }

  std::optional<platform::ProcessIdentity> identify(pid_t) const override { throw refusal(); }

  void signal_group(const platform::ProcessIdentity&, int) override { throw refusal(); }

  bool wait_gone(const platform::ProcessIdentity&, std::chrono::milliseconds) override {
    throw refusal();
  }

  std::optional<std::filesystem::path> find_program(std::string_view program,
                                                    std::string_view path) const override {
    searched = path;
    if (!programs.contains(std::string(program)))
      return std::nullopt;
    return std::filesystem::path("/usr/bin") / program;
  }

 private:
  static Error refusal() { return {ErrorKind::Io, "a probe must not do this"}; }
};

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(LAS_TEST_DATA) / "hardware" / name;
}

inline std::unique_ptr<platform::FileReader> fixture_files(const std::string& name) {
  return platform::make_sysroot_reader(fixture(name));
}

/// Probes a captured tree; a program that is run, or an exception, fails the test.
inline HardwareProfile probe_tree(const std::filesystem::path& tree) {
  StandInPrograms programs;
  NullReporter reporter;
  const Cancellation cancellation;
  ProbeOptions options;
  options.sysroot = tree;
  options.storage = {{"models", "/var/lib/my models/blobs"}};
  return probe({}, programs, options, {reporter, cancellation});
}

inline HardwareProfile probe_fixture(const std::string& name) {
  return probe_tree(fixture(name));
}

template <typename T>
Fact<T> known(T value, std::string origin) {
  return Fact<T>::known(std::move(value), std::move(origin));
}

}  // namespace las::hardware::test

// What Catch2 prints when a fact is not the expected one.
namespace Catch {

template <typename T>
struct StringMaker<las::hardware::Fact<T>> {
  static std::string convert(const las::hardware::Fact<T>& fact) {
    if (!fact.is_known())
      return "unknown: " + fact.unknown;
    return StringMaker<T>::convert(*fact.value) + " from " + fact.origin;
  }
};

template <>
struct StringMaker<las::Version> {
  static std::string convert(const las::Version& version) { return version.text(); }
};

template <>
struct StringMaker<las::ByteSize> {
  static std::string convert(las::ByteSize size) { return std::to_string(size.bytes()) + " bytes"; }
};

}  // namespace Catch
