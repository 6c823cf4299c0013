// SPDX-License-Identifier: Apache-2.0
#include "las/platform/file_system.hpp"

#include "as_ordinary_user.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/faulty_file_system.hpp"
#include "support/temp_directory.hpp"

#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace las;
using namespace las::platform;
using test::error_of;
using test::TempDirectory;
using Names = std::vector<std::string>;

namespace {

/// For one scope, new files would lose these bits if las let them.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}

  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

  ~Umask() { ::umask(before_); }

 private:
  mode_t before_;
};

std::uint32_t mode_of(const FileSystem& files, const fs::path& path) {
  const auto status = files.status(path);
  REQUIRE(status);
  return status->mode;
}

std::string long_content(std::size_t size) {
  std::string content;
  for (int i = 0; content.size() < size; ++i)
    content += std::to_string(i) + "\n";
  return content;
}

}  // namespace

TEST_CASE("status tells kinds apart and follows no final link", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("file", "12345");
  files->create_symlink(folder / "link", "file");
  ::mkfifo((folder / "fifo").c_str(), 0600);

  REQUIRE(files->status(folder / "file"));
  CHECK(files->status(folder / "file")->kind == FileKind::Regular);
  CHECK(files->status(folder / "file")->size == 5);
  CHECK(files->status(folder / "file")->uid == ::geteuid());
  CHECK(files->status(folder / "link")->kind == FileKind::Symlink);
  CHECK(files->status(folder / "fifo")->kind == FileKind::Other);
  CHECK(files->status(folder.path())->kind == FileKind::Directory);
  CHECK(files->status(folder / "absent") == std::nullopt);
  CHECK(files->status(folder / "file/below") == std::nullopt);
  CHECK(files->exists(folder / "link"));
  CHECK_FALSE(files->exists(folder / "absent"));
}

