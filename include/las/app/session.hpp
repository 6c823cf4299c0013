// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/config.hpp"
#include "las/base/activity.hpp"
#include "las/catalog/catalog.hpp"
#include "las/fetch/fetch.hpp"
#include "las/hardware/probe.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/layout.hpp"
#include "las/platform/lock.hpp"
#include "las/platform/process.hpp"
#include "las/policy/policy.hpp"
#include "las/service/supervisor.hpp"
#include "las/source/source.hpp"
#include "las/state/store.hpp"
#include "las/transaction/transaction.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace las::app {

std::string version();  ///< "0.1.0"

/// The real world, made by main; tests bring their own.
struct Platform {
  platform::FileSystem& files;
  platform::ProcessRunner& processes;
  platform::Clock& clock;
  platform::Environment environment;
};

/// What the command line says about where and how.
struct SessionOptions {
  platform::Layout layout;
  std::optional<std::filesystem::path> hardware_file;  ///< --hardware: plan for another machine
  std::optional<std::filesystem::path> sysroot;        ///< --sysroot: detect a captured tree
  std::map<std::string, std::string> config_flags;     ///< settings given as flags
  std::string operation_id;                            ///< of this run: ties log lines and history
  std::string command_line;                            ///< "las install foo", for locks and history
};

/// One run of las: the parts that use cases need, each made on first use, so that a command pays
/// only for what it touches. It decides nothing itself; the use cases are functions in this room's
/// other headers.
class Session {
 public:
  Session(Platform platform, SessionOptions options);
  ~Session();

  platform::FileSystem& files() { return platform_.files; }

  platform::ProcessRunner& processes() { return platform_.processes; }

  platform::Clock& clock() { return platform_.clock; }

  const platform::Environment& environment() const { return platform_.environment; }

  const platform::Layout& layout() const { return options_.layout; }

  const SessionOptions& options() const { return options_; }

  const std::string& command_line() const { return options_.command_line; }

  const Config& config();
  /// share/manifests and share/policies: beside the binary (installed or in a build tree), or
  /// LAS_DATA_DIR.
  std::filesystem::path data_directory() const;

  const catalog::Catalog& catalog(const Activity& activity);
  /// How this run looks at a machine: --sysroot, and the folders whose storage matters.
  hardware::ProbeOptions probe_options() const;
  const hardware::HardwareProfile& profile(const Activity& activity);
  /// The policy rules in force: what las ships and <config>/policies.d. InvalidData that lists
  /// every fault of every file when there is one: a rule that cannot be read might be a denial.
  const std::vector<policy::Rule>& rules();
  /// The rules' verdict on profile(), with the overrides of this state that are in force.
  const policy::Verdict& verdict(const Activity& activity);

  /// Read-only until writer() was called.
  state::StateStore& store();
  /// Ports that are spoken for: leased in the state, or given to a service by this run.
  std::vector<state::PortLease> leases();
  /// The first free one of the configured range; nothing else of this run gets it.
  std::uint16_t give_port(const std::string& service);
  /// Nothing else of this run gets this port.
  void take_port(std::uint16_t port, const std::string& service);
  fetch::Fetcher& fetcher();
  service::Supervisor& supervisor();
  const std::map<std::string, std::unique_ptr<source::SourceKind>>& sources();

  const std::vector<std::unique_ptr<source::SystemStep>>& steps();

  /// What transactions work with. The store in it is read-only until writer() was called, and what
  /// was made before that is of no use afterwards.
  transaction::Surroundings surroundings(const Activity& activity);

  /// Takes the writer lock, opens the state for writing and recovers what an interrupted run left;
  /// every command that changes something calls it once. Permission with a hint when this user may
  /// not write there; Busy when another las holds the lock.
  transaction::Transactor& writer(const Activity& activity);

  /// For what is noted beside other work and waits for nobody: the state for writing, under the
  /// writer lock, where that is free and no interrupted run is to be recovered; else nullptr.
  state::StateStore* recorder(const Activity& activity);

 private:
  std::vector<std::filesystem::path> index_directories() const;
  std::string maker() const;
  /// How long this run is to keep the lock, for those who find it taken.
  enum class Stay { Brief, AsLongAsItTakes };
  void lock_and_open(std::chrono::seconds wait, Stay stay, const Activity& activity);

  struct Parts;
  Platform platform_;
  SessionOptions options_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace las::app
