// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/temp_directory.hpp"

#include "las/service/supervisor.hpp"

#include <sys/stat.h>

using namespace las;
using namespace las::service;

namespace {

struct Safe {
  Safe() {
    service.id = "tiny";
    service.secrets = {{"password", "{word}"}, {"users.conf", "user tiny pass {word} {{x}}\n"}};
  }

  void make() { make_secrets(*files, service, folder()); }

  std::filesystem::path folder() const { return directory / "secrets/tiny"; }

  std::string word() const { return secret_word(*files, folder()); }

  std::uint32_t mode(const std::filesystem::path& path) const { return files->status(path)->mode; }

  test::TempDirectory directory;
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  state::ServiceInstance service;
};

}  // namespace

TEST_CASE("a secret is 256 random bits in hex, for its owner alone to read", "[service]") {
  const mode_t before = ::umask(0);
  Safe safe, other;
  safe.make();
  other.make();
  ::umask(before);
  CHECK(safe.word().size() == 64);
  CHECK(safe.word().find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(safe.word() != other.word());
  CHECK(safe.mode(safe.directory / "secrets") == 0700);
  CHECK(safe.mode(safe.folder()) == 0700);
  CHECK(safe.files->list_directory(safe.folder()) ==
        std::vector<std::string>{".word", "password", "users.conf"});
  for (const std::string& name : safe.files->list_directory(safe.folder()))
    CHECK(safe.mode(safe.folder() / name) == 0600);
}

TEST_CASE("files with a secret are what their templates say", "[service]") {
  Safe safe;
  safe.make();
  CHECK(safe.directory.read("secrets/tiny/password") == safe.word());
  CHECK(safe.directory.read("secrets/tiny/users.conf") ==
        "user tiny pass " + safe.word() + " {x}\n");
}

TEST_CASE("a word that is there stays, and changed templates are written anew with it",
          "[service]") {
  Safe safe;
  safe.make();
  const std::string word = safe.word();
  const auto before = safe.files->status(safe.folder() / "password");
  safe.service.secrets["users.conf"] = "{word} {word}";
  safe.service.secrets["more"] = "x={word}";
  safe.make();
  CHECK(safe.word() == word);
  CHECK(safe.directory.read("secrets/tiny/users.conf") == word + " " + word);
  CHECK(safe.directory.read("secrets/tiny/more") == "x=" + word);
  CHECK(safe.files->status(safe.folder() / "password")->inode == before->inode);
}

TEST_CASE("a file with a secret that somebody changed or removed is written again", "[service]") {
  Safe safe;
  safe.make();
  safe.files->replace_file(safe.folder() / "password", "mine", 0644);
  safe.files->remove_file(safe.folder() / "users.conf");
  safe.make();
  CHECK(safe.directory.read("secrets/tiny/password") == safe.word());
  CHECK(safe.mode(safe.folder() / "password") == 0600);
  CHECK(safe.files->exists(safe.folder() / "users.conf"));
}

TEST_CASE("a service without secrets gets no folder and has no word", "[service]") {
  Safe safe;
  safe.service.secrets.clear();
  safe.make();
  CHECK_FALSE(safe.files->exists(safe.directory / "secrets"));
  CHECK(test::error_of([&] { return safe.word(); })->kind() == ErrorKind::NotFound);
}

TEST_CASE("what prepares the data can read the secrets that it names", "[service]") {
  Safe safe;
  safe.service.prepare = {
      {"/data", {"/bin/init", "--file=" + (safe.folder() / "password").string()}}};
  safe.make();
  CHECK(safe.mode(safe.folder() / "password") == 0444);
  CHECK(safe.mode(safe.folder() / "users.conf") == 0600);
  CHECK(safe.mode(safe.folder()) == 0700);
}

TEST_CASE("a container's user who is not root can read its secrets, and nobody gets to them",
          "[service]") {
  Safe safe;
  safe.service.container = state::ContainerRun{};
  safe.make();
  CHECK(safe.mode(safe.folder() / "password") == 0600);
  safe.service.container->user = "999:999";
  safe.make();
  CHECK(safe.mode(safe.folder() / "password") == 0444);
  CHECK(safe.mode(safe.folder() / ".word") == 0600);
  CHECK(safe.mode(safe.folder()) == 0700);
  safe.service.container->user = "";
  safe.make();
  CHECK(safe.mode(safe.folder() / "password") == 0600);
}
