// SPDX-License-Identifier: Apache-2.0
// digest_of_tree(): what thousands of small files cost is opening them, so several threads do it,
// relative to folders that are open, and the digest is put together in order afterwards.
#include "libcrypto.hpp"
#include "posix_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace las::platform {

namespace {

constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kBlock = std::size_t{64} << 10U;

/// An entry as the digest counts it.
struct Node {
  enum class Kind { Gone, File, Executable, Directory, Symlink, Other } kind = Kind::Gone;
  std::string name;
  std::string target;  ///< of a symlink
  std::array<unsigned char, kDigestSize> content{};
  std::uint64_t size = 0;               ///< of a file
  std::uint64_t device = 0, inode = 0;  ///< 0 where it is known to have no other name
  std::vector<Node> entries;
};

/// SHA-256 of one file after the other: a context is dear to make and cheap to begin anew.
class ContentHasher {
 public:
  ContentHasher() : context_(crypto_.context_new(), crypto_.context_free), buffer_(kBlock) {
    require(context_ ? crypto_.init(context_.get(), crypto_.sha256(), nullptr) : 0);
  }

  void begin() { require(crypto_.init(context_.get(), nullptr, nullptr)); }

  void update(std::span<const char> bytes) {
    require(crypto_.update(context_.get(), bytes.data(), bytes.size()));
  }

  void finish(std::array<unsigned char, kDigestSize>& digest) {
    unsigned int size = 0;
    require(crypto_.finish(context_.get(), digest.data(), &size));
  }

  std::vector<char>& buffer() { return buffer_; }

 private:
  static void require(int result) {
    if (result != 1)
      throw Error(ErrorKind::Io, _("the digest could not be computed"), "libcrypto");
  }

  const LibCrypto& crypto_ = LibCrypto::get();
  std::unique_ptr<EVP_MD_CTX, decltype(LibCrypto::context_free)> context_;
  std::vector<char> buffer_;
};

/// A folder whose entries are looked at, by any thread.
class Folder {
 public:
  explicit Folder(fs::path path) : path_(std::move(path)) {}

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  virtual ~Folder() = default;

  const fs::path& path() const { return path_; }

  /// Fills in all but the entries of a folder.
  virtual void look(Node& node, ContentHasher& hasher) const = 0;

 private:
  fs::path path_;
};

Node::Kind kind_of(FileKind kind, std::uint32_t mode) {
  switch (kind) {
    case FileKind::Regular:
      return (mode & 0100U) != 0 ? Node::Kind::Executable : Node::Kind::File;
    case FileKind::Directory:
      return Node::Kind::Directory;
    case FileKind::Symlink:
      return Node::Kind::Symlink;
    case FileKind::Other:
      break;
  }
  return Node::Kind::Other;
}

bool is_file(const Node& node) {
  return node.kind == Node::Kind::File || node.kind == Node::Kind::Executable;
}

/// By the reader's own means.
class ReaderFolder : public Folder {
 public:
  ReaderFolder(const FileReader& files, fs::path path) : Folder(std::move(path)), files_(files) {}

  void look(Node& node, ContentHasher& hasher) const override {
    const fs::path entry = path() / node.name;
    const auto status = files_.status(entry);
    if (!status)
      return;  // gone since it was listed
    node.kind = kind_of(status->kind, status->mode);
    if (node.kind == Node::Kind::Symlink)
      node.target = files_.read_symlink(entry).native();
    if (!is_file(node))
      return;
    node.size = status->size;
    node.device = status->device;
    node.inode = status->inode;
    hasher.begin();
    files_.scan_file(entry, [&](std::span<const char> bytes) { hasher.update(bytes); });
    hasher.finish(node.content);
  }

