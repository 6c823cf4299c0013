// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/fetch/fetch.hpp"
#include "las/platform/environment.hpp"
#include "las/platform/file_system.hpp"
#include "las/platform/layout.hpp"
#include "las/platform/process.hpp"
#include "las/platform/systemd_bus.hpp"
#include "las/state/records.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace las::service {

/// Waiting: nothing of it runs; its port is open, and the first request starts it.
enum class RunState { Running, Starting, Stopping, Stopped, Waiting, Failed, Absent };
std::string_view to_string(RunState state);
/// Whether it serves, will in a moment, or will at the first request.
bool is_up(RunState state);

struct ServiceStatus {
  RunState state = RunState::Absent;
  std::uint32_t pid = 0;
  std::string since;       ///< ISO 8601; "" unknown
  std::string executable;  ///< /proc/<pid>/exe, to prove that the new one runs; "" unknown
  std::optional<int> exit_status;
  std::string detail;  ///< systemd's result word, or the last log line
  std::optional<ByteSize> memory;
  std::optional<std::chrono::nanoseconds> cpu_time;  ///< since it was started
  std::uint32_t restarts = 0;
  bool starts_again = false;    ///< it ended, and the supervisor starts it again by itself
  std::optional<bool> enabled;  ///< starts at boot; nothing where nothing does, or it is unknown
};

/// Whether it starts with the machine only once it was seen to be well: a program that takes the
/// GPU's driver down with it would do so at every boot. One on demand waits for somebody to ask.
bool is_guarded_at_boot(const state::ServiceInstance& service);

/// Which lines of a service's log.
struct LogQuery {
  std::size_t lines = 100;  ///< at most so many from the end, before what follows
  bool follow = false;      ///< goes on until the activity is cancelled
  std::string since;        ///< as journalctl(1) takes it: "2026-11-26 10:00", "-1h"; "" = all
  std::string grep;         ///< only lines that this regular expression matches; "" = all
};

/// Runs services. Two bodies behind one interface: systemd (sd-bus, generated units) and, where no
/// systemd runs, `process` (setsid, pidfd, log files; no restart by itself, no start at boot — it
/// says so). Errors: Io with the cause and the last log lines, Permission.
class Supervisor {
 public:
  Supervisor() = default;
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  virtual ~Supervisor() = default;

  virtual std::string name() const = 0;  ///< "systemd", "process"
  /// One translated sentence about what it cannot do; "" if nothing.
  virtual std::string limits() const = 0;

  /// Whether each running service is looked at from time to time (HealthRecord).
  virtual bool looks_after_health() const { return false; }

  /// Makes the set of installed services equal to `wanted`: writes changed units, removes units of
  /// las that are not wanted (stopping them first), reloads once. Starts nothing that does not run;
  /// what runs from a unit that somebody edited is restarted with the right one. Idempotent.
  ///
  /// `leave`: ids whose unit, where somebody edited it, stays as it is: that is for `las repair` to
  /// mend, not for whatever comes next. A unit that is gone is written all the same.
  virtual void install(const std::vector<state::ServiceInstance>& wanted,
                       const std::set<std::string>& leave,
                       const Activity& activity) = 0;

  /// Starts it, now and at every boot; one that is_guarded_at_boot() only now. One that starts on
  /// demand gets its port opened.
  virtual void start(const state::ServiceInstance& service, const Activity& activity) = 0;
  /// Returns once no process of it is left: the stop signal, then SIGKILL after the time-out. Nor
  /// does it start at the next boot.
  virtual void stop(const state::ServiceInstance& service, const Activity& activity) = 0;

  /// Ends it and starts it anew, as stop() and start() would; what is wished for the next boot
  /// stays.
  virtual void restart(const state::ServiceInstance& service, const Activity& activity) {
    stop(service, activity);
    start(service, activity);
  }

  /// Whether it starts with the machine, whatever it does now. Nothing where that cannot be said.
  virtual void set_at_boot(const state::ServiceInstance& /*service*/, bool /*at_boot*/) {}

  virtual ServiceStatus status(const state::ServiceInstance& service) = 0;

  /// Who listens on the service's port in its place: "pid 7 (server)". "" when it is the service
  /// itself or one of its workers, when nobody does, or when it cannot be known.
  virtual std::string impostor(const state::ServiceInstance& /*service*/) { return {}; }

  /// The last `count` lines of its output, oldest first.
  virtual std::vector<std::string> logs(const state::ServiceInstance& service,
                                        std::size_t count) = 0;
  /// What is typed to see its output when las knows the service no more.
  virtual std::string outside_log(const state::ServiceInstance& service) const = 0;
  /// The lines that the query asks for, one by one. Usage for what this log cannot tell.
  virtual void read_log(const state::ServiceInstance& service,
                        const LogQuery& query,
                        const std::function<void(const std::string&)>& on_line,
                        const Activity& activity);

  /// Whether nothing keeps those out whom the service's network is not for. As far as can be seen:
  /// of a service that does not run, and by others than root, nothing.
  virtual bool lets_everybody_in(const state::ServiceInstance& service) {
    return service.network == "lan";
  }

  /// The image that the service's container was made of, in place of the one that is wanted:
  /// "NAME@DIGEST". "" when it is the wanted one, for what runs in no container, and when nothing
  /// runs.
  virtual std::string foreign_image(const state::ServiceInstance& /*service*/) { return {}; }

