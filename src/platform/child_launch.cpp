// SPDX-License-Identifier: Apache-2.0
#include "child_launch.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/file_system.hpp"

#include <array>
#include <charconv>
#include <cstring>

#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace las::platform {

namespace {

constexpr const char* kUsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How far the child came; sent to the parent through a close-on-exec socket.
enum class Stage : std::int32_t { Alive, Streams, OomScore, WorkingDirectory, Exec, Fork };

struct Report {
  Stage stage = Stage::Alive;
  std::int32_t error = 0;
  std::int32_t pid = 0;
};

/// Everything the child needs, made before the fork: after it only async-signal-safe calls are
/// allowed, so no allocation.
struct Prepared {
  std::string program, working_directory, oom_score;
  std::vector<std::string> strings;
  std::vector<char*> argv, environment;
  int input = -1, output = -1, error = -1;

  Prepared(const Command& command, const StandardStreams& streams)
      : working_directory(command.working_directory.native()),
        input(streams.input.get()),
        output(streams.output.get()),
        error(streams.error.get()) {
    if (command.argv.empty() || command.argv[0].empty())
      throw Error(ErrorKind::InvalidData, _("there is no program to run"));
    const std::string& name = command.argv[0];
    program = name;
    if (name.find('/') == std::string::npos) {
      const auto path = command.environment.find("PATH");
      const auto found =
          search_program(name, path != command.environment.end() ? path->second : kUsualPath);
      if (!found)
        throw Error(ErrorKind::NotFound, _("the program does not exist"), name);
      program = found->native();
    }
    strings = command.argv;
    for (const auto& [key, value] : command.environment)
      strings.push_back(key + "=" + value);
    for (std::size_t i = 0; i < strings.size(); ++i)
      (i < command.argv.size() ? argv : environment).push_back(strings[i].data());
    argv.push_back(nullptr);
    environment.push_back(nullptr);
  }

  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
};

/// Signals wait while the process forks: the child must not run handlers meant for las.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }

  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

std::pair<Descriptor, Descriptor> make_report_channel() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw system_error(errno, _("cannot start a program"));
  Descriptor ours(ends[0]);
  Descriptor theirs(ends[1]);
  return {std::move(ours), above_standard(std::move(theirs))};
}

// --- In the child: async-signal-safe calls only ---

void send_report(int channel, Stage stage, int error, pid_t pid) {
  const Report report{stage, error, pid};
  static_cast<void>(::send(channel, &report, sizeof report, MSG_NOSIGNAL));
}

[[noreturn]] void give_up(int channel, Stage stage) {
  send_report(channel, stage, errno, 0);
  ::_exit(127);
}

void close_inherited() {
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
    return;
  // Before Linux 5.11, or in a sandbox that does not know the call.
  rlimit limit{};
  const int end = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536
                      ? static_cast<int>(limit.rlim_cur)
                      : 65536;
  for (int fd = 3; fd < end; ++fd)
    static_cast<void>(::fcntl(fd, F_SETFD, FD_CLOEXEC));
}

void reset_signals() {
  struct sigaction standard {};

  standard.sa_handler = SIG_DFL;
  for (int signal_number = 1; signal_number < NSIG; ++signal_number)
    static_cast<void>(::sigaction(signal_number, &standard, nullptr));
  sigset_t none;
  ::sigemptyset(&none);
  static_cast<void>(::sigprocmask(SIG_SETMASK, &none, nullptr));
}

// As systemd does: who may not lower the score (containers, users) runs without.
void adjust_oom_score(const Prepared& prepared, int channel) {
  if (prepared.oom_score.empty())
    return;
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  const bool written =
      file >= 0 && ::write(file, prepared.oom_score.data(), prepared.oom_score.size()) >= 0;
  if (!written && errno != EACCES && errno != EPERM)
    give_up(channel, Stage::OomScore);
  if (file >= 0)
    ::close(file);
}

[[noreturn]] void become_program(const Prepared& prepared, int channel) {
  // A session of its own has no terminal: a program that would ask on /dev/tty fails at once
  // instead of being stopped in the background for ever.
  static_cast<void>(::setsid());
  reset_signals();
  ::umask(022);
  if (::dup2(prepared.input, STDIN_FILENO) < 0 || ::dup2(prepared.output, STDOUT_FILENO) < 0 ||
      ::dup2(prepared.error, STDERR_FILENO) < 0)
    give_up(channel, Stage::Streams);
  adjust_oom_score(prepared, channel);
  if (!prepared.working_directory.empty() && ::chdir(prepared.working_directory.c_str()) != 0)
    give_up(channel, Stage::WorkingDirectory);
  close_inherited();
  ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.environment.data());
  give_up(channel, Stage::Exec);
}

// The child of the child, whose own parent is already on its way out.
[[noreturn]] void become_detached(const Prepared& prepared, int channel) {
  send_report(channel, Stage::Alive, 0, ::getpid());
  // Wait until las has noted our start time; without its word las is gone, and a process that
  // nobody recorded must not live.
  char word = 0;
  while (true) {
    const ssize_t got = ::read(channel, &word, 1);
    if (got == 1)
      break;
    if (got == 0 || errno != EINTR)
      ::_exit(127);
  }
  become_program(prepared, channel);
}

// --- In the parent ---

// Nothing once the other side is closed, which means that exec happened (or the child died).
std::optional<Report> receive_report(int channel) {
  Report report;
  const ssize_t got =
      retry_on_signal([&] { return ::recv(channel, &report, sizeof report, MSG_WAITALL); });
  if (got != static_cast<ssize_t>(sizeof report))
    return std::nullopt;
  return report;
}