 private:
  const FileReader& files_;
};

/// Of the host: four system calls for a small file, and no path of many parts to walk.
class HostFolder : public Folder {
 public:
  explicit HostFolder(fs::path path)
      : Folder(std::move(path)), descriptor_(retry_on_signal([&] {
          return ::open(this->path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
        })) {
    if (!descriptor_)
      fail(errno, _("cannot open the folder"), this->path());
  }

  void look(Node& node, ContentHasher& hasher) const override {
    // O_NONBLOCK: opening a FIFO would wait for a writer, perhaps for ever.
    const Descriptor file(retry_on_signal([&] {
      return ::openat(descriptor_.get(),
                      node.name.c_str(),
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }));
    const int error = file ? 0 : errno;

    struct stat info {};

    const int known =
        file ? ::fstat(file.get(), &info)
             : ::fstatat(descriptor_.get(), node.name.c_str(), &info, AT_SYMLINK_NOFOLLOW);
    if (known != 0) {
      if (errno == ENOENT)
        return;  // gone since it was listed
      fail(errno, _("cannot examine the file"), path() / node.name);
    }
    if (S_ISLNK(info.st_mode)) {
      node.kind = Node::Kind::Symlink;
      node.target = posix_read_symlink(path() / node.name).native();
      return;
    }
    const FileKind kind = S_ISREG(info.st_mode)   ? FileKind::Regular
                          : S_ISDIR(info.st_mode) ? FileKind::Directory
                                                  : FileKind::Other;
    node.kind = kind_of(kind, info.st_mode);
    if (!is_file(node))
      return;
    if (!file)
      fail(error, _("cannot open the file"), path() / node.name);
    node.size = static_cast<std::uint64_t>(info.st_size);
    if (info.st_nlink > 1) {
      node.device = info.st_dev;
      node.inode = info.st_ino;
    }
    hash(file.get(), info.st_size, node, hasher);
  }

 private:
  void hash(int file, off_t size, Node& node, ContentHasher& hasher) const {
    hasher.begin();
    std::vector<char>& buffer = hasher.buffer();
    for (off_t got = 0;;) {
      const ssize_t now =
          retry_on_signal([&] { return ::read(file, buffer.data(), buffer.size()); });
      if (now < 0)
        fail(errno, _("cannot read the file"), path() / node.name);
      if (now == 0)
        break;
      hasher.update({buffer.data(), static_cast<std::size_t>(now)});
      got += now;
      // A small file ends where its size says; asking for more would only be told so.
      if (got == size && static_cast<std::size_t>(size) < buffer.size())
        break;
    }
    hasher.finish(node.content);
  }

  Descriptor descriptor_;
};

/// The entries of a tree, looked at by several threads.
class Survey {
 public:
  Survey(const FileReader& files, const fs::path& root)
      : files_(files), on_host_(dynamic_cast<const HostPaths*>(&files) != nullptr) {
    push({&top_, nullptr, root, 0, 0});
  }

  const Node& run() {
    constexpr unsigned kMostThreads = 4;
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
    {
      std::vector<std::jthread> others;
      try {
        for (unsigned i = 1; i < threads; ++i)
          others.emplace_back([this] { work(Begin::WithHasher); });
      } catch (const std::system_error&) {
        // No more threads are to be had: those that are there do it.
      }
      work(Begin::WithListing);
    }
    if (fault_)
      std::rethrow_exception(fault_);
    return top_;
  }

 private:
  /// Some entries of a folder; or, without `folder`, the folder itself, which is still to be
  /// listed.
  struct Task {
    Node* node;
    std::shared_ptr<const Folder> folder;
    fs::path path;
    std::size_t from, to;
  };

  void push(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    ++open_;
    changed_.notify_one();
  }

  /// The first hasher opens libcrypto, which takes as long as some thousand names to be listed.
  enum class Begin { WithHasher, WithListing };

  void work(Begin begin) {
    try {
      std::optional<ContentHasher> hasher;
      if (begin == Begin::WithHasher)
        hasher.emplace();
      while (auto task = next()) {
        if (task->folder && !hasher)
          hasher.emplace();
        if (task->folder)
          look(*task, *hasher);
        else
          list(*task);
        done();
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!fault_)
        fault_ = std::current_exception();
      changed_.notify_all();
    }
  }

  // The latest first: so few folders are open at a time.
  std::optional<Task> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !tasks_.empty() || open_ == 0 || fault_ != nullptr; });
    if (tasks_.empty() || fault_ != nullptr)
      return std::nullopt;
    Task task = std::move(tasks_.back());
    tasks_.pop_back();
    return task;
  }