TEST_CASE("a whole file is read, of the kernel's too, which claim no size", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const std::string content = long_content(100'000) + std::string("\0x", 2);
  folder.write("file", content);
  CHECK(files->read_file(folder / "file") == content);
  CHECK(files->status("/proc/self/stat")->size == 0);
  CHECK(files->read_file("/proc/self/stat").starts_with(std::to_string(::getpid()) + " ("));
}

TEST_CASE("a file over the limit is refused with the limit", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("file", std::string(2048, 'x'));
  CHECK(files->read_file(folder / "file", ByteSize(2048)).size() == 2048);
  const auto error = error_of([&] { return files->read_file(folder / "file", ByteSize(2047)); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::InvalidData);
  CHECK(error->message() == "the file is too large");
  CHECK(error->subject() == folder / "file");
}

TEST_CASE("a file that cannot be read is named in the error", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("file", "x");
  for (const char* name : {"absent", "file/below"}) {
    CAPTURE(name);
    const auto error = error_of([&] { return files->read_file(folder / name); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::NotFound);
    CHECK(error->message() == "cannot open the file");
    CHECK(error->subject() == folder / name);
  }
  const auto error = error_of([&] { return files->read_file(folder.path()); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Io);
  CHECK(error->cause() == "Is a directory");
}

TEST_CASE("a probe reads trimmed text or nothing", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("fact", "  42\n\n");
  CHECK(files->try_read(folder / "fact") == "42");
  CHECK(files->try_read(folder / "absent") == std::nullopt);
}

TEST_CASE("names in a folder come sorted", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  for (const char* name : {"b", "a", ".hidden", "c"})
    folder.write(name, "");
  CHECK(files->list_directory(folder.path()) == Names{".hidden", "a", "b", "c"});
  const auto error = error_of([&] { return files->list_directory(folder / "absent"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::NotFound);
}

TEST_CASE("a folder's names come with their stamps, however many they are", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const int count = GENERATE(0, 3, 3500);  // none, one thread's, several threads'
  Names expected;
  for (int i = 0; i < count; ++i)
    expected.push_back(fmt::format("module-{}", i));
  for (const std::string& name : expected)
    folder.write(name, name);
  fs::create_directories(folder / "sub");
  fs::create_symlink("absent", folder / "dangling");
  expected.insert(expected.end(), {"sub", "dangling"});
  std::sort(expected.begin(), expected.end());

  const auto found = files->list_stamped(folder.path());
  Names names;
  for (const StampedName& entry : found)
    names.push_back(entry.name);
  CHECK(names == expected);
  const auto stamps = files->stamps(folder.path(), names);
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO(names[i]);
    REQUIRE(found[i].stamp == stamps[i]);
    REQUIRE(found[i].stamp.has_value() == names[i].starts_with("module-"));
    if (found[i].stamp)
      REQUIRE(found[i].stamp->size == names[i].size());
  }
  const auto error = error_of([&] { return files->list_stamped(folder / "absent"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::NotFound);
}

TEST_CASE("a long link target is read whole", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const std::string target(3000, 't');
  files->create_symlink(folder / "link", target);
  CHECK(files->read_symlink(folder / "link") == target);
}

TEST_CASE("folders are made with their parents and exactly the mode asked for", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const Umask umask(077);
  files->make_directories(folder / "a/b/c/", 0750);
  CHECK(mode_of(*files, folder / "a") == 0755);
  CHECK(mode_of(*files, folder / "a/b/c") == 0750);
  files->make_directories(folder / "a/b/c", 0700);
  CHECK(mode_of(*files, folder / "a/b/c") == 0750);

  files->create_symlink(folder / "elsewhere", folder / "a");
  files->make_directories(folder / "elsewhere/d");
  CHECK(files->exists(folder / "a/d"));
}

TEST_CASE("a file in the way of a folder is an error", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("file", "");
  for (const char* name : {"file", "file/below"}) {
    CAPTURE(name);
    const auto error = error_of([&] { files->make_directories(folder / name); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Io);
    CHECK(std::string(error->what()) ==
          "cannot create the folder: " + (folder / name).string() + ": Not a directory");
  }
}

TEST_CASE("a new file is written through no existing name", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const Umask umask(077);
  const auto writer = files->create_file(folder / "new", 0664);
  writer->write(std::string("hello "));
  writer->write(std::string("there"));
  writer->sync();
  writer->close();
  writer->close();
  CHECK(folder.read("new") == "hello there");
  CHECK(mode_of(*files, folder / "new") == 0664);

  files->create_symlink(folder / "dangling", folder / "target");
  for (const char* name : {"new", "dangling"}) {
    CAPTURE(name);
    const auto error = error_of([&] { return files->create_file(folder / name); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Io);
    CHECK(error->cause() == "File exists");
  }
  CHECK_FALSE(files->exists(folder / "target"));
}

TEST_CASE("appending adds at the end and follows no link", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  for (const std::string text : {"one", "two"}) {
    const auto writer = files->append_file(folder / "log");
    writer->write(text);
    writer->close();
  }
  CHECK(folder.read("log") == "onetwo");

  folder.write("victim", "untouched");
  files->create_symlink(folder / "link", "victim");
  CHECK(error_of([&] { return files->append_file(folder / "link"); })->kind() == ErrorKind::Io);
  ::mkfifo((folder / "fifo").c_str(), 0600);
  CHECK(error_of([&] { return files->append_file(folder / "fifo"); })->kind() == ErrorKind::Io);
  CHECK(folder.read("victim") == "untouched");
}

TEST_CASE("two writers that append do not overwrite each other", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const auto first = files->append_file(folder / "log");
  const auto second = files->append_file(folder / "log");
  first->write(std::string("a"));
  second->write(std::string("b"));
  first->write(std::string("c"));
  CHECK(folder.read("log") == "abc");
}

TEST_CASE("a replaced file has the new content and mode and no company", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const Umask umask(077);
  files->replace_file(folder / "config", "old");
  CHECK(mode_of(*files, folder / "config") == 0644);
  files->replace_file(folder / "config", "new", 0600);
  CHECK(folder.read("config") == "new");
  CHECK(mode_of(*files, folder / "config") == 0600);
  CHECK(files->list_directory(folder.path()) == Names{"config"});
}

TEST_CASE("replacing a link leaves the file it led to alone", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("victim", "untouched");
  files->create_symlink(folder / "config", "victim");
  files->replace_file(folder / "config", "new");
  CHECK(folder.read("victim") == "untouched");
  CHECK(files->status(folder / "config")->kind == FileKind::Regular);
}

TEST_CASE("a replacement that fails at its end leaves no temporary file", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  files->make_directories(folder / "config/inside");
  const auto error = error_of([&] { files->replace_file(folder / "config", "new"); });
  REQUIRE(error);
  CHECK(error->message() == "cannot replace the file");
  CHECK(error->subject() == folder / "config");
  CHECK(files->list_directory(folder.path()) == Names{"config"});
  CHECK(error_of([&] { files->replace_symlink(folder / "config", "target"); }));
  CHECK(files->list_directory(folder.path()) == Names{"config"});
}

TEST_CASE("a replacement that fails while writing leaves the old file alone", "[platform]") {
  const TempDirectory folder;
  folder.write("config", "old");
  ::chmod(folder.path().c_str(), 0777);
  const std::string message = as_ordinary_user([&]() -> std::string {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    make_posix_file_system()->replace_file(folder / "config", std::string(5000, 'x'));
    return "no error";
  });
  CHECK(message == "cannot write the file: " + (folder / "config").string() + ": File too large");
  CHECK(make_posix_file_system()->list_directory(folder.path()) == Names{"config"});
  CHECK(folder.read("config") == "old");
}

TEST_CASE("a link is replaced in one step", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  files->replace_symlink(folder / "current", "generations/1");
  files->replace_symlink(folder / "current", "generations/2");
  CHECK(files->read_symlink(folder / "current") == "generations/2");
  CHECK(files->list_directory(folder.path()) == Names{"current"});
  CHECK(error_of([&] { files->create_symlink(folder / "current", "x"); })->cause() ==
        "File exists");
}

TEST_CASE("a rename replaces a file but never a folder", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("a", "a");
  folder.write("b", "b");
  files->rename(folder / "a", folder / "b");
  CHECK(folder.read("b") == "a");
  CHECK_FALSE(files->exists(folder / "a"));

  folder.write("payload/file", "x");
  files->make_directories(folder / "empty");
  const auto error = error_of([&] { files->rename(folder / "payload", folder / "empty"); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Io);
  CHECK(error->cause() == "File exists");
  CHECK(error_of([&] { files->rename(folder / "b", folder / "empty"); }));
  CHECK(error_of([&] { files->rename(folder / "absent", folder / "c"); })->kind() ==
        ErrorKind::NotFound);

  files->rename(folder / "payload/", folder / "empty/payload/");
  CHECK(folder.read("empty/payload/file") == "x");
}

TEST_CASE("a read-only folder is renamed by its owner and stays read-only", "[platform]") {
  const TempDirectory folder;
  ::chmod(folder.path().c_str(), 0777);
  CHECK(as_ordinary_user([&]() -> std::string {
          const auto files = make_posix_file_system();
          files->make_directories(folder / "staging/payload", 0555);
          files->make_directories(folder / "store");
          files->rename(folder / "staging/payload", folder / "store/payload");
          return files->status(folder / "store/payload")->mode == 0555 ? "" : "mode changed";
        }) == "");
}

TEST_CASE("removing what is not there is fine", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  files->remove_file(folder / "absent");
  files->remove_tree(folder / "absent");
  files->make_directories(folder / "folder");
  const auto error = error_of([&] { files->remove_file(folder / "folder"); });
  REQUIRE(error);
  CHECK(error->message() == "cannot remove the file");
}

TEST_CASE("removing a tree does not follow links out of it", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("outside/precious", "kept");
  folder.write("tree/sub/file", "x");
  files->create_symlink(folder / "tree/sub/out", folder / "outside");
  files->create_symlink(folder / "tree/file-out", folder / "outside/precious");
  files->create_symlink(folder / "link-to-outside", folder / "outside");
  files->remove_tree(folder / "tree");
  files->remove_tree(folder / "link-to-outside");
  CHECK(files->list_directory(folder.path()) == Names{"outside"});
  CHECK(folder.read("outside/precious") == "kept");
}

TEST_CASE("a tree of read-only and unreadable folders is removed by its owner", "[platform]") {
  const TempDirectory folder;
  ::chmod(folder.path().c_str(), 0777);
  CHECK(as_ordinary_user([&]() -> std::string {
          const auto files = make_posix_file_system();
          for (const char* name : {"tree/read-only/deep", "tree/closed/deep", "tree/no-search"}) {
            files->make_directories(folder / name);
            files->create_file(folder / name / "file", 0444)->close();
          }
          files->set_mode(folder / "tree/read-only/deep", 0555);
          files->set_mode(folder / "tree/read-only", 0555);
          files->set_mode(folder / "tree/closed/deep", 0);
          files->set_mode(folder / "tree/closed", 0);
          files->set_mode(folder / "tree/no-search", 0444);
          files->set_mode(folder / "tree", 0555);
          files->remove_tree(folder / "tree/");
          return files->exists(folder / "tree") ? "still there" : "";
        }) == "");
}

TEST_CASE("a tree that belongs to somebody else is not removed", "[platform]") {
  if (::geteuid() != 0)
    return;  // an ordinary user has nobody else's files to try it on
  const TempDirectory folder;
  folder.write("tree/file", "kept");
  ::chmod(folder.path().c_str(), 0755);
  const std::string message = as_ordinary_user([&]() -> std::string {
    make_posix_file_system()->remove_tree(folder / "tree");
    return "no error";
  });
  CHECK(message ==
        "cannot remove the file: " + (folder / "tree/file").string() + ": Permission denied");
  CHECK(folder.read("tree/file") == "kept");
}

TEST_CASE("a copy is another file with the same content, mode and time", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  const std::string content = long_content(2'500'000);
  folder.write("from", content);
  files->set_mode(folder / "from", 0555);
  const timespec times[2] = {{1'000'000, 0}, {1'000'000, 0}};
  ::utimensat(AT_FDCWD, (folder / "from").c_str(), times, 0);

  files->clone_file(folder / "from", folder / "to", false);
  CHECK(folder.read("to") == content);
  CHECK(files->status(folder / "to")->mode == 0555);
  CHECK(files->status(folder / "to")->modified == 1'000'000);
  CHECK(files->status(folder / "to")->inode != files->status(folder / "from")->inode);
}

TEST_CASE("an empty file and a kernel's file are copied too", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("empty", "");
  files->clone_file(folder / "empty", folder / "copy", false);
  CHECK(folder.read("copy").empty());
  files->clone_file("/proc/version", folder / "version", true);
  CHECK(folder.read("version") == files->read_file("/proc/version"));
}

TEST_CASE("where a link will do, no bytes are copied", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("from", "content");
  const auto before = files->status(folder / "from")->inode;
  files->clone_file(folder / "from", folder / "to", true);
  CHECK(folder.read("to") == "content");
  // A file system that shares extents makes a file of its own; others a second name.
  const bool linked = files->status(folder / "to")->inode == before;
  files->clone_file(folder / "from", folder / "copy", false);
  CHECK(files->status(folder / "copy")->inode != before);
  if (linked)
    CHECK(tree_size(*files, folder.path()) == ByteSize(14));
  else
    CHECK(tree_size(*files, folder.path()) == ByteSize(21));
}

TEST_CASE("a clone replaces nothing and follows no link", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("from", "new");
  folder.write("there", "old");
  files->create_symlink(folder / "link", "from");
  for (const bool link_allowed : {false, true}) {
    const auto error =
        error_of([&] { files->clone_file(folder / "from", folder / "there", link_allowed); });
    REQUIRE(error);
    CHECK(std::string(error->what()) ==
          "cannot create the file: " + (folder / "there").string() + ": File exists");
    CHECK(error_of([&] {
            files->clone_file(folder / "link", folder / "x", link_allowed);
          })->kind() == ErrorKind::Io);
    CHECK(error_of([&] { files->clone_file(folder.path(), folder / "x", link_allowed); })->kind() ==
          ErrorKind::InvalidData);
  }
  CHECK(folder.read("there") == "old");
  CHECK_FALSE(files->exists(folder / "x"));
}

TEST_CASE("a copy that fails leaves nothing behind", "[platform]") {
  const TempDirectory folder;
  folder.write("from", std::string(5000, 'x'));
  ::chmod(folder.path().c_str(), 0777);
  const std::string message = as_ordinary_user([&]() -> std::string {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    make_posix_file_system()->clone_file(folder / "from", folder / "to", false);
    return "no error";
  });
  const auto files = make_posix_file_system();
  // A file system that shares extents does not write at all.
  if (message != "no error") {
    CHECK(message.ends_with((folder / "to").string() + ": File too large"));
    CHECK(files->list_directory(folder.path()) == Names{"from"});
  }
}

TEST_CASE("a mode is set on the file itself, never through a link", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("file", "");
  files->set_mode(folder / "file", 0440);
  CHECK(mode_of(*files, folder / "file") == 0440);
  files->create_symlink(folder / "link", "file");
  CHECK(error_of([&] { files->set_mode(folder / "link", 0666); })->kind() == ErrorKind::Io);
  CHECK(mode_of(*files, folder / "file") == 0440);
}

TEST_CASE("free space is asked of the nearest folder that exists", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  CHECK(files->free_space(folder / "not/yet/there") > ByteSize(0));
  CHECK(files->free_space("relative/not/there") > ByteSize(0));
  CHECK(files->free_space("/proc") == ByteSize(0));
}

TEST_CASE("a tree is synced by any path in it", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("file", "x");
  files->sync_tree(folder.path());
  files->sync_tree(folder / "file");
  CHECK(error_of([&] { files->sync_tree(folder / "absent"); })->kind() == ErrorKind::NotFound);
}

TEST_CASE("a tree is walked parents first, sorted, without following links", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("b/two", "22");
  folder.write("b/one", "1");
  folder.write("a", "");
  files->create_symlink(folder / "c", "b");
  std::vector<std::string> seen;
  walk(*files, folder.path(), [&](const fs::path& path, const FileStatus& status) {
    seen.push_back(path.string() + ":" + std::to_string(static_cast<int>(status.kind)));
  });
  CHECK(seen == Names{"a:0", "b:1", "b/one:0", "b/two:0", "c:2"});
}

TEST_CASE("the size of a tree counts each file once and no link targets", "[platform]") {
  const TempDirectory folder;
  const auto files = make_posix_file_system();
  folder.write("tree/sub/file", "12345");
  fs::create_hard_link(folder / "tree/sub/file", folder / "tree/again");
  files->create_symlink(folder / "tree/link", "sub/file");
  CHECK(tree_size(*files, folder / "tree") == ByteSize(5));
  CHECK(tree_size(*files, folder / "tree/again") == ByteSize(5));
  CHECK(tree_size(*files, folder / "tree/link") == ByteSize(0));
  CHECK(tree_size(*files, folder / "absent") == ByteSize(0));
}

namespace {

/// Notes who is to own what, and gives nothing away: that takes root.
class NotesOwners : public test::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;

  void set_owner(const fs::path& path, std::uint32_t uid, std::uint32_t gid) override {
    given.push_back(fmt::format("{} {}:{}", path.string(), uid, gid));
  }

  Names given;
};

}  // namespace

TEST_CASE("a tree is given away whole, its top last, and once", "[platform]") {
  const TempDirectory directory;
  const auto posix = make_posix_file_system();
  directory.write("elsewhere/kept", "x");
  directory.write("data/folder/file", "x");
  posix->create_symlink(directory / "data/link", "../elsewhere");
  NotesOwners files(*posix);
  const auto path = [&](const char* name) { return (directory / name).string(); };
  give_tree(files, directory / "data", 4711, 815);
  REQUIRE(files.given.size() == 4);
  CHECK(files.given.back() == path("data") + " 4711:815");
  std::sort(files.given.begin(), files.given.end());
  CHECK(files.given == Names{path("data") + " 4711:815",
                             path("data/folder") + " 4711:815",
                             path("data/folder/file") + " 4711:815",
                             path("data/link") + " 4711:815"});
  files.given.clear();
  give_tree(files, directory / "data", ::geteuid(), ::getegid());
  CHECK(files.given.empty());
}
