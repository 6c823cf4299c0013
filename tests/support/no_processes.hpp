// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/error.hpp"
#include "las/platform/process.hpp"

namespace las::test {

/// The part of a ProcessRunner that stand-ins for programs share: nothing is spawned, nothing is
/// there to be signalled.
class NoProcesses : public platform::ProcessRunner {
 public:
  platform::ProcessIdentity spawn_detached(const platform::DetachedCommand&) override {
    throw Error(ErrorKind::Io, "a stand-in starts nothing");
  }

  bool alive(const platform::ProcessIdentity&) const override { return false; }

  std::optional<platform::ProcessIdentity> identify(pid_t) const override { return std::nullopt; }

  void signal_group(const platform::ProcessIdentity&, int) override {}

  bool wait_gone(const platform::ProcessIdentity&, std::chrono::milliseconds) override {
    return true;
  }
};

}  // namespace las::test
