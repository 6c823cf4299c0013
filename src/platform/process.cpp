// SPDX-License-Identifier: Apache-2.0
#include "las/platform/process.hpp"

#include "child_launch.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <climits>

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace las::platform {

namespace {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kKeptOutput = std::size_t{1} << 20U;
constexpr milliseconds kSlice(100);  // how long a stop request may go unnoticed
constexpr milliseconds kAfterLeader(5000);

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

// Saturates: "for ever" is said with the largest duration there is.
SteadyTime deadline_after(milliseconds duration) {
  return now() + std::min<milliseconds>(duration, std::chrono::hours(24 * 365));
}

int poll_timeout(std::chrono::steady_clock::duration duration) {
  const auto count = std::chrono::ceil<milliseconds>(duration).count();
  return static_cast<int>(std::clamp<std::int64_t>(count, 0, INT_MAX));
}

/// One output pipe: keeps the end of the bytes and cuts them into lines.
class OutputPipe {
 public:
  /// The end for the child.
  Descriptor open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      throw system_error(errno, _("cannot start a program"));
    read_end_ = Descriptor(ends[0]);
    Descriptor write_end(ends[1]);
    if (::fcntl(read_end_.get(), F_SETFL, O_NONBLOCK) != 0)
      throw system_error(errno, _("cannot start a program"));
    return above_standard(std::move(write_end));
  }

  int fd() const { return read_end_.get(); }

  bool at_end() const { return !read_end_; }

  /// Reads what there is, up to `limit` bytes.
  void read(std::size_t limit, const std::function<void(std::string_view)>& on_line) {
    std::array<char, 65536>
        buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
    for (std::size_t total = 0; read_end_ && total < limit;) {
      const ssize_t size =
          retry_on_signal([&] { return ::read(read_end_.get(), buffer.data(), buffer.size()); });
      if (size < 0 && errno == EAGAIN)
        return;
      if (size <= 0) {
        read_end_.reset();
        return;
      }
      total += static_cast<std::size_t>(size);
      take({buffer.data(), static_cast<std::size_t>(size)}, on_line);
    }
  }

  /// The kept output; the last line may lack its end.
  std::string finish(const std::function<void(std::string_view)>& on_line) {
    if (on_line && !line_.empty())
      on_line(line_);
    line_.clear();
    if (kept_.size() > kKeptOutput)
      kept_.erase(0, kept_.size() - kKeptOutput);
    return std::move(kept_);
  }

 private:
  void take(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
    kept_.append(bytes);
    if (kept_.size() > 2 * kKeptOutput)
      kept_.erase(0, kept_.size() - kKeptOutput);
    if (!on_line)
      return;
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      line_.append(bytes.substr(0, end));
      if (end == std::string_view::npos) {
        // Something that never ends its line must not fill the memory.
        if (line_.size() > kKeptOutput)
          deliver(on_line);
        return;
      }
      bytes.remove_prefix(end + 1);
      deliver(on_line);
    }
  }

  void deliver(const std::function<void(std::string_view)>& on_line) {
    if (line_.ends_with('\r'))
      line_.pop_back();
    const std::string line = std::exchange(line_, {});
    on_line(line);
  }

  Descriptor read_end_;
  std::string kept_, line_;
};

/// A child in its own process group. Destroyed early (an exception of a callback), the group is
/// killed: no program runs on without somebody who waits for it.
class Child {
 public:
  Child(const Command& command, Descriptor input)
      : pid_(start(command, std::move(input))), pidfd_(open_pidfd(pid_)) {}

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ~Child() {
    if (!reaped_) {
      static_cast<void>(::kill(-pid_, SIGKILL));
      retry_on_signal([&] { return ::waitpid(pid_, nullptr, 0); });
    }
  }

