// SPDX-License-Identifier: Apache-2.0
#include "las/state/blob_cache.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/temp_directory.hpp"

using namespace las;
using namespace las::state;

namespace {

namespace fs = std::filesystem;
using Access = BlobCache::Access;

std::optional<std::string> blob(const BlobCache& cache, const std::string& name) {
  std::optional<std::string> found;
  cache.read(name, [&](std::optional<std::string_view> content) {
    found = content ? std::optional(std::string(*content)) : std::nullopt;
  });
  return found;
}

}  // namespace

TEST_CASE("blobs are there for the next process, also those larger than a new map", "[state]") {
  const test::TempDirectory folder;
  const std::string large(40U << 20U, 'x');
  {
    const auto cache = BlobCache::open(folder / "c", Access::ReadWrite);
    cache->write({{"large", large}, {"small", "y"}});
  }
  const auto cache = BlobCache::open(folder / "c", Access::ReadOnly);
  REQUIRE(cache);
  CHECK_FALSE(cache->writable());
  CHECK(blob(*cache, "large") == large);
  CHECK(blob(*cache, "small") == "y");
  CHECK(blob(*cache, "none") == std::nullopt);
}

TEST_CASE("a cache that nobody made is none, and reading makes none", "[state]") {
  const test::TempDirectory folder;
  CHECK(BlobCache::open(folder / "c", Access::ReadOnly) == nullptr);
  CHECK_FALSE(fs::exists(folder / "c"));
}

TEST_CASE("several changes of a cache come together", "[state]") {
  const test::TempDirectory folder;
  const auto cache = BlobCache::open(folder / "c", Access::ReadWrite);
  cache->write({{"a", "1"}, {"b", "2"}});
  cache->write({{"a", std::nullopt}, {"c", "3"}});
  CHECK(blob(*cache, "a") == std::nullopt);
  CHECK(blob(*cache, "b") == "2");
  CHECK(blob(*cache, "c") == "3");
  CHECK(test::error_of([&] {
          cache->write({{"d", "4"}, {"", "5"}});
        })->kind() == ErrorKind::InvalidData);
  CHECK(blob(*cache, "d") == std::nullopt);
}

TEST_CASE("a damaged cache is told from a sound one before it is used", "[state]") {
  const test::TempDirectory folder;
  BlobCache::open(folder / "c", Access::ReadWrite)->write({{"a", std::string(100000, 'x')}});
  const fs::path data = folder / "c/data.mdb";
  fs::resize_file(data, fs::file_size(data) / 2);
  CHECK(test::error_of([&] { BlobCache::open(folder / "c", Access::ReadOnly); })->kind() ==
        ErrorKind::CorruptState);
}