void reap(pid_t pid) {
  retry_on_signal([&] { return ::waitpid(pid, nullptr, 0); });
}

[[noreturn]] void throw_report(const Report& report, const Command& command) {
  switch (report.stage) {
    case Stage::WorkingDirectory:
      throw system_error(report.error,
                         _("cannot enter the working directory of a program"),
                         command.working_directory.native());
    case Stage::Exec:
      if (report.error == ENOENT || report.error == ENOTDIR) {
        throw Error(ErrorKind::NotFound, _("the program does not exist"), command.argv[0]);
      }
      throw system_error(report.error, _("cannot start a program"), command.argv[0]);
    case Stage::OomScore:
      throw system_error(report.error, _("cannot set the OOM score of a program"), command.argv[0]);
    default:
      throw system_error(report.error, _("cannot start a program"), command.argv[0]);
  }
}

}  // namespace

std::optional<std::filesystem::path> search_program(std::string_view program,
                                                    std::string_view path_variable) {
  const auto usable = [](const std::filesystem::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
  };
  if (program.empty())
    return std::nullopt;
  if (program.find('/') != std::string_view::npos) {
    const std::filesystem::path path = std::filesystem::absolute(program);
    return usable(path) ? std::optional(path) : std::nullopt;
  }
  for (const std::string& folder : text::split(path_variable, ':')) {
    // An empty or relative entry means the current folder: never a place for programs of las.
    if (!folder.starts_with('/'))
      continue;
    const std::filesystem::path path = std::filesystem::path(folder) / program;
    if (usable(path))
      return path;
  }
  return std::nullopt;
}

std::optional<ProcStat> read_proc_stat(pid_t pid) {
  if (pid <= 0)
    return std::nullopt;
  const auto content = make_posix_file_system()->try_read("/proc/" + std::to_string(pid) + "/stat");
  if (!content)
    return std::nullopt;
  // The second field is the program's name in parentheses, and may hold anything, ") R 1" included.
  const auto name_end = content->rfind(')');
  if (name_end == std::string::npos || name_end + 2 > content->size())
    return std::nullopt;
  const std::vector<std::string> fields =
      text::split(std::string_view(*content).substr(name_end + 2), ' ');
  constexpr std::size_t kState = 0, kThreads = 17, kStartTime = 19;  // proc(5), less three
  if (fields.size() <= kStartTime)
    return std::nullopt;
  ProcStat result;
  const std::string& start = fields[kStartTime];
  if (std::from_chars(start.data(), start.data() + start.size(), result.start_time).ec !=
      std::errc())
    return std::nullopt;
  const char state = fields[kState].empty() ? 'X' : fields[kState][0];
  // The first thread may have ended while others go on: still a running process.
  const bool zombie = state == 'Z' && (fields[kThreads] == "0" || fields[kThreads] == "1");
  result.running = !zombie && state != 'X' && state != 'x';
  return result;
}

Descriptor open_pidfd(pid_t pid) {
  // glibc has a wrapper only since 2.36. The descriptor is close-on-exec.
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

Descriptor above_standard(Descriptor descriptor) {
  if (!descriptor || descriptor.get() > STDERR_FILENO)
    return descriptor;
  Descriptor higher(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!higher)
    throw system_error(errno, _("cannot start a program"));
  return higher;
}

pid_t launch(const Command& command, const StandardStreams& streams) {
  const Prepared prepared(command, streams);
  auto [ours, theirs] = make_report_channel();
  pid_t pid = -1;
  {
    const SignalsBlocked blocked;
    pid = ::fork();
    if (pid == 0) {
      ::close(ours.get());
      become_program(prepared, theirs.get());
    }
  }
  if (pid < 0)
    throw system_error(errno, _("cannot start a program"), command.argv[0]);
  theirs.reset();
  if (const auto report = receive_report(ours.get())) {
    reap(pid);
    throw_report(*report, command);
  }
  return pid;
}

ProcessIdentity launch_detached(const DetachedCommand& command, const StandardStreams& streams) {
  Prepared prepared(command, streams);
  if (command.oom_score_adjust)
    prepared.oom_score = std::to_string(*command.oom_score_adjust);
  auto [ours, theirs] = make_report_channel();
  pid_t middle = -1;
  {
    const SignalsBlocked blocked;
    middle = ::fork();
    if (middle == 0) {
      // Else the waiting process would hold open the very end whose closing it waits for.
      ::close(ours.get());
      const pid_t child = ::fork();
      if (child == 0)
        become_detached(prepared, theirs.get());
      if (child < 0)
        give_up(theirs.get(), Stage::Fork);
      ::_exit(0);
    }
  }
  if (middle < 0)
    throw system_error(errno, _("cannot start a program"), command.argv[0]);
  theirs.reset();
  reap(middle);
  const auto first = receive_report(ours.get());
  if (!first)
    throw Error(ErrorKind::Io, _("cannot start a program"), command.argv[0]);
  if (first->stage != Stage::Alive)
    throw_report(*first, command);
  // It waits for our word, so this is its own start time and no later process's.
  const auto stat = read_proc_stat(first->pid);
  if (!stat || ::send(ours.get(), "g", 1, MSG_NOSIGNAL) != 1)
    throw Error(ErrorKind::Io, _("cannot start a program"), command.argv[0]);
  if (const auto failure = receive_report(ours.get()))
    throw_report(*failure, command);
  return {first->pid, stat->start_time};
}

}  // namespace las::platform
