// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/base/digest.hpp"
#include "las/base/error.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

/// The way of a model's bytes into the blob store.
namespace las::model {

/// Reports a piece of work; one that is left by an exception counts as failed.
class Work {
 public:
  Work(const Activity& activity, std::string id, std::string title, std::uint64_t total)
      : activity_(activity), id_(std::move(id)), total_(total) {
    activity_.reporter.report(event::Started{id_, std::move(title), total_});
  }

  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  ~Work() { activity_.reporter.report(event::Finished{id_, done_, {}}); }

  void progress(std::uint64_t bytes) const {
    activity_.cancellation.throw_if_requested();
    activity_.reporter.report(event::Progress{id_, bytes, total_});
  }

  void done() { done_ = true; }

 private:
  const Activity& activity_;
  std::string id_;
  std::uint64_t total_;
  bool done_ = false;
};

/// A file that is removed unless it was released.
class UnfinishedFile {
 public:
  UnfinishedFile(platform::FileSystem& files, std::filesystem::path path)
      : files_(files), path_(std::move(path)) {}

  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;

  ~UnfinishedFile() {
    try {
      if (!released_)
        files_.remove_file(path_);
    } catch (const Error&) {  // the next import sweeps it up
    }
  }

  const std::filesystem::path& path() const { return path_; }

  void release() { released_ = true; }

 private:
  platform::FileSystem& files_;
  std::filesystem::path path_;
  bool released_ = false;
};

struct Source {
  std::filesystem::path path;  ///< without symlinks
  std::uint64_t size = 0;
};

/// NotFound, Permission, or InvalidData for what is not a regular file. Symlinks are followed.
Source examine(const platform::FileSystem& files, const std::filesystem::path& path);

/// InvalidData when the source no longer has its size.
Digest hash_content(const platform::FileReader& files, const Source& source, const Work& work);

/// Copies the content into the new file `target`, sharing blocks where the file system can, and
/// returns the digest of what is there now. NoSpace before anything is copied.
Digest copy_content(platform::FileSystem& files,
                    const Source& source,
                    const std::filesystem::path& target,
                    const Work& work);

}  // namespace las::model
