// SPDX-License-Identifier: Apache-2.0
#include "las/source/tar.hpp"

#include "source_bench.hpp"
#include "support/catch.hpp"

#include "las/source/extract.hpp"

using namespace las;
using source::TarEntry;

TEST_CASE("what the sink of a tar throws comes through", "[source]") {
  int left = 1;
  source::TarWriter writer([&](std::span<const char>) {
    if (left-- == 0)
      throw Error(ErrorKind::NoSpace, "full");
  });
  const Error error = test::error_of([&] {
    writer.begin_file("big", 1'000'000);
    for (int piece = 0; piece < 10; ++piece)
      writer.write(std::string(100'000, 'x'));
  });
  CHECK(error.kind() == ErrorKind::NoSpace);
}

TEST_CASE("a tar that las made unpacks to the same tree", "[source]") {
  const std::string long_name = std::string(120, 'd') + "/" + std::string(120, 'f');
  const std::vector<TarEntry> entries = {
      {TarEntry::Kind::Directory, "empty", ""},
      {TarEntry::Kind::File, "sys/0000:00:02.0/vendor", "0x8086\n"},
      {TarEntry::Kind::File, "nothing", ""},
      {TarEntry::Kind::File, "binary", std::string("\0\xff\n", 3)},
      {TarEntry::Kind::File, long_name, "deep"},
      {TarEntry::Kind::Symlink, "sys/link", "0000:00:02.0"}};
  test::SourceBench bench;
  const std::string bytes = source::make_tar(entries);
  CHECK(bytes == source::make_tar(entries));
  CHECK(bytes.size() % 512 == 0);
  test::write_file(bench.folder / "a.tar", bytes);
  bench.files->make_directories(bench.folder / "out");
  source::extract_archive(
      *bench.files, bench.folder / "a.tar", bench.folder / "out", 0, {}, bench.activity);
  CHECK(test::read_file(bench.folder / "out/sys/0000:00:02.0/vendor") == "0x8086\n");
  CHECK(test::read_file(bench.folder / "out/sys/link/vendor") == "0x8086\n");
  CHECK(std::filesystem::read_symlink(bench.folder / "out/sys/link") == "0000:00:02.0");
  CHECK(test::read_file(bench.folder / "out/nothing").empty());
  CHECK(test::read_file(bench.folder / "out/binary") == std::string("\0\xff\n", 3));
  CHECK(test::read_file(bench.folder / "out" / long_name) == "deep");
  CHECK(std::filesystem::is_directory(bench.folder / "out/empty"));
}

TEST_CASE("a tar is compressed where its name says so, and equal entries still give equal bytes",
          "[source]") {
  CHECK(source::compression_of("/x/report.tgz") == source::Compression::Gzip);
  CHECK(source::compression_of("report.tar.gz") == source::Compression::Gzip);
  CHECK(source::compression_of("/x.tgz/report.tar") == source::Compression::None);
  CHECK(source::compression_of("report") == source::Compression::None);
  const std::vector<TarEntry> entries = {{TarEntry::Kind::File, "long", std::string(100'000, 'x')}};
  const std::string bytes = source::make_tar(entries, source::Compression::Gzip);
  CHECK(bytes.starts_with("\x1f\x8b"));
  // Source: RFC 1952, 2.3.1: the time, which is not to be told.
  CHECK(bytes.substr(4, 4) == std::string(4, '\0'));
  CHECK(bytes.size() < 10'000);
  test::SourceBench bench;
  test::write_file(bench.folder / "a.tgz", bytes);
  bench.files->make_directories(bench.folder / "out");
  source::extract_archive(
      *bench.files, bench.folder / "a.tgz", bench.folder / "out", 0, {}, bench.activity);
  CHECK(test::read_file(bench.folder / "out/long") == entries.front().content);
}