  /// Whether it ended. It stays a zombie until reap(), so its number and its group's stay its own.
  bool ended() const {
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0)
      return errno == ECHILD;
    return info.si_pid == pid_;
  }

  /// Waits for output or the end, at most `longest`.
  void pump(std::chrono::steady_clock::duration longest,
            bool has_ended,
            const std::function<void(std::string_view)>& on_line) {
    std::array<pollfd, 3> events{pollfd{out_.fd(), POLLIN, 0},
                                 pollfd{err_.fd(), POLLIN, 0},
                                 pollfd{has_ended ? -1 : pidfd_.get(), POLLIN, 0}};
    if (::poll(events.data(), events.size(), poll_timeout(longest)) <= 0)
      return;  // time is over, or a signal: the caller looks again
    if (events[0].revents != 0)
      out_.read(1, on_line);
    if (events[1].revents != 0)
      err_.read(1, on_line);
  }

  bool outputs_at_end() const { return out_.at_end() && err_.at_end(); }

  /// TERM to the group, and KILL to whoever is left of it after `grace`.
  void terminate(milliseconds grace) {
    static_cast<void>(::kill(-pid_, SIGTERM));
    static_cast<void>(::kill(-pid_, SIGCONT));
    SteadyTime deadline = deadline_after(grace);
    for (bool has_ended = false; now() < deadline;) {
      if (!has_ended && ended()) {
        has_ended = true;
        // Whoever still holds the pipes may be of the group and cleaning up, or may have left it.
        deadline = std::min(deadline, deadline_after(kAfterLeader));
      }
      if (has_ended && outputs_at_end())
        break;
      pump(std::min<std::chrono::steady_clock::duration>(deadline - now(), kSlice), has_ended, {});
    }
    static_cast<void>(::kill(-pid_, SIGKILL));
    static_cast<void>(reap());
  }

  ProcessResult finish(const std::function<void(std::string_view)>& on_line) {
    // All that the program wrote is in the pipes by now. Background processes it left behind may
    // hold them open and write on for ever: no pipe holds more than this at once.
    out_.read(kKeptOutput, on_line);
    err_.read(kKeptOutput, on_line);
    ProcessResult result;
    result.status = reap();
    result.out = out_.finish(on_line);
    result.err = err_.finish(on_line);
    return result;
  }

 private:
  pid_t start(const Command& command, Descriptor input) {
    StandardStreams streams;
    streams.input = std::move(input);
    streams.output = out_.open();
    streams.error = err_.open();
    return launch(command, streams);
  }

  int reap() {
    siginfo_t info{};
    reaped_ = true;
    if (retry_on_signal([&] { return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED); }) !=
        0)
      throw system_error(errno, _("the exit status of a program was lost"));
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  }

  OutputPipe out_, err_;
  pid_t pid_;
  Descriptor pidfd_;
  bool reaped_ = false;
};

Descriptor open_null() {
  Descriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!file)
    throw system_error(errno, _("cannot open the file"), "/dev/null");
  return above_standard(std::move(file));
}

// A memory file rather than a pipe: the child may leave it unread without a signal or a dead lock.
Descriptor input_for(const Command& command) {
  if (command.input.empty())
    return open_null();
  Descriptor file(::memfd_create("las-input", MFD_CLOEXEC));
  if (!file)
    throw system_error(errno, _("cannot start a program"), command.argv[0]);
  std::string_view rest = command.input;
  while (!rest.empty()) {
    const ssize_t size =
        retry_on_signal([&] { return ::write(file.get(), rest.data(), rest.size()); });
    if (size < 0)
      throw system_error(errno, _("cannot start a program"), command.argv[0]);
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0)
    throw system_error(errno, _("cannot start a program"), command.argv[0]);
  return above_standard(std::move(file));
}

class PosixProcessRunner : public ProcessRunner {
 public:
  explicit PosixProcessRunner(milliseconds grace) : grace_(grace) {}

  ProcessResult run(const Command& command,
                    const Activity& activity,
                    std::optional<milliseconds> timeout,
                    const std::function<void(std::string_view)>& on_line) override {
    activity.cancellation.throw_if_requested();
    if (command.argv.empty())
      throw Error(ErrorKind::InvalidData, _("there is no program to run"));
    const SteadyTime deadline = deadline_after(timeout.value_or(milliseconds::max()));
    Child child(command, input_for(command));
    while (!child.ended()) {
      if (activity.cancellation.requested()) {
        child.terminate(grace_);
        activity.cancellation.throw_if_requested();
      }
      std::chrono::steady_clock::duration slice = kSlice;
      if (timeout) {
        const auto left = deadline - now();
        if (left <= left.zero()) {
          child.terminate(grace_);
          throw Error(ErrorKind::Io, _("the program did not finish in time"), command.argv[0])
              .cause(fmt::format(fmt::runtime(_("stopped after {} seconds")),
                                 static_cast<double>(timeout->count()) / 1000));
        }
        slice = std::min(slice, left);
      }
      child.pump(slice, false, on_line);
    }
    return child.finish(on_line);
  }

