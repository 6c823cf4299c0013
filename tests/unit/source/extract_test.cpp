// SPDX-License-Identifier: Apache-2.0
#include "las/source/extract.hpp"

#include "archive_writer.hpp"
#include "stand_ins.hpp"
#include "support/catch.hpp"
#include "support/faulty_file_system.hpp"
#include "support/temp_directory.hpp"
#include "ustar.hpp"

#include <sys/stat.h>

using namespace las;
using las::test::ArchiveFile;
using las::test::error_of;
using las::test::listing;
using las::test::Ustar;
using las::test::write_archive;
using las::test::write_file;
using Lines = std::vector<std::string>;

namespace {

/// An archive beside the folder it is unpacked into, and something that must not be touched.
struct Workshop {
  test::TempDirectory folder;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  test::LineReporter reporter;
  Cancellation cancellation;
  Activity activity{reporter, cancellation};
  std::filesystem::path archive = folder / "archive";
  std::filesystem::path destination = folder / "area/payload";

  Workshop() { write_file(folder / "area/outside.txt", "keep"); }

  void unpack(int strip = 0, const source::ExtractLimits& limits = {}) {
    source::extract_archive(*files, archive, destination, strip, limits, activity);
  }

  /// Expects a refusal, and that nothing beside the destination came, went or changed.
  Error refusal(const std::string& bytes, const source::ExtractLimits& limits = {}) {
    write_file(archive, bytes);
    std::filesystem::remove_all(destination);
    const Error error = error_of([&] { unpack(0, limits); });
    std::filesystem::remove_all(destination);
    CHECK(listing(folder / "area") == Lines{"outside.txt 0644 keep"});
    return error;
  }
};

}  // namespace

TEST_CASE("a tar is unpacked with plain modes and without its owners", "[source]") {
  Workshop shop;
  write_file(shop.archive,
             Ustar()
                 .folder("./")
                 .folder("bin/", 0777)
                 .file("bin/tool", "#!/bin/sh\n", 0776)
                 .file("share/doc/readme", "hello", 0600)
                 .symlink("bin/alias", "tool")
                 .symlink("share/up", "../bin/alias")
                 .hard_link("bin/twin", "bin/tool")
                 .bytes());
  shop.unpack();
  CHECK(listing(shop.destination) == Lines{"bin/ 0755",
                                           "bin/alias -> tool",
                                           "bin/tool 0755 #!/bin/sh\n",
                                           "bin/twin 0755 #!/bin/sh\n",
                                           "share/ 0755",
                                           "share/doc/ 0755",
                                           "share/doc/readme 0644 hello",
                                           "share/up -> ../bin/alias"});

  struct stat info {};

  REQUIRE(::stat((shop.destination / "bin/tool").c_str(), &info) == 0);
  CHECK(info.st_uid == ::geteuid());
  CHECK(shop.reporter.lines ==
        Lines{"started extract:archive: Unpacking archive", "finished extract:archive"});
}

TEST_CASE("leading folders are stripped and shallower entries left out", "[source]") {
  Workshop shop;
  write_file(shop.archive,
             Ustar()
                 .folder("tool-1.0/")
                 .file("notice", "n")
                 .file("tool-1.0/bin/tool", "t", 0755)
                 .hard_link("tool-1.0/bin/twin", "./tool-1.0/bin/tool")
                 .bytes());
  shop.unpack(1);
  CHECK(listing(shop.destination) == Lines{"bin/ 0755", "bin/tool 0755 t", "bin/twin 0755 t"});
}

TEST_CASE("every format and compression that publishers use is unpacked", "[source]") {
  struct Case {
    std::string format, filter;
  };

  for (const Case& packed : {Case{"ustar", "none"},
                             Case{"ustar", "gzip"},
                             Case{"pax", "bzip2"},
                             Case{"pax", "xz"},
                             Case{"gnutar", "zstd"},
                             Case{"zip", "none"}}) {
    CAPTURE(packed.format, packed.filter);
    Workshop shop;
    write_archive(shop.archive,
                  packed.format,
                  packed.filter,
                  {{"a/tool", "run", 0755}, {"a/text", "text", 0644}});
    shop.unpack();
    CHECK(listing(shop.destination) == Lines{"a/ 0755", "a/text 0644 text", "a/tool 0755 run"});
  }
}

TEST_CASE("names in UTF-8 come through in the C locale", "[source]") {
  Workshop shop;
  write_file(shop.archive,
             Ustar()
                 .file("größe", "raw")
                 .add(Ustar::kPaxHeader, "pax", "15 path=länge\n")
                 .file("l?nge", "pax")
                 .hard_link("twin", "größe")
                 .bytes());
  shop.unpack();
  CHECK(listing(shop.destination) == Lines{"größe 0644 raw", "länge 0644 pax", "twin 0644 raw"});
}

