// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/no_processes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace las::test {

/// Stands in for the distribution: apt-get, dpkg-query and apt-mark over packages that the test
/// named, each of version 1. What is installed is kept as dpkg would.
class StandInDistribution : public NoProcesses {
 public:
  std::map<std::string, std::set<std::string>> depends;  ///< every package that apt knows
  std::set<std::string> installed, manual;

  std::vector<std::string> names() const { return {installed.begin(), installed.end()}; }

  platform::ProcessResult run(const platform::Command& command,
                              const Activity& activity,
                              std::optional<std::chrono::milliseconds>,
                              const std::function<void(std::string_view)>&) override {
    activity.cancellation.throw_if_requested();
    const std::string& program = command.argv.front();
    const auto has = [&](const std::string& word) {
      return std::find(command.argv.begin(), command.argv.end(), word) != command.argv.end();
    };
    std::set<std::string> packages;
    for (const std::string& word : command.argv) {
      if (depends.contains(word))
        packages.insert(word);
    }
    std::string out;
    if (program == "apt-cache") {
      for (const std::string& name : packages)
        out += name + ":\n  Candidate: 1\n";
    } else if (program == "dpkg-query") {
      for (const std::string& name : packages) {
        if (installed.contains(name))
          out += name + "\tamd64\tinstalled\t1\n";
      }
    } else if (program == "apt-mark") {
      for (const std::string& name : packages) {
        if (manual.contains(name))
          out += name + "\n";
      }
    } else if (program == "apt-get" && has("install")) {
      out = install(packages, has("-s") || has("--download-only"));
    } else if (program == "apt-get" && has("remove")) {
      out = remove(packages, has("-s"));
    } else if (program != "dpkg" && !has("check")) {
      throw Error(ErrorKind::Io, "the distribution has no such program", program);
    }
    return {0, out, ""};
  }

  std::optional<std::filesystem::path> find_program(std::string_view program,
                                                    std::string_view) const override {
    return std::filesystem::path("/usr/bin") / program;
  }

 private:
  std::string install(const std::set<std::string>& asked, bool only_look) {
    std::set<std::string> closure = asked;
    for (bool grown = true; grown;) {
      grown = false;
      for (const std::string& name : std::set<std::string>(closure)) {
        for (const std::string& needed : depends.at(name))
          grown = closure.insert(needed).second || grown;
      }
    }
    std::string out;
    for (const std::string& name : closure) {
      if (!installed.contains(name))
        out += "Inst " + name + " (1 Stand-in [amd64])\n";
    }
    if (!only_look) {
      for (const std::string& name : asked) {
        if (!installed.contains(name))
          manual.insert(name);
      }
      installed.insert(closure.begin(), closure.end());
    }
    return out;
  }

  std::string remove(const std::set<std::string>& asked, bool only_look) {
    std::set<std::string> leaving = asked;
    for (bool grown = true; grown;) {
      grown = false;
      for (const std::string& name : installed) {
        for (const std::string& needed : depends.at(name)) {
          if (leaving.contains(needed))
            grown = leaving.insert(name).second || grown;
        }
      }
    }
    std::string out;
    for (const std::string& name : leaving) {
      if (installed.contains(name))
        out += "Remv " + name + " [1]\n";
    }
    if (!only_look) {
      for (const std::string& name : leaving) {
        installed.erase(name);
        manual.erase(name);
      }
    }
    return out;
  }
};

}  // namespace las::test
