// SPDX-License-Identifier: Apache-2.0
#include "posix_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace las::platform {

namespace {

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode))
    return FileKind::Regular;
  if (S_ISDIR(mode))
    return FileKind::Directory;
  if (S_ISLNK(mode))
    return FileKind::Symlink;
  return FileKind::Other;
}

}  // namespace

void fail(int error_number, std::string message, const fs::path& path) {
  // A file where a folder should be: the name looked for does not exist either.
  if (error_number == ENOTDIR) {
    throw system_error(ENOENT, std::move(message), path.native())
        .cause(system_error(error_number, {}).cause());
  }
  throw system_error(error_number, std::move(message), path.native());
}

std::optional<FileStatus> posix_status(const fs::path& path) {
  struct stat info {};

  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return std::nullopt;
    fail(errno, _("cannot examine the file"), path);
  }
  FileStatus status;
  status.kind = kind_of(info.st_mode);
  status.mode = info.st_mode & 07777U;
  status.size = static_cast<std::uint64_t>(info.st_size);
  status.modified = info.st_mtime;
  status.uid = info.st_uid;
  status.gid = info.st_gid;
  status.device = info.st_dev;
  status.inode = info.st_ino;
  return status;
}

void posix_scan(const fs::path& path, const std::function<void(std::span<const char>)>& sink) {
  const Descriptor file(
      // O_NONBLOCK: opening a FIFO would wait for a writer, perhaps for ever.
      retry_on_signal(
          [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); }));
  if (!file)
    fail(errno, _("cannot open the file"), path);
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0)
    fail(errno, _("cannot read the file"), path);
  if (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))
    throw Error(ErrorKind::InvalidData, _("not a regular file"), path.native());
  // Most files are small (/proc, /sys, documents): the large buffer comes once a file shows to be
  // large.
  std::vector<char> buffer(std::size_t{16} << 10U);
  while (true) {
    const ssize_t size =
        retry_on_signal([&] { return ::read(file.get(), buffer.data(), buffer.size()); });
    if (size < 0)
      fail(errno, _("cannot read the file"), path);
    if (size == 0)
      return;
    const auto count = static_cast<std::size_t>(size);
    sink(std::span<const char>(buffer.data(), count));
    if (count == buffer.size() && buffer.size() < (std::size_t{1} << 20U)) {
      static_cast<void>(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
      buffer.resize(std::size_t{1} << 20U);
    }
  }
}

std::string posix_read(const fs::path& path, ByteSize limit) {
  std::string content;
  posix_scan(path, [&](std::span<const char> bytes) {
    if (bytes.size() > limit.bytes() || content.size() > limit.bytes() - bytes.size()) {
      throw Error(ErrorKind::InvalidData, _("the file is too large"), path.native())
          .cause(limit.to_string());
    }
    content.append(bytes.data(), bytes.size());
  });
  return content;
}

namespace {

// The first bytes of a name as a number, which tells most names apart: in a folder of thousands,
// looking at the names themselves is what sorting them takes.
std::uint64_t first_bytes(std::string_view name) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(number); ++i)
    number = number << 8U | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
  return number;
}

// Hands each name in the directory to `sink`, in the directory's own order.
template <typename Sink>
void each_name(const fs::path& path, const Sink& sink) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (!directory)
    fail(errno, _("cannot open the folder"), path);
  while (true) {
    errno = 0;
    // One DIR per call: no other thread can see this stream.
    const dirent* entry = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) {
      if (errno != 0)
        fail(errno, _("cannot read the folder"), path);
      break;
    }
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..")
      sink(name);
  }
}

// `items` in the order of their names, which name_of gives.
template <typename Item, typename NameOf>
std::vector<Item> by_name(std::vector<Item> items, const NameOf& name_of) {
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  order.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    order.emplace_back(first_bytes(name_of(items[i])), i);
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first
                              : name_of(items[a.second]) < name_of(items[b.second]);
  });
  std::vector<Item> sorted;
  sorted.reserve(items.size());
  for (const auto& [key, place] : order)
    sorted.push_back(std::move(items[place]));
  return sorted;
}

}  // namespace

std::vector<std::string> posix_list(const fs::path& path) {
  std::vector<std::string> found;
  each_name(path, [&](std::string_view name) { found.emplace_back(name); });
  return by_name(std::move(found),
                 [](const std::string& name) -> std::string_view { return name; });
}