TEST_CASE("entries that would land outside the tree refuse the archive", "[source]") {
  Workshop shop;
  const auto refused = [&](const Ustar& tar) {
    const Error error = shop.refusal(tar.bytes());
    CHECK(error.kind() == ErrorKind::Integrity);
    CHECK(error.contexts() == Lines{"unpacking archive"});
    return std::string(error.what());
  };
  const std::string outside = (shop.folder / "area/outside.txt").string();
  CHECK(refused(Ustar().file(outside, "evil")) == "a path is absolute: " + outside);
  CHECK(refused(Ustar().file("../outside.txt", "evil")) ==
        "a path climbs with \"..\": ../outside.txt");
  CHECK(refused(Ustar().file("a/../../outside.txt", "evil")) ==
        "a path climbs with \"..\": a/../../outside.txt");
  CHECK(refused(Ustar().symlink("l", "../outside.txt")) ==
        "a symlink leaves the tree: l: ../outside.txt");
  CHECK(refused(Ustar().symlink("l", outside)) == "a symlink leaves the tree: l: " + outside);
  CHECK(refused(Ustar().hard_link("l", "../outside.txt")) ==
        "a path climbs with \"..\": ../outside.txt");
  CHECK(refused(Ustar().hard_link("l", outside)) == "a path is absolute: " + outside);
  CHECK(refused(Ustar().hard_link("l", "missing")) ==
        "a hard link names no file unpacked before it: l: missing");
}

TEST_CASE("nothing is written or linked through a symlink", "[source]") {
  Workshop shop;
  const auto refused = [&](const Ustar& tar) {
    return std::string(shop.refusal(tar.bytes()).what());
  };
  CHECK(refused(Ustar().folder("real").symlink("l", "real").file("l/x", "evil")) ==
        "an entry is written through a symlink: l/x");
  CHECK(refused(Ustar().symlink("l", ".").folder("l/d")) ==
        "an entry is written through a symlink: l/d");
  CHECK(refused(Ustar().symlink("l", "f").file("l", "evil")) == "an entry is there twice: l");
  CHECK(refused(Ustar().file("f", "x").symlink("l", "f").hard_link("h", "l")) ==
        "a hard link names no file unpacked before it: h: l");
  CHECK(refused(Ustar().folder("a/b").symlink("a/b/up", "../..").symlink("a/b/l", "up/../x")) ==
        "a symlink climbs after going down: a/b/l: up/../x");
}

TEST_CASE("only files, folders and links without special bits are unpacked", "[source]") {
  Workshop shop;
  const auto refused = [&](const Ustar& tar) {
    const Error error = shop.refusal(tar.bytes());
    CHECK(error.kind() == ErrorKind::Integrity);
    return std::string(error.what());
  };
  CHECK(refused(Ustar().add(Ustar::kCharDevice, "null")) ==
        "an entry is neither file, folder nor link: null");
  CHECK(refused(Ustar().add(Ustar::kFifo, "pipe")) ==
        "an entry is neither file, folder nor link: pipe");
  for (const unsigned mode : {04755U, 02755U, 01755U})
    CHECK(refused(Ustar().file("su", "x", mode)) ==
          "an entry has a setuid, setgid or sticky bit: su");
  CHECK(refused(Ustar().folder("drop/", 01777)) ==
        "an entry has a setuid, setgid or sticky bit: drop/");
}

TEST_CASE("a name that comes twice refuses the archive, a folder may", "[source]") {
  Workshop shop;
  CHECK(std::string(shop.refusal(Ustar().file("a", "1").file("./a", "2").bytes()).what()) ==
        "an entry is there twice: ./a");
  write_file(shop.archive, Ustar().folder("d").file("d/a", "1").folder("d/").bytes());
  shop.unpack();
  CHECK(listing(shop.destination) == Lines{"d/ 0755", "d/a 0644 1"});
}

TEST_CASE("each limit refuses an archive that passes it", "[source]") {
  Workshop shop;
  const auto refused = [&](const Ustar& tar, const source::ExtractLimits& limits) {
    const Error error = shop.refusal(tar.bytes(), limits);
    CHECK(error.kind() == ErrorKind::Integrity);
    return std::string(error.what());
  };
  source::ExtractLimits few;
  few.entries = 2;
  CHECK(refused(Ustar().file("a", "").file("b", "").file("c", ""), few) ==
        "the archive holds too many entries: c");
  source::ExtractLimits small;
  small.total = ByteSize(9);
  CHECK(refused(Ustar().file("a", "12345").file("b", "67890"), small) ==
        "the archive unpacks to more than is allowed: b: the limit is 9 B");
  CHECK(refused(Ustar().add_sized(Ustar::kFile, "huge", "x", 7ULL << 30), {ByteSize::gib(4)}) ==
        "the archive unpacks to more than is allowed: huge: the limit is 4.0 GiB");
  source::ExtractLimits shallow;
  shallow.path_length = 3;
  CHECK(refused(Ustar().file("abcd", ""), shallow) == "a path is too long: abcd…");
}