  /// Runs a command of its health check where the service runs. Io when it cannot be run, and where
  /// services are only played.
  virtual platform::ProcessResult run_check(const state::ServiceInstance& service,
                                            std::chrono::milliseconds timeout,
                                            const Activity& activity);

  /// Ends what a start that was cut short left running unrecorded. The caller holds the writer
  /// lock.
  virtual void settle() {}

  /// What install(), start() and stop() did survives a power cut once this has returned.
  virtual void sync() {}

  /// Ids of the services that are installed now (units or records of las), for verify and recovery.
  virtual std::vector<std::string> installed() = 0;
};

struct SupervisorSurroundings {
  platform::FileSystem& files;
  platform::ProcessRunner& processes;
  platform::Clock& clock;
  const platform::Environment& environment;
  const platform::Layout& layout;
};

/// What the process runs, if that is none of `places` (files, or folders that hold its program or
/// the script that its interpreter was given); "" when it is, or when it cannot be known.
std::string foreign_program(const platform::FileReader& files,
                            std::uint32_t pid,
                            const std::vector<std::filesystem::path>& places);

/// The processes of the service: `main` and all that are in the control group of its unit, or of
/// its slice, if it has one.
std::set<std::uint32_t> processes_of(const platform::FileReader& files,
                                     const std::string& service_id,
                                     std::uint32_t main);

/// Which entries of the folder `directory` running processes use: as program, library, working
/// directory, open file or argument. Entry → what uses it ("pid 12 (server)"). What another user's
/// processes do is seen by root alone.
std::map<std::string, std::string> entries_in_use(const platform::FileReader& files,
                                                  const std::filesystem::path& directory);

std::unique_ptr<Supervisor> make_systemd_supervisor(SupervisorSurroundings surroundings,
                                                    std::unique_ptr<platform::SystemdBus> bus);
std::unique_ptr<Supervisor> make_process_supervisor(SupervisorSurroundings surroundings);
/// systemd where it runs and the layout is its own (not below --root), else process.
std::unique_ptr<Supervisor> make_supervisor(SupervisorSurroundings surroundings);

/// Asks until the service is well. `ready` false with a reason when the process died, or the start
/// period ran out. Waits by the clock between probes; stops at once when the process is gone.
struct Health {
  bool ready = false;
  std::string reason;  ///< "200 from /health", "connection refused", "exited with status 1"
  std::chrono::milliseconds waited{0};
};

/// One that waits for its first request gets one, so that it can be looked at.
///
/// `is_gone`: asked besides, for whoever knows of its end earlier than the supervisor (the start
/// that waits for it: to systemd the service is still starting then).
Health wait_until_ready(Supervisor& supervisor,
                        fetch::Fetcher& fetcher,
                        platform::Clock& clock,
                        const state::ServiceInstance& service,
                        const Activity& activity,
                        const std::function<bool()>& is_gone = {});
/// One probe, now. One that waits for its first request is well, and goes on waiting.
Health probe_health(Supervisor& supervisor,
                    fetch::Fetcher& fetcher,
                    const state::ServiceInstance& service,
                    const Activity& activity);

struct DataOwner {
  std::uint32_t uid = 0, gid = 0;
};

/// Whose a container's data have to be before it starts, where its engine does not see to that.
/// CorruptState for a damaged record.
std::optional<DataOwner> owner_of_data(const state::ServiceInstance& service);

/// Makes the files with the service's secret below `directory`, which only root (or the user) can
/// enter: a word of 256 random bits in hex, and what is made of it. A word that is there stays: the
/// service's data may have been made with it.
void make_secrets(platform::FileSystem& files,
                  const state::ServiceInstance& service,
                  const std::filesystem::path& directory);
/// Whether a command that prepares the service's data names this file of a secret.
bool is_read_by_preparation(const state::ServiceInstance& service,
                            const std::filesystem::path& secret);
/// The word. NotFound where the service has none; Permission for others than root.
std::string secret_word(const platform::FileReader& files, const std::filesystem::path& directory);

/// Removes a service's data for good. systemd keeps a dynamic user's behind a link in `directory`
/// (/var/lib/private/...); remove_tree() of the link alone would leave it. Absent is fine.
void purge_data(platform::FileSystem& files, const std::filesystem::path& directory);
/// Likewise for one who is not root, whose containers may have left files there that are not his:
/// what he may not remove, their engine is asked to. Permission where it does not help either.
void purge_data_of_users(platform::FileSystem& files,
                         platform::ProcessRunner& processes,
                         const platform::Environment& environment,
                         const std::filesystem::path& directory,
                         const Activity& activity);

/// The folder that a service's data really lies in: `directory`, or where systemd keeps a dynamic
/// user's; nothing if there is none. Io when it is a link that leads anywhere else.
std::optional<std::filesystem::path> data_folder(const platform::FileReader& files,
                                                 const std::filesystem::path& directory);

/// Bytes in a service's data, wherever purge_data() would find them.
ByteSize data_size(const platform::FileReader& files, const std::filesystem::path& directory);

/// Who listens on the TCP port, for a person: "pid 7 (server)", or "another program" where that
/// cannot be seen.
std::string port_owner(const platform::FileReader& files, std::uint16_t port);

/// The first port of [first, last] that no lease holds and nothing listens on. Busy when there is
/// none.
std::uint16_t choose_port(std::uint16_t first,
                          std::uint16_t last,
                          const std::vector<state::PortLease>& leases);

}  // namespace las::service
