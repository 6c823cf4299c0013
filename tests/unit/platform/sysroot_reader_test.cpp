// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/temp_directory.hpp"

#include "las/platform/file_system.hpp"

using namespace las;
using namespace las::platform;
using test::error_of;
using test::TempDirectory;
using Names = std::vector<std::string>;

namespace {

struct Sysroot {
  TempDirectory folder;
  std::unique_ptr<FileReader> files = make_sysroot_reader(folder / "root");

  Sysroot() {
    folder.write("secret", "outside");
    folder.write("root/etc/real", "inside");
    fs::create_directories(folder / "root/sys/devices/gpu0");
    fs::create_directories(folder / "root/sys/class");
    folder.write("root/sys/devices/gpu0/vendor", "0x10de\n");
  }

  void link(const std::string& name, const std::string& target) const {
    fs::create_symlink(target, folder / ("root/" + name));
  }
};

}  // namespace

TEST_CASE("a sysroot is read by the paths of the machine it was taken from", "[platform]") {
  const Sysroot sysroot;
  CHECK(sysroot.files->read_file("/etc/real") == "inside");
  CHECK(sysroot.files->try_read("/sys/devices/gpu0/vendor") == "0x10de");
  CHECK(sysroot.files->list_directory("/") == Names{"etc", "sys"});
  CHECK(sysroot.files->status("/etc")->kind == FileKind::Directory);
  CHECK(sysroot.files->status("/absent/below") == std::nullopt);
}

TEST_CASE("links inside a sysroot lead to places inside it", "[platform]") {
  const Sysroot sysroot;
  sysroot.link("etc/absolute", "/etc/real");
  sysroot.link("sys/class/gpu", "../devices/gpu0");
  sysroot.link("lib", "/sys");
  sysroot.link("etc/chain", "absolute");
  CHECK(sysroot.files->read_file("/etc/absolute") == "inside");
  CHECK(sysroot.files->read_file("/etc/chain") == "inside");
  CHECK(sysroot.files->try_read("/sys/class/gpu/vendor") == "0x10de");
  CHECK(sysroot.files->try_read("/lib/class/gpu/vendor") == "0x10de");
  CHECK(sysroot.files->list_directory("/sys/class/gpu") == Names{"vendor"});
  CHECK(sysroot.files->status("/etc/chain")->kind == FileKind::Symlink);
  CHECK(sysroot.files->read_symlink("/lib/class/gpu") == "../devices/gpu0");
  std::string scanned;
  sysroot.files->scan_file("/etc/chain", [&](std::span<const char> bytes) {
    scanned.append(bytes.data(), bytes.size());
  });
  CHECK(scanned == "inside");
}

TEST_CASE("no path and no link leaves the sysroot", "[platform]") {
  const Sysroot sysroot;
  const std::string secret = sysroot.folder / "secret";
  sysroot.link("etc/up", "../../secret");
  sysroot.link("etc/far-up", "../../../../../../../../.." + secret);
  sysroot.link("etc/absolute", secret);
  sysroot.link("etc/parent", "../..");
  for (const std::string path : {"/../secret",
                                 "/etc/../../secret",
                                 "/etc/up",
                                 "/etc/far-up",
                                 "/etc/absolute",
                                 "/etc/parent/secret"}) {
    CAPTURE(path);
    const auto error = error_of([&] { return sysroot.files->read_file(path); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::NotFound);
  }
  CHECK(sysroot.files->list_directory("/etc/parent") == Names{"etc", "sys"});
}

TEST_CASE("links that go in circles end in an error", "[platform]") {
  const Sysroot sysroot;
  sysroot.link("a", "b");
  sysroot.link("b", "a");
  sysroot.link("self", "self/x");
  for (const char* path : {"/a", "/a/below", "/self"}) {
    CAPTURE(path);
    const auto error = error_of([&] { return sysroot.files->read_file(path); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Io);
    CHECK(error->cause() == "Too many levels of symbolic links");
  }
  CHECK(sysroot.files->status("/a")->kind == FileKind::Symlink);
}