TEST_CASE("a size that the archive understates is counted all the same", "[source]") {
  Workshop shop;
  write_archive(shop.archive, "zip", "none", {{"liar", std::string(5000, 'a'), 0644}}, 1 << 20);
  std::string zip = test::read_file(shop.archive);
  const std::string truth("\x88\x13\x10\0", 4), lie("\x05\0\0\0", 4);
  REQUIRE(zip.find(truth) != std::string::npos);
  for (std::size_t at = zip.find(truth); at != std::string::npos; at = zip.find(truth))
    zip.replace(at, truth.size(), lie);
  source::ExtractLimits limits;
  limits.total = ByteSize(100);
  const Error error = shop.refusal(zip, limits);
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(std::string(error.what()) ==
        "the archive unpacks to more than is allowed: liar: the limit is 100 B");
}

TEST_CASE("an archive at its limits is unpacked", "[source]") {
  Workshop shop;
  write_file(shop.archive, Ustar().file("a", "12345").file("b", "67890").bytes());
  source::ExtractLimits limits;
  limits.total = ByteSize(10);
  limits.entries = 2;
  limits.path_length = 1;
  shop.unpack(0, limits);
  CHECK(listing(shop.destination) == Lines{"a 0644 12345", "b 0644 67890"});
}

TEST_CASE("a decompression bomb is stopped soon after 64 MiB", "[source]") {
  Workshop shop;
  write_archive(shop.archive, "ustar", "zstd", {{"zeros", "", 0644}}, ByteSize::mib(80).bytes());
  REQUIRE(std::filesystem::file_size(shop.archive) < 100 * 1024);
  const Error error = error_of([&] { shop.unpack(); });
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.message() == "the archive unpacks to suspiciously much");
  CHECK(error.subject() == "zeros");
  CHECK(std::filesystem::file_size(shop.destination / "zeros") <= ByteSize::mib(65).bytes());
}

TEST_CASE("a cut or foreign file is invalid data", "[source]") {
  Workshop shop;
  const auto refused = [&](const std::string& bytes) {
    const Error error = shop.refusal(bytes);
    CHECK(error.kind() == ErrorKind::InvalidData);
    CHECK(error.message() == "the file is no archive or a damaged one");
    CHECK(error.subject() == shop.archive.string());
    return error.cause();
  };
  CHECK(refused("<html>not found</html>") == "Unrecognized archive format");
  CHECK(refused("") == "Unrecognized archive format");
  const std::string tar = Ustar().file("a", std::string(5000, 'a')).bytes();
  CHECK(refused(tar.substr(0, 3000)) == "Truncated tar archive");
  for (const std::string filter : {"gzip", "bzip2", "xz", "zstd"}) {
    CAPTURE(filter);
    write_archive(shop.archive, "ustar", filter, {{"a", std::string(5000, 'a'), 0644}});
    const std::string whole = test::read_file(shop.archive);
    CHECK_FALSE(refused(whole.substr(0, whole.size() / 2)).empty());
  }
  const std::vector<ArchiveFile> files = {{"a", std::string(5000, 'a'), 0644}, {"b", "b", 0644}};
  write_archive(shop.archive, "zip", "none", files);
  const std::string zip = test::read_file(shop.archive);
  CHECK_FALSE(refused(zip.substr(0, 40)).empty());
}

TEST_CASE("unpacking stops when it is asked to", "[source]") {
  Workshop shop;
  write_file(shop.archive, Ustar().file("a", "1").bytes());
  shop.cancellation.request(2);
  const Error error = error_of([&] { shop.unpack(); });
  CHECK(error.kind() == ErrorKind::Interrupted);
  CHECK(listing(shop.destination).empty());
  CHECK(shop.reporter.lines.back() == "failed extract:archive");
}

TEST_CASE("a folder that holds something is not unpacked into", "[source]") {
  Workshop shop;
  write_file(shop.archive, Ustar().file("a", "1").bytes());
  write_file(shop.destination / "old", "o");
  const Error error = error_of([&] { shop.unpack(); });
  CHECK(error.message() == "the folder to unpack into is not empty");
  CHECK(listing(shop.destination) == Lines{"old 0644 o"});
}

TEST_CASE("a missing archive is not found", "[source]") {
  Workshop shop;
  CHECK(error_of([&] { shop.unpack(); }).kind() == ErrorKind::NotFound);
}

TEST_CASE("a disk that fills up ends the unpacking wherever it is, and effects keep their order",
          "[source]") {
  Workshop shop;
  Ustar tar;
  for (int i = 0; i < 700; ++i)
    tar.file("d" + std::to_string(i % 7) + "/f" + std::to_string(i), std::string(2000, 'x'));
  write_file(shop.archive, tar.bytes());
  const auto effects_until = [&](std::size_t fault) {
    std::filesystem::remove_all(shop.destination);
    test::FaultyFileSystem files(*shop.files);
    files.fail_at(fault);
    const auto run = [&] {
      source::extract_archive(
          files, shop.archive, shop.destination, 0, source::ExtractLimits{}, shop.activity);
    };
    if (fault == 0)
      run();
    else
      CHECK(error_of(run).kind() == ErrorKind::NoSpace);
    return files.effects();
  };
  const Lines all = effects_until(0);
  REQUIRE(all.size() > 1400);
  for (const std::size_t fault : {std::size_t{2}, std::size_t{3}, all.size() / 2, all.size()}) {
    CAPTURE(fault);
    CHECK(effects_until(fault) ==
          Lines(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(fault)));
  }
}