  void done() {
    const std::lock_guard lock(mutex_);
    if (--open_ == 0)
      changed_.notify_all();
  }

  void list(const Task& task) {
    constexpr std::size_t kEach = 64;
    std::vector<std::string> names = files_.list_directory(task.path);
    std::vector<Node>& entries = task.node->entries;
    entries.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
      entries[i].name = std::move(names[i]);
    if (entries.empty())
      return;
    std::shared_ptr<const Folder> folder;
    if (on_host_)
      folder = std::make_shared<HostFolder>(task.path);
    else
      folder = std::make_shared<ReaderFolder>(files_, task.path);
    for (std::size_t from = 0; from < entries.size(); from += kEach)
      push({task.node, folder, {}, from, std::min(from + kEach, entries.size())});
  }

  void look(const Task& task, ContentHasher& hasher) {
    for (std::size_t i = task.from; i < task.to; ++i) {
      Node& node = task.node->entries[i];
      task.folder->look(node, hasher);
      if (node.kind == Node::Kind::Directory)
        push({&node, nullptr, task.folder->path() / node.name, 0, 0});
    }
  }

  const FileReader& files_;
  bool on_host_;
  Node top_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  std::size_t open_ = 0;  ///< tasks that are waiting or being done
  std::exception_ptr fault_;
};

/// No file name holds a NUL, so no two trees give the same stream of fields.
class Stream {
 public:
  void entries(const Node& folder, std::string& path) {
    const std::size_t length = path.size();
    for (const Node& node : folder.entries) {
      if (node.kind == Node::Kind::Gone)
        continue;
      path += node.name;
      entry(node, path);
      if (node.kind == Node::Kind::Directory) {
        path += '/';
        entries(node, path);
      }
      path.resize(length);
    }
  }

  TreeFacts finish() {
    flush();
    return {hasher_.finish(), size_};
  }

 private:
  void entry(const Node& node, const std::string& path) {
    field(path);
    switch (node.kind) {
      case Node::Kind::Directory:
        return field("directory");
      case Node::Kind::Symlink:
        field("symlink");
        return field(node.target);
      case Node::Kind::File:
      case Node::Kind::Executable:
        field(node.kind == Node::Kind::File ? "file" : "executable");
        text_ += "sha256:";
        add_hex(node.content);
        if (node.inode == 0 || seen_.emplace(node.device, node.inode).second)
          size_ += ByteSize(node.size);
        return field("");
      case Node::Kind::Other:
      case Node::Kind::Gone:
        return field("other");
    }
  }

  void add_hex(const std::array<unsigned char, kDigestSize>& bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, 2 * kDigestSize> hex{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      hex[2 * i] = kDigits[bytes[i] >> 4U];
      hex[2 * i + 1] = kDigits[bytes[i] & 15U];
    }
    text_.append(hex.data(), hex.size());
  }

  void field(std::string_view text) {
    text_ += text;
    text_ += '\0';
    if (text_.size() >= kBlock)
      flush();
  }

  void flush() {
    hasher_.update(text_);
    text_.clear();
  }

  Hasher hasher_;
  std::string text_;
  ByteSize size_;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

}  // namespace

TreeFacts examine_tree(const FileReader& files, const fs::path& root) {
  Survey survey(files, root);
  const Node& top = survey.run();
  Stream stream;  // not before: it opens libcrypto, which one of the threads does beside the others
  std::string path;
  stream.entries(top, path);
  return stream.finish();
}

Digest digest_of_tree(const FileReader& files, const fs::path& root) {
  return examine_tree(files, root).digest;
}

}  // namespace las::platform
