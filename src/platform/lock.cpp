// SPDX-License-Identifier: Apache-2.0
#include "las/platform/lock.hpp"

#include "descriptor.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace las::platform {

namespace {

constexpr std::chrono::milliseconds kRetry(50);

std::string to_line(const LockOwner& owner) {
  nlohmann::ordered_json record = {
      {"pid", owner.pid}, {"user", owner.user}, {"command", owner.command}, {"since", owner.since}};
  if (owner.brief)
    record["brief"] = true;
  // A command line may hold bytes that are no UTF-8.
  return record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Nothing when the holder has not written yet, or is something else than las.
std::optional<LockOwner> read_owner(int file) {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::pread(file, buffer.data(), buffer.size(), 0);
  if (size <= 0)
    return std::nullopt;
  const auto record = nlohmann::json::parse(
      std::string_view(buffer.data(), static_cast<std::size_t>(size)), nullptr, false);
  if (!record.is_object())
    return std::nullopt;
  LockOwner owner;
  try {
    owner.pid = record.value("pid", 0);
    owner.user = record.value("user", "");
    owner.command = record.value("command", "");
    owner.since = record.value("since", "");
    owner.brief = record.value("brief", false);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  return owner;
}

std::string describe(const LockOwner& owner) {
  return fmt::format(fmt::runtime(_("pid {} ({}), by {}, since {}")),
                     owner.pid,
                     owner.command,
                     owner.user,
                     owner.since);
}

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(Descriptor file) : file_(std::move(file)) {}

  ~PosixFileLock() override {
    // Nobody is to be named who no longer holds it; if that fails, closing gives the lock back all
    // the same. (g++ warns of a result that is only cast to void.)
    if (::ftruncate(file_.get(), 0) != 0)
      return;
  }

  void record(const LockOwner& owner) {
    const std::string line = to_line(owner);
    // A full disk must not keep anybody from freeing space: the lock holds without its label.
    if (::ftruncate(file_.get(), 0) == 0)
      static_cast<void>(::pwrite(file_.get(), line.data(), line.size(), 0) < 0);
  }

 private:
  Descriptor file_;
};

Descriptor open_lock_file(const std::filesystem::path& path) {
  Descriptor file(retry_on_signal([&] {
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
  }));
  if (!file)
    throw system_error(errno, _("cannot open the lock file"), path.native());
  return file;
}

// False when somebody else holds it.
bool try_lock(int file, const std::filesystem::path& path) {
  if (retry_on_signal([&] { return ::flock(file, LOCK_EX | LOCK_NB); }) == 0)
    return true;
  if (errno != EWOULDBLOCK)
    throw system_error(errno, _("cannot lock the file"), path.native());
  return false;
}

Error busy(const std::optional<LockOwner>& owner) {
  return Error(ErrorKind::Busy, _("another las is running"), owner ? describe(*owner) : "")
      .hint(_("wait for it, or use --wait=SECONDS"));
}

}  // namespace

std::unique_ptr<FileLock> FileLock::acquire(const std::filesystem::path& path,
                                            const LockOwner& owner,
                                            std::chrono::seconds wait,
                                            const Activity& activity) {
  Descriptor file = open_lock_file(path);
  const auto begun = std::chrono::steady_clock::now();
  using std::chrono::milliseconds;
  const milliseconds asked = std::min<std::chrono::seconds>(wait, std::chrono::hours(8760));
  // Whoever has the lock writes its name at once: one without may be a brief one.
  constexpr milliseconds kForBrief{30'000}, kForNameless{100};
  std::string told;
  while (!try_lock(file.get(), path)) {
    const auto holder = read_owner(file.get());
    const auto patience = std::max(asked,
                                   !holder         ? kForNameless
                                   : holder->brief ? kForBrief
                                                   : asked);
    if (std::chrono::steady_clock::now() >= begun + patience)
      throw busy(holder);
    const std::string description = holder ? describe(*holder) : "";
    // Who comes next is news; a moment without a name between two holders is not.
    if (told.empty() || (holder && description != told)) {
      told = holder ? description : path.native();
      activity.info("platform", fmt::format(fmt::runtime(_("waiting for another las: {}")), told));
    }
    activity.cancellation.throw_if_requested();
    std::this_thread::sleep_for(kRetry);
  }
  auto lock = std::make_unique<PosixFileLock>(std::move(file));
  lock->record(owner);
  return lock;
}

std::optional<LockOwner> FileLock::holder(const std::filesystem::path& path) {
  const Descriptor file(retry_on_signal(
      [&] { return ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }));
  if (!file) {
    if (errno == ENOENT)
      return std::nullopt;
    throw system_error(errno, _("cannot open the lock file"), path.native());
  }
  if (retry_on_signal([&] { return ::flock(file.get(), LOCK_SH | LOCK_NB); }) == 0)
    return std::nullopt;
  if (errno != EWOULDBLOCK)
    throw system_error(errno, _("cannot lock the file"), path.native());
  return read_owner(file.get()).value_or(LockOwner{});
}

}  // namespace las::platform
