// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/catalog/catalog.hpp"
#include "las/state/blob_cache.hpp"

#include <chrono>
#include <cstdint>
#include <fstream>
#include <utility>

using namespace las;
using namespace las::catalog;

namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

// The real files, which tells what was read.
class WatchedFiles : public platform::FileReader {
 public:
  std::optional<platform::FileStatus> status(const fs::path& path) const override {
    return files_->status(path);
  }

  std::string read_file(const fs::path& path, ByteSize limit) const override {
    read_.push_back(path.filename().string());
    return files_->read_file(path, limit);
  }

  std::vector<std::string> list_directory(const fs::path& path) const override {
    return files_->list_directory(path);
  }

  fs::path read_symlink(const fs::path& path) const override { return files_->read_symlink(path); }

  std::vector<std::optional<platform::FileStamp>> stamps(const fs::path& directory,
                                                         const Texts& names) const override {
    auto stamps = files_->stamps(directory, names);
    for (auto& stamp : stamps)
      if (stamp && tick != 0)
        stamp = platform::FileStamp{stamp->size, 1, tick, tick};
    return stamps;
  }

  /// A time that all files were written at, whenever they were; 0 = their own.
  std::int64_t tick = 0;

  Texts take() const { return std::exchange(read_, {}); }

 private:
  std::unique_ptr<platform::FileSystem> files_ = platform::make_posix_file_system();
  mutable Texts read_;
};

std::string manifest(const std::string& name, const std::string& description = "plain") {
  return "name: " + name + "\ncategory: tool\nversion: 1\ndescription: " + description + "\n";
}

// A registry of three manifests, and a place for its index.
class Bench {
 public:
  Bench() {
    for (const char* name : {"one", "two", "three"})
      write(name, manifest(name));
    fs::create_directories(folder / "cache");
  }

  void write(const std::string& name, const std::string& content) const {
    folder.write("r/" + name + ".yaml", content);
  }

  Catalog load(const std::string& maker = "las 1", const std::string& snapshot = {}) {
    diagnostics = {};
    return load_catalog(files,
                        {{"r", folder / "r", snapshot}},
                        diagnostics,
                        {{folder / "cache" / "catalog"}, maker});
  }

  test::TempDirectory folder;
  WatchedFiles files;
  Diagnostics diagnostics;
};

// The index trusts a stamp once its file is older than a tick of the file system's clock.
void wait_until_trusted(Bench& bench) {
  while (true) {
    bench.load();
    bench.files.take();
    bench.load();
    if (bench.files.take().empty())
      return;
  }
}

}  // namespace

TEST_CASE("a manifest is read once", "[catalog]") {
  Bench bench;
  CHECK(bench.load().names() == Texts{"one", "three", "two"});
  CHECK(bench.files.take() == Texts{"one.yaml", "three.yaml", "two.yaml"});
  wait_until_trusted(bench);
  const Catalog catalog = bench.load();
  CHECK(catalog.names() == Texts{"one", "three", "two"});
  CHECK(catalog.get("two").summary() == "plain");
  CHECK(catalog.get("two").origin == "r");
  CHECK(catalog.get("two").directory == (bench.folder / "r").string());
  CHECK(bench.files.take() == Texts{});
}

TEST_CASE("only what changed is read again", "[catalog]") {
  Bench bench;
  wait_until_trusted(bench);
  bench.write("two", manifest("two", "other"));
  bench.write("four", manifest("four"));
  fs::remove(bench.folder / "r" / "one.yaml");
  const Catalog catalog = bench.load();
  CHECK(catalog.names() == Texts{"four", "three", "two"});
  CHECK(catalog.get("two").summary() == "other");
  CHECK(bench.files.take() == Texts{"four.yaml", "two.yaml"});
}

TEST_CASE("a file that has only just been written is not trusted to stay", "[catalog]") {
  Bench bench;
  // Two contents of one size within one tick of the clock have one stamp. A tick that is still to
  // come is young, however long this test takes.
  const auto ahead = std::chrono::system_clock::now() + std::chrono::hours(1);
  bench.files.tick =
      std::chrono::duration_cast<std::chrono::nanoseconds>(ahead.time_since_epoch()).count();
  bench.write("one", manifest("one", "first"));
  CHECK(bench.load().get("one").summary() == "first");
  bench.write("one", manifest("one", "other"));
  CHECK(bench.load().get("one").summary() == "other");
}

TEST_CASE("a faulty manifest is told each time and hides no other", "[catalog]") {
  Bench bench;
  wait_until_trusted(bench);
  bench.write("two", "name: two\n");
  for (int i = 0; i < 2; ++i) {
    CHECK(bench.load().names() == Texts{"one", "three"});
    CHECK(bench.diagnostics.has_errors());
    CHECK(bench.files.take() == Texts{"two.yaml"});
  }
}