namespace {

std::optional<FileStamp> stamp_of(int folder, const std::string& name) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * kNanoseconds + time.tv_nsec;
  };

  struct stat info {};

  if (::fstatat(folder, name.c_str(), &info, 0) != 0 || !S_ISREG(info.st_mode))
    return std::nullopt;
  return FileStamp{static_cast<std::uint64_t>(info.st_size),
                   info.st_ino,
                   nanoseconds(info.st_mtim),
                   nanoseconds(info.st_ctim)};
}

// Looks at files of one folder, on other threads where there are many.
class Stamper {
 public:
  // The kernel answers about a microsecond each; another thread is worth its making from here on.
  static constexpr std::size_t kBatch = 1000;

  // Relative to the open folder: thousands of names need not walk the same path each.
  explicit Stamper(const fs::path& directory)
      : folder_(retry_on_signal(
            [&] { return ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); })) {
    if (!folder_)
      fail(errno, _("cannot open the folder"), directory);
  }

  Stamper(const Stamper&) = delete;
  Stamper& operator=(const Stamper&) = delete;

  ~Stamper() { stop(); }

  void add(std::string_view name) {
    if (open_.empty())
      open_.reserve(kBatch);
    open_.push_back({std::string(name), {}});
    if (open_.size() == kBatch)
      close_batch();
  }

  // All that were added, in that order.
  std::vector<StampedName> finish() {
    if (batches_.empty()) {
      look(open_);
      return std::move(open_);
    }
    close_batch();
    work(Wait::No);
    stop();
    std::vector<StampedName> all;
    all.reserve(batches_.size() * kBatch);
    for (Batch& batch : batches_)
      std::move(batch.begin(), batch.end(), std::back_inserter(all));
    return all;
  }

 private:
  using Batch = std::vector<StampedName>;

  void look(Batch& batch) const {
    for (StampedName& entry : batch)
      entry.stamp = stamp_of(folder_.get(), entry.name);
  }

  void close_batch() {
    {
      const std::scoped_lock lock(mutex_);
      batches_.push_back(std::exchange(open_, {}));
    }
    more_.notify_one();
    constexpr std::size_t kMostThreads = 4;
    const std::size_t processors =
        std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
    // The caller's own thread is one of them.
    if (others_.size() + 1 < processors)
      others_.emplace_back([this] { work(Wait::Yes); });
  }

  // The next batch that nobody has taken. A deque's elements stay where they are.
  Batch* take() { return taken_ < batches_.size() ? &batches_[taken_++] : nullptr; }

  // What is there now; with Wait::Yes also what will come.
  enum class Wait { No, Yes };

  void work(Wait wait) {
    while (true) {
      std::unique_lock lock(mutex_);
      if (wait == Wait::Yes)
        more_.wait(lock, [&] { return ended_ || taken_ < batches_.size(); });
      Batch* const batch = take();
      lock.unlock();
      if (batch == nullptr)
        return;
      look(*batch);
    }
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
    }
    more_.notify_all();
    others_.clear();  // joins
  }

  Descriptor folder_;
  Batch open_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Batch> batches_;
  std::size_t taken_ = 0;
  bool ended_ = false;
  std::vector<std::jthread> others_;
};

}  // namespace

std::vector<std::optional<FileStamp>> posix_stamps(const fs::path& directory,
                                                   const std::vector<std::string>& names) {
  Stamper stamper(directory);
  for (const std::string& name : names)
    stamper.add(name);
  std::vector<std::optional<FileStamp>> stamps;
  stamps.reserve(names.size());
  for (const StampedName& found : stamper.finish())
    stamps.push_back(found.stamp);
  return stamps;
}

std::vector<StampedName> posix_list_stamped(const fs::path& directory) {
  // In the directory's order, which is the faster one for the file system too.
  Stamper stamper(directory);
  each_name(directory, [&](std::string_view name) { stamper.add(name); });
  return by_name(stamper.finish(),
                 [](const StampedName& found) -> std::string_view { return found.name; });
}

fs::path posix_read_symlink(const fs::path& path) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0)
      fail(errno, _("cannot read the symbolic link"), path);
    if (static_cast<std::size_t>(size) < target.size()) {
      target.resize(static_cast<std::size_t>(size));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

}  // namespace las::platform
