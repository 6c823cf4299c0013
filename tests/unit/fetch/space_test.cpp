// SPDX-License-Identifier: Apache-2.0
#include "fetch_bench.hpp"
#include "support/catch.hpp"
#include "support/faulty_file_system.hpp"

using las::ByteSize;
using las::ErrorKind;
using las::platform::digest_of;

namespace {

/// A disk that says how much room it has.
class SmallDisk : public las::test::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;
  ByteSize free = ByteSize::gib(1);

  ByteSize free_space(const std::filesystem::path&) const override { return free; }
};

}  // namespace

TEST_CASE("A disk that fills up ends the download and keeps what arrived", "[fetch]") {
  FetchBench bench;
  las::test::FaultyFileSystem disk(*bench.files);
  disk.fail_at(12);  // a write in the middle
  bench.other_files = &disk;
  const std::string body = sample_bytes(1000000);
  bench.server.serve("/foo", body);
  const auto artifact = bench.artifact({bench.server.url("/foo")}, digest_of(body));

  const auto error = bench.failure(artifact);

  CHECK(error.kind() == ErrorKind::NoSpace);
  CHECK(error.message() == "planned failure");
  CHECK(disk.effects().back().starts_with("write "));
  CHECK(bench.server.requests().size() == 1);
  CHECK(bench.work().back() == "finished fetch:foo.tar.gz failed: " + std::string(error.what()));

  bench.other_files = nullptr;
  CHECK((FetchBench::content_of(bench.fetch(artifact).path) == body));
  CHECK(bench.server.requests().at(1).header("range").starts_with("bytes="));
}

TEST_CASE("A download that cannot fit is not begun", "[fetch]") {
  FetchBench bench;
  SmallDisk disk(*bench.files);
  disk.free = ByteSize::kib(1);
  bench.other_files = &disk;
  bench.server.serve("/foo", sample_bytes(4096));
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}));
  CHECK(error.kind() == ErrorKind::NoSpace);
  CHECK(std::string(error.what()) ==
        "not enough free space to download: foo 1.2 (foo.tar.gz): "
        "4.0 KiB needed, 1.0 KiB free in " +
            bench.cache.string());
  CHECK(bench.cache_content().empty());
}
