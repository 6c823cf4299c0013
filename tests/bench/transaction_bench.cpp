// SPDX-License-Identifier: Apache-2.0
// transaction_bench records DIRECTORY COUNT: makes a state with so many operations, and prints the
// id of one of them.
// transaction_bench lookup DIRECTORY ID, list DIRECTORY all, visit DIRECTORY all: how long opening
// that state takes with reading one operation, or all, kept or looked at one by one.
// transaction_bench sync WAY DIRECTORY: writes 10,000 files of 4 KiB in 100 folders and makes them
// durable by one syncfs ("syncfs"), by fsync of every file and folder ("fsync"), or so with all of
// the writing begun first ("range+fsync"); prints what the second part took.
#include "las/base/error.hpp"
#include "las/state/store.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace las;
namespace fs = std::filesystem;

namespace {

std::string id_of(int number) {
  return fmt::format("20260101T{:06}-{:06x}", number, number);
}

void make_records(const fs::path& directory, int count) {
  constexpr int kAtOnce = 10'000;
  const auto store = state::StateStore::open(directory, state::StateStore::Access::ReadWrite);
  for (int first = 0; first < count; first += kAtOnce) {
    store->write([&](state::WriteTransaction& transaction) {
      for (int i = first; i < std::min(first + kAtOnce, count); ++i) {
        state::OperationRecord operation;
        operation.id = id_of(i);
        operation.command = fmt::format("las install --yes module-{}", i);
        operation.user = "someone";
        operation.started_at = operation.ended_at = "2026-01-01T00:00:00Z";
        operation.outcome = "done";
        operation.changes = {fmt::format("install module-{} 1.0", i)};
        operation.steps = {{"stage", 12}, {"commit", 3}, {"converge", 1}};
        operation.stored = ByteSize::mib(1);
        transaction.put_operation(operation);
      }
    });
  }
  std::puts(id_of(count / 2).c_str());
}

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Once in a process, as las does it.
void read_records(const fs::path& directory, const std::string& what, const std::string& id) {
  const auto begin = Clock::now();
  std::size_t found = 0;
  const auto store = state::StateStore::open(directory, state::StateStore::Access::ReadOnly);
  store->read([&](const state::ReadTransaction& transaction) {
    if (what == "list")
      found = transaction.operations().size();
    else if (what == "visit")
      transaction.each_operation([&](const state::OperationRecord&) { ++found; });
    else
      found = transaction.operation(id) ? 1 : 0;
  });
  std::printf("{\"ms\": %.3f, \"found\": %zu}\n", ms_since(begin), found);
}

void require(bool done, const char* what) {
  if (!done) {
    std::perror(what);
    std::exit(1);
  }
}

void sync_of(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(file >= 0 && ::fsync(file) == 0, "fsync");
  ::close(file);
}

void sync_files(const std::string& way, const fs::path& directory) {
  std::string content(4096, '\0');
  std::mt19937_64 random(1);
  std::vector<fs::path> folders, files;
  for (int folder = 0; folder < 100; ++folder) {
    folders.push_back(directory / fmt::format("d{}", folder));
    fs::create_directory(folders.back());
    for (int i = 0; i < 100; ++i) {
      for (std::size_t at = 0; at < content.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t value = random();
        content.replace(at, sizeof value, reinterpret_cast<const char*>(&value), sizeof value);
      }
      files.push_back(folders.back() / fmt::format("f{}", i));
      const int file = ::open(files.back().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
      require(file >= 0 && ::write(file, content.data(), content.size()) == 4096, "write");
      ::close(file);
    }
  }
  folders.push_back(directory);
  const auto begin = Clock::now();
  if (way == "syncfs") {
    const int folder = ::open(directory.c_str(), O_RDONLY | O_CLOEXEC);
    require(folder >= 0 && ::syncfs(folder) == 0, "syncfs");
    ::close(folder);
  } else {
    if (way == "range+fsync") {
      for (const fs::path& path : files) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        require(file >= 0 && ::sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE) == 0,
                "sync_file_range");
        ::close(file);
      }
    }
    for (const fs::path& path : files)
      sync_of(path);
    for (const fs::path& path : folders)
      sync_of(path);
  }
  std::printf("{\"ms\": %.3f}\n", ms_since(begin));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 4 ? argv[1] : "";
  try {
    if (what == "records") {
      make_records(argv[2], std::atoi(argv[3]));
      return 0;
    }
    if (what == "lookup" || what == "list" || what == "visit") {
      read_records(argv[2], what, argv[3]);
      return 0;
    }
    if (what == "sync") {
      sync_files(argv[2], argv[3]);
      return 0;
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::fputs(
      "usage: transaction_bench records DIRECTORY COUNT | lookup DIRECTORY ID | "
      "list DIRECTORY all | visit DIRECTORY all | sync WAY DIRECTORY\n",
      stderr);
  return 2;
}