  ProcessIdentity spawn_detached(const DetachedCommand& command) override {
    const std::filesystem::path log =
        command.log_file.empty() ? std::filesystem::path("/dev/null") : command.log_file;
    Descriptor output(
        ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (!output)
      throw system_error(errno, _("cannot open the log file"), log.native());
    StandardStreams streams;
    streams.input = open_null();
    streams.output = above_standard(std::move(output));
    streams.error = Descriptor(::fcntl(streams.output.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (!streams.error)
      throw system_error(errno, _("cannot open the log file"), log.native());
    return launch_detached(command, streams);
  }

  bool alive(const ProcessIdentity& process) const override {
    const auto stat = read_proc_stat(process.pid);
    return stat && stat->running && stat->start_time == process.start_time;
  }

  std::optional<ProcessIdentity> identify(pid_t pid) const override {
    const auto stat = read_proc_stat(pid);
    if (!stat || !stat->running)
      return std::nullopt;
    return ProcessIdentity{pid, stat->start_time};
  }

  void signal_group(const ProcessIdentity& process, int signal_number) override {
    // kill(-1) would reach every process there is.
    if (process.pid <= 1)
      return;
    // Another process under this number means that the group is gone too: the kernel gives no
    // number away that is still a group's. No process at all may be a group without its leader.
    const auto stat = read_proc_stat(process.pid);
    if (stat && stat->start_time != process.start_time)
      return;
    if (::kill(-process.pid, signal_number) != 0 && errno != ESRCH)
      throw system_error(errno, _("cannot signal a process"), std::to_string(process.pid));
  }

  bool wait_gone(const ProcessIdentity& process, milliseconds timeout) override {
    const SteadyTime deadline = deadline_after(timeout);
    if (!alive(process))
      return true;
    // Opened before alive() is asked again, so it is this process or alive() says no.
    const Descriptor pidfd = open_pidfd(process.pid);
    while (alive(process)) {
      const auto left = deadline - now();
      if (left <= left.zero())
        return false;
      pollfd event{pidfd.get(), POLLIN, 0};
      const auto slice = pidfd ? left : std::min<std::chrono::steady_clock::duration>(left, kSlice);
      if (::poll(&event, 1, poll_timeout(slice)) < 0 && errno != EINTR)
        throw system_error(errno, _("cannot wait for a process"), std::to_string(process.pid));
    }
    return true;
  }

  int run_attached(const Command& command) override {
    const auto path = command.environment.find("PATH");
    const auto program = search_program(
        command.argv.front(), path == command.environment.end() ? "/usr/bin:/bin" : path->second);
    if (!program)
      throw Error(ErrorKind::NotFound, _("program not found"), command.argv.front());
    std::vector<std::string> words = command.argv, variables;
    for (const auto& [name, value] : command.environment)
      variables.push_back(name + "=" + value);
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> all;
      for (std::string& text : texts)
        all.push_back(text.data());
      all.push_back(nullptr);
      return all;
    };
    pid_t child = 0;
    if (const int fault = ::posix_spawn(&child,
                                        program->c_str(),
                                        nullptr,
                                        nullptr,
                                        pointers(words).data(),
                                        pointers(variables).data());
        fault != 0)
      throw system_error(fault, _("cannot start a program"), program->string());
    int status = 0;
    if (retry_on_signal([&] { return ::waitpid(child, &status, 0); }) < 0)
      throw system_error(errno, _("cannot wait for a process"), std::to_string(child));
    constexpr int kSignalled = 128;
    return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
  }

  std::optional<std::filesystem::path> find_program(std::string_view program,
                                                    std::string_view path_variable) const override {
    return search_program(program, path_variable);
  }

 private:
  milliseconds grace_;
};

}  // namespace

int ProcessRunner::run_attached(const Command& command) {
  throw Error(ErrorKind::NotFound, _("no terminal to run it at"), command.argv.front());
}

std::unique_ptr<ProcessRunner> make_posix_process_runner(milliseconds grace) {
  return std::make_unique<PosixProcessRunner>(grace);
}

}  // namespace las::platform