TEST_CASE("a manifest is read again when a file beside it changed", "[catalog]") {
  Bench bench;
  const auto lock = [&](const std::string& version) {
    bench.folder.write("r/env/files/lock.txt",
                       "x==" + version + " --hash=sha256:" + std::string(64, '0') + "\n");
  };
  const auto locked = [&] {
    const Catalog catalog = bench.load();
    const Source& source = catalog.get("env").releases.at(0).variants.at(0).sources.at(0);
    return std::get<PythonSource>(source.how).requirements.at(0).substr(0, 4);
  };
  bench.folder.write(
      "r/env/manifest.yaml",
      "name: env\ncategory: tool\nreleases:\n- version: '1'\n  variants:\n  - name: cpu\n"
      "    sources: [{python: {lock: files/lock.txt, python: '>=3.9'}}]\n");
  lock("1");
  wait_until_trusted(bench);
  CHECK(locked() == "x==1");
  CHECK(bench.files.take() == Texts{});
  lock("2");
  CHECK(locked() == "x==2");
  CHECK(bench.files.take() == Texts{"manifest.yaml", "lock.txt"});
  bench.folder.write("r/env/files/lock.txt", "not locked\n");
  CHECK(bench.load().names() == Texts{"one", "three", "two"});
  CHECK(bench.diagnostics.has_errors());
}

TEST_CASE("another program reads nothing of an index", "[catalog]") {
  Bench bench;
  wait_until_trusted(bench);
  CHECK(bench.load("las 2").names() == Texts{"one", "three", "two"});
  CHECK(bench.files.take() == Texts{"one.yaml", "three.yaml", "two.yaml"});
}

TEST_CASE("a damaged index costs time and nothing else", "[catalog]") {
  Bench bench;
  wait_until_trusted(bench);
  const fs::path data = bench.folder / "cache/catalog/data.mdb";
  SECTION("cut off") {
    fs::resize_file(data, fs::file_size(data) / 2);
  }
  SECTION("overwritten") {
    std::ofstream(data) << std::string(100000, 'x');
  }
  SECTION("its records hold something else") {
    std::string content = bench.folder.read("cache/catalog/data.mdb");
    for (std::size_t at = content.find("plain"); at != std::string::npos;
         at = content.find("plain", at)) {
      // A length that leads beyond the end.
      content[at - 1] = '\x7f';
      content.replace(at, 5, "PLAIN");
    }
    std::ofstream(data, std::ios::binary) << content;
  }
  CHECK(bench.load().get("two").summary() == "plain");
  CHECK_FALSE(bench.diagnostics.has_errors());
}

TEST_CASE("an index that an unknown las wrote is replaced", "[catalog]") {
  Bench bench;
  const std::string name = "listing " + (bench.folder / "r").string();
  state::BlobCache::open(bench.folder / "cache/catalog", state::BlobCache::Access::ReadWrite)
      ->write({{name, "what no listing looks like"}});
  wait_until_trusted(bench);  // else for ever
  CHECK(bench.load().get("two").summary() == "plain");
}

TEST_CASE("without a place for its index a catalog is compiled each time", "[catalog]") {
  Bench bench;
  fs::remove_all(bench.folder / "cache");
  for (int i = 0; i < 2; ++i) {
    CHECK(bench.load().get("two").summary() == "plain");
    CHECK(bench.files.take() == Texts{"one.yaml", "three.yaml", "two.yaml"});
  }
  CHECK_FALSE(fs::exists(bench.folder / "cache"));
}

TEST_CASE("an equal snapshot is equal content: its files are not looked at", "[catalog]") {
  Bench bench;
  CHECK(bench.load("las 1", "a").get("two").summary() == "plain");
  bench.write("two", manifest("two", "other"));
  bench.files.take();
  CHECK(bench.load("las 1", "a").get("two").summary() == "plain");
  CHECK(bench.files.take() == Texts{});
  CHECK(bench.load("las 1", "b").get("two").summary() == "other");
}

TEST_CASE("an index made anew meanwhile is no fault for who still looks at the old", "[catalog]") {
  Bench bench;
  wait_until_trusted(bench);
  const Catalog old = bench.load();
  bench.write("two", manifest("two", "other"));
  // In another process; in this one the environment is open, so it goes without.
  fs::remove_all(bench.folder / "cache/catalog");
  CHECK(old.get("three").summary() == "plain");
}

TEST_CASE("of two registries the later wins, also in the index", "[catalog]") {
  Bench bench;
  bench.folder.write("s/two.yaml", manifest("two", "mine"));
  for (int i = 0; i < 3; ++i) {
    Diagnostics diagnostics;
    const Catalog catalog = load_catalog(bench.files,
                                         {{"r", bench.folder / "r"}, {"s", bench.folder / "s"}},
                                         diagnostics,
                                         {{bench.folder / "cache" / "catalog"}, "las 1"});
    CHECK(catalog.names() == Texts{"one", "three", "two"});
    CHECK(catalog.get("two").summary() == "mine");
    CHECK(catalog.get("two").origin == "s");
  }
}
