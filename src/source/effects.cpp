// SPDX-License-Identifier: Apache-2.0
#include "effects.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace las::source {

namespace {

/// Ends the producer when what it asks for is no longer wanted. Never leaves its thread.
struct NoLongerWanted {};

class Doer {
 public:
  Doer(platform::FileSystem& files, const std::function<void(std::uint64_t)>& progress)
      : files_(files), progress_(progress) {}

  void operator()(const Effect& effect) {
    switch (effect.kind) {
      case Effect::Kind::Folder:
        files_.make_directories(effect.path);
        break;
      case Effect::Kind::File:
        file_ = files_.create_file(effect.path, effect.mode);
        write(effect.content);
        break;
      case Effect::Kind::More:
        write(effect.content);
        break;
      case Effect::Kind::Close:
        file_->close();
        file_.reset();
        break;
      case Effect::Kind::Symlink:
        files_.create_symlink(effect.path, effect.content);
        break;
      case Effect::Kind::HardLink:
        files_.clone_file(effect.from, effect.path, true);
        break;
      case Effect::Kind::Progress:
        progress_(effect.done);
        break;
    }
  }

 private:
  void write(const std::string& content) {
    if (!content.empty())
      file_->write(std::span<const char>(content.data(), content.size()));
  }

  platform::FileSystem& files_;
  const std::function<void(std::uint64_t)>& progress_;
  std::unique_ptr<platform::FileWriter> file_;
};

/// Effects in batches: a lock for each would cost as much as a small file does.
class Queue {
 public:
  using Batch = std::vector<Effect>;

  void ask(Effect effect) {
    bytes_ += effect.content.size();
    batch_.push_back(std::move(effect));
    if (batch_.size() >= kEffects || bytes_ >= kBytes)
      hand_over();
  }

  void end(std::exception_ptr fault) {
    if (!batch_.empty())
      hand_over();
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
    ended_ = true;
    changed_.notify_all();
  }

  /// Nothing once everything is done; throws what ended the producer.
  Batch take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty() || ended_; });
    if (waiting_.empty()) {
      if (fault_)
        std::rethrow_exception(fault_);
      return {};
    }
    Batch batch = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    changed_.notify_all();
    return batch;
  }

  void give_up() {
    const std::lock_guard lock(mutex_);
    wanted_ = false;
    changed_.notify_all();
  }

 private:
  static constexpr std::size_t kEffects = 128, kBytes = std::size_t{512} << 10U, kBatches = 8;

  void hand_over() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() < kBatches || !wanted_; });
    if (!wanted_)
      throw NoLongerWanted{};
    waiting_.push_back(std::exchange(batch_, {}));
    bytes_ = 0;
    changed_.notify_all();
  }

  Batch batch_;  ///< the producer's own
  std::size_t bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Batch> waiting_;
  std::exception_ptr fault_;
  bool ended_ = false, wanted_ = true;
};

}  // namespace

void do_while_produced(platform::FileSystem& files,
                       const std::function<void(std::uint64_t)>& progress,
                       const std::function<void(const std::function<void(Effect)>&)>& produce) {
  Doer act(files, progress);
  Queue queue;
  std::jthread producer;
  try {
    producer = std::jthread([&] {
      std::exception_ptr fault;
      try {
        produce([&](Effect effect) { queue.ask(std::move(effect)); });
      } catch (const NoLongerWanted&) {
        return;
      } catch (...) {
        fault = std::current_exception();
      }
      try {
        queue.end(fault);
      } catch (const NoLongerWanted&) {
        // Nobody waits for the end.
      }
    });
  } catch (const std::system_error&) {
    // No thread is to be had: one after the other, then.
    produce([&](const Effect& effect) { act(effect); });
    return;
  }
  try {
    for (Queue::Batch batch = queue.take(); !batch.empty(); batch = queue.take()) {
      for (const Effect& effect : batch)
        act(effect);
    }
  } catch (...) {
    queue.give_up();
    throw;
  }
}

}  // namespace las::source
