// SPDX-License-Identifier: Apache-2.0
#include "support/faulty_file_system.hpp"

#include "las/base/error.hpp"

namespace las::test {

using platform::fs::path;

class FaultyWriter : public platform::FileWriter {
 public:
  /// `inner` is empty after a crash.
  FaultyWriter(FaultyFileSystem& files, path name, std::unique_ptr<platform::FileWriter> inner)
      : files_(files), name_(std::move(name)), inner_(std::move(inner)) {}

  void write(std::span<const char> bytes) override {
    const auto half = [&] { inner_->write(bytes.first(bytes.size() / 2)); };
    if (files_.effect("write", name_.string() + " " + std::to_string(bytes.size()), half))
      inner_->write(bytes);
  }

  void sync() override {
    if (files_.effect("sync", name_)) {
      inner_->sync();
      files_.forget(name_);
    }
  }

  void close() override {
    if (inner_)
      inner_->close();
  }

 private:
  FaultyFileSystem& files_;
  path name_;
  std::unique_ptr<platform::FileWriter> inner_;
};

bool FaultyFileSystem::effect(const std::string& what,
                              const path& name,
                              const std::function<void()>& torn) {
  std::size_t number = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (crashed_)
      return false;
    effects_.push_back(what + " " + name.string());
    number = effects_.size();
    crashed_ = number == crash_at_;
  }
  if (number == crash_at_) {
    if (torn)
      torn();
    throw Crash{number};
  }
  if (number == fail_at_)
    throw Error(ErrorKind::NoSpace, "planned failure", name.string());
  return true;
}

bool FaultyFileSystem::crashed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return crashed_;
}

std::vector<std::string> FaultyFileSystem::effects() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return effects_;
}

std::size_t FaultyFileSystem::effect_count() const {
  return effects().size();
}

std::optional<platform::FileStatus> FaultyFileSystem::status(const path& name) const {
  return inner_.status(name);
}

std::string FaultyFileSystem::read_file(const path& name, ByteSize limit) const {
  return inner_.read_file(name, limit);
}

std::vector<std::string> FaultyFileSystem::list_directory(const path& name) const {
  return inner_.list_directory(name);
}

path FaultyFileSystem::read_symlink(const path& name) const {
  return inner_.read_symlink(name);
}

void FaultyFileSystem::scan_file(const path& name,
                                 const std::function<void(std::span<const char>)>& sink) const {
  inner_.scan_file(name, sink);
}

void FaultyFileSystem::make_directories(const path& name, std::uint32_t mode) {
  if (effect("make_directories", name))
    inner_.make_directories(name, mode);
}

std::unique_ptr<platform::FileWriter> FaultyFileSystem::create_file(const path& name,
                                                                    std::uint32_t mode) {
  std::unique_ptr<platform::FileWriter> inner;
  if (effect("create_file", name)) {
    inner = inner_.create_file(name, mode);
    const std::lock_guard<std::mutex> lock(mutex_);
    unsynced_.insert(name);
  }
  return std::make_unique<FaultyWriter>(*this, name, std::move(inner));
}

std::unique_ptr<platform::FileWriter> FaultyFileSystem::append_file(const path& name,
                                                                    std::uint32_t mode) {
  std::unique_ptr<platform::FileWriter> inner;
  if (effect("append_file", name))
    inner = inner_.append_file(name, mode);
  return std::make_unique<FaultyWriter>(*this, name, std::move(inner));
}

void FaultyFileSystem::replace_file(const path& name,
                                    std::string_view content,
                                    std::uint32_t mode) {
  if (effect("replace_file", name))
    inner_.replace_file(name, content, mode);
}

void FaultyFileSystem::replace_symlink(const path& name, const path& target) {
  if (effect("replace_symlink", name))
    inner_.replace_symlink(name, target);
}

void FaultyFileSystem::create_symlink(const path& name, const path& target) {
  if (effect("create_symlink", name))
    inner_.create_symlink(name, target);
}

void FaultyFileSystem::rename(const path& from, const path& to) {
  if (effect("rename", from.string() + " " + to.string())) {
    inner_.rename(from, to);
    forget(from, to);
  }
}

void FaultyFileSystem::remove_file(const path& name) {
  if (effect("remove_file", name)) {
    inner_.remove_file(name);
    forget(name);
  }
}

void FaultyFileSystem::remove_tree(const path& name) {
  if (effect("remove_tree", name)) {
    inner_.remove_tree(name);
    forget(name);
  }
}

void FaultyFileSystem::clone_file(const path& from, const path& to, bool link_allowed) {
  if (effect("clone_file", from.string() + " " + to.string()))
    inner_.clone_file(from, to, link_allowed);
}

void FaultyFileSystem::set_mode(const path& name, std::uint32_t mode) {
  if (effect("set_mode", name))
    inner_.set_mode(name, mode);
}

void FaultyFileSystem::set_owner(const path& name, std::uint32_t uid, std::uint32_t gid) {
  if (effect("set_owner", name))
    inner_.set_owner(name, uid, gid);
}

void FaultyFileSystem::sync_directory(const path& name) {
  if (effect("sync_directory", name))
    inner_.sync_directory(name);
}

void FaultyFileSystem::sync_tree(const path& name) {
  if (effect("sync_tree", name)) {
    inner_.sync_tree(name);
    const std::lock_guard<std::mutex> lock(mutex_);
    unsynced_.clear();  // of the whole file system, as syncfs(2)
  }
}

std::string FaultyFileSystem::not_writable(const path& name) const {
  return inner_.not_writable(name);
}

// `name` and what lies below it: no longer there, or from now on below `moved_to`.
void FaultyFileSystem::forget(const path& name, const path& moved_to) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::set<path> rest;
  for (const path& one : unsynced_) {
    const path relative = one.lexically_relative(name);
    if (relative.empty() || *relative.begin() == "..")
      rest.insert(one);
    else if (!moved_to.empty())
      rest.insert(relative == "." ? moved_to : moved_to / relative);
  }
  unsynced_ = std::move(rest);
}

std::size_t FaultyFileSystem::drop_unsynced() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::size_t emptied = 0;
  for (const path& one : unsynced_) {
    const auto status = inner_.status(one);
    if (!status || status->kind != platform::FileKind::Regular)
      continue;
    inner_.remove_file(one);
    inner_.create_file(one, status->mode)->close();
    ++emptied;
  }
  unsynced_.clear();
  return emptied;
}

ByteSize FaultyFileSystem::free_space(const path& name) const {
  return inner_.free_space(name);
}

}  // namespace las::test
