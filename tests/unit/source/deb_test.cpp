// SPDX-License-Identifier: Apache-2.0
#include "deb_bench.hpp"
#include "support/catch.hpp"

using namespace las;
using las::test::DebBench;
using las::test::error_of;
using las::test::listing;
using las::test::read_file;
using Lines = std::vector<std::string>;

TEST_CASE("packages are unpacked only where apt and dpkg are and apt has them", "[source]") {
  DebBench bench({"server", "client"});
  bench.answer("apt-cache policy server client",
               "server:\n  Candidate: 1.2-3\nclient:\n  Candidate: (none)\n");
  CHECK(bench.deb->kind() == "deb");
  CHECK(bench.deb->describe(bench.source) == "server client");
  CHECK(bench.unavailable() == "apt has no package client (after apt-get update it may)");
  bench.processes.answers.clear();
  bench.answer("apt-cache policy", "server:\n  Candidate: 1\nclient:\n  Candidate: 1\n");
  CHECK(bench.unavailable().empty());
  // Nothing is installed: neither root nor the system's own root is needed.
  bench.environment.uid = 1000;
  bench.layout.root = "/target";
  bench.layout.scope = platform::Scope::User;
  CHECK(bench.unavailable().empty());
  for (const char* program : {"dpkg-deb", "apt-cache", "apt-get"}) {
    std::erase(bench.processes.programs, program);
    CHECK(bench.unavailable() == std::string("this distribution has no ") + program);
  }
}

TEST_CASE("the newest version is the candidate of the first package", "[source]") {
  DebBench bench({"server", "client"});
  bench.answer("apt-cache policy server", "server:\n  Candidate: 1.2-3\n");
  CHECK(bench.deb->newest(bench.source, bench.activity) == "1.2-3");
  bench.processes.answers.clear();
  bench.answer("apt-cache policy server", "server:\n  Candidate: (none)\n");
  CHECK(bench.deb->newest(bench.source, bench.activity).empty());
  bench.processes.programs = {};
  CHECK(bench.deb->newest(bench.source, bench.activity).empty());
}

TEST_CASE("what a bare machine lacks is chosen, fetched and unpacked, and nothing is installed",
          "[source]") {
  DebBench bench({"server"});
  bench.deb_source().without = {"perl*"};
  bench.publish("server", "1:1.2-3", {{"usr/bin/server", "program"}});
  bench.publish("libserver", "1.2-3", {{"usr/lib/x86_64-linux-gnu/libserver.so", "library"}});
  bench.simulate({{"libserver", "1.2-3"}, {"perl-modules", "5"}, {"server", "1:1.2-3"}});

  const source::Staged staged = bench.stage();
  const std::string status = (bench.request.staging / "status").string();
  CHECK(bench.processes.log ==
        Lines{"apt-get -s -q -o Dir::State::status=" + status +
                  " -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= --no-install-recommends "
                  "install server",
              "apt-get -q download --print-uris -o Acquire::ForceHash=SHA256 libserver=1.2-3 "
              "server=1:1.2-3",
              "apt-get -q download libserver=1.2-3 server=1:1.2-3",
              "dpkg-deb -x " + bench.download("libserver") + " " + staged.payload.string(),
              "dpkg-deb -x " + bench.download("server") + " " + staged.payload.string()});
  CHECK(bench.status_seen == "Package: dpkg\nEssential: yes\nStatus: install ok installed\n\n");
  CHECK(staged.delivered == "1:1.2-3");
  CHECK(staged.detail == "server");
  CHECK(staged.payload == bench.request.staging / "payload");
  CHECK(staged.store_name.starts_with("db-1_1.2-3-"));
  CHECK_FALSE(staged.external_wanted);
  CHECK(staged.artifacts ==
        std::vector<source::InputArtifact>{{"libserver=1.2-3", bench.digest("libserver")},
                                           {"server=1:1.2-3", bench.digest("server")}});
  CHECK(bench.reporter.lines ==
        Lines{"started deb:db: Unpacking packages server", "finished deb:db"});
  CHECK_FALSE(bench.files->exists(bench.request.staging / "debs"));
  CHECK_FALSE(bench.files->exists(status));
  const auto& variables = bench.processes.commands.front().environment;
  CHECK(variables.at("LC_ALL") == "C");
  CHECK(variables.at("http_proxy") == "http://proxy:3128");
}

TEST_CASE("executables are launchers that know the payload's libraries at their final place",
          "[source]") {
  DebBench bench({"server"});
  bench.source.executables = {{"serve", "usr/bin/server"}};
  bench.publish("server",
                "1",
                {{"usr/bin/server", "program"},
                 {"lib/x86_64-linux-gnu/a.so", "a"},
                 {"usr/lib/x86_64-linux-gnu/b.so", "b"},
                 {"usr/lib/server/c.so", "c"}});
  bench.simulate({{"server", "1"}});
  const source::Staged staged = bench.stage();
  CHECK(staged.executables == std::map<std::string, std::string>{{"serve", ".bin/serve"}});
  const std::string place = (bench.layout.store() / staged.store_name).string();
  CHECK(read_file(staged.payload / ".bin/serve") ==
        "#!/bin/sh\nLD_LIBRARY_PATH=" + place + "/usr/lib/x86_64-linux-gnu:" + place +
            "/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n"
            "export LD_LIBRARY_PATH\nexec " +
            place + "/usr/bin/server \"$@\"\n");
  CHECK((std::filesystem::status(staged.payload / ".bin/serve").permissions() &
         std::filesystem::perms(0111)) == std::filesystem::perms(0111));
}

TEST_CASE("a payload lacks an executable that the manifest names", "[source]") {
  DebBench bench({"server"});
  bench.source.executables = {{"serve", "usr/bin/missing"}};
  bench.publish("server", "1", {{"usr/bin/server", "program"}});
  bench.simulate({{"server", "1"}});
  CHECK(error_of([&] { bench.stage(); }).kind() == ErrorKind::InvalidData);
}

TEST_CASE("in the store nothing has more rights than its caller, and everybody can read it",
          "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1", {{"usr/bin/server", "program"}, {"etc/server/secret", "x"}});
  bench.simulate({{"server", "1"}});
  bench.after_unpacking = [&](const std::filesystem::path& payload) {
    namespace fs = std::filesystem;
    fs::permissions(payload / "usr/bin/server", fs::perms(06755));
    fs::permissions(payload / "etc/server/secret", fs::perms(0640));
    fs::permissions(payload / "etc/server", fs::perms(01700));
    fs::permissions(payload / "usr/bin", fs::perms(02755));
    fs::create_symlink(bench.folder / "outside", payload / "etc/server/link");
  };
  test::write_file(bench.folder / "outside", "of the machine");
  std::filesystem::permissions(bench.folder / "outside", std::filesystem::perms(0600));
  CHECK(listing(bench.stage().payload) ==
        Lines{"etc/ 0755",
              "etc/server/ 0755",
              "etc/server/link -> " + (bench.folder / "outside").string(),
              "etc/server/secret 0644 x",
              "usr/ 0755",
              "usr/bin/ 0755",
              "usr/bin/server 0755 program"});
  CHECK(std::filesystem::status(bench.folder / "outside").permissions() ==
        std::filesystem::perms(0600));
}

TEST_CASE("what apt fetched has to be what its index names", "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1", {{"usr/bin/server", "program"}});
  bench.simulate({{"server", "1"}});
  bench.packages.at("server").bytes += "tampered";
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(std::string(error.what()) ==
        "what apt fetched is not the file that its index names: server=1");
  CHECK(bench.reporter.lines.back() == "failed deb:db");
  CHECK(bench.processes.log.back().starts_with("apt-get -q download"));
}

TEST_CASE("a package whose digest apt does not tell is not unpacked", "[source]") {
  DebBench bench({"server"});
  bench.simulate({{"server", "1"}});
  bench.answer("--print-uris", "'http://x/server.deb' server_1_amd64.deb 3 MD5Sum:00\n");
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Io);
  CHECK(error.message() == "apt does not say what the package's file has to be");
  CHECK(error.cause() == "server=1");
}

TEST_CASE("a payload that is in the store is not fetched again", "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1", {{"usr/bin/server", "program"}});
  bench.simulate({{"server", "1"}});
  std::string asked;
  bench.request.in_store = [&](const std::string& name) {
    asked = name;
    return true;
  };
  const source::Staged staged = bench.stage();
  CHECK(asked == staged.store_name);
  CHECK(staged.payload.empty());
  CHECK(staged.artifacts.size() == 1);
  CHECK(bench.processes.log.size() == 2);
  CHECK(bench.reporter.lines.empty());
}

TEST_CASE("the name in the store follows from packages, bytes and executables", "[source]") {
  const auto name = [](const std::string& bytes, const std::string& executable) {
    DebBench bench({"server"});
    bench.publish("server", "1", {{"usr/bin/server", bytes}});
    bench.simulate({{"server", "1"}});
    bench.source.executables = {{executable, "usr/bin/server"}};
    return bench.stage().store_name;
  };
  CHECK(name("program", "serve") == name("program", "serve"));
  CHECK(name("program", "serve") != name("another", "serve"));
  CHECK(name("program", "serve") != name("program", "server"));
}

TEST_CASE("a source is bound to the packages, versions and digests of a lock", "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1:1.2", {{"usr/bin/server", "program"}});
  bench.publish("libserver", "1.2", {{"usr/lib/libserver.so", "library"}});
  const std::vector<source::InputArtifact> lock{{"libserver=1.2", bench.digest("libserver")},
                                                {"server=1:1.2", bench.digest("server")}};
  bench.source = bench.deb->bound_to(bench.source, lock);
  CHECK(bench.deb_source().versions ==
        std::map<std::string, std::string>{{"libserver", "1.2"}, {"server", "1:1.2"}});
  CHECK(bench.deb->bound_to(bench.source, lock) == bench.source);
  // What apt would choose now is not asked.
  CHECK(bench.stage().artifacts == lock);
  CHECK(bench.processes.log.front() ==
        "apt-get -q download --print-uris -o Acquire::ForceHash=SHA256 libserver=1.2 server=1:1.2");
}

TEST_CASE("bytes other than the lock's are refused before they are fetched", "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1", {{"usr/bin/server", "program"}});
  bench.source =
      bench.deb->bound_to(bench.source, {{"server=1", platform::digest_of("other bytes")}});
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(std::string(error.what()) == "apt has other bytes for this version: server=1");
  CHECK(bench.processes.log.size() == 1);
}

TEST_CASE("a lock that names no packages, or not this one, binds nothing", "[source]") {
  DebBench bench({"server"});
  const auto fault = [&](const std::vector<source::InputArtifact>& lock) {
    const Error error = error_of([&] { (void)bench.deb->bound_to(bench.source, lock); });
    CHECK(error.kind() == ErrorKind::Unsatisfiable);
    return std::string(error.what());
  };
  CHECK(fault({}) == "the lock lacks a package: server");
  CHECK(fault({{"client=1", platform::digest_of("x")}}) == "the lock lacks a package: server");
  CHECK(fault({{"https://host/a.tar", platform::digest_of("x")}}) ==
        "the lock names no package there: https://host/a.tar");
}

TEST_CASE("a package that belongs to every machine cannot be brought", "[source]") {
  DebBench bench({"dpkg"});
  bench.simulate({});
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Unsatisfiable);
  CHECK(std::string(error.what()) == "apt counts this package as a part of every machine: dpkg");
}

TEST_CASE("without a network another source may be tried", "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1", {{"usr/bin/server", "program"}});
  bench.simulate({{"server", "1"}});
  bench.answer_first("apt-get -q download server=1", test::recorded::kConnectionRefused, 100);
  CHECK(error_of([&] { bench.stage(); }).kind() == ErrorKind::Network);
}

TEST_CASE("a package that cannot be unpacked is told in dpkg's words", "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1", {{"usr/bin/server", "program"}});
  bench.simulate({{"server", "1"}});
  bench.processes.answers.insert(
      bench.processes.answers.begin(),
      {"dpkg-deb -x", {2, "", "dpkg-deb: error: not a Debian format archive\n"}, false});
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Io);
  CHECK(std::string(error.what()) ==
        "a package cannot be unpacked: server=1: dpkg-deb: error: not a Debian format archive");
}

TEST_CASE("a wish to stop ends the unpacking between two packages", "[source]") {
  DebBench bench({"server"});
  bench.publish("server", "1", {{"usr/bin/server", "program"}});
  bench.simulate({{"server", "1"}});
  bench.after_unpacking = [&](const std::filesystem::path&) { bench.cancellation.request(2); };
  CHECK(error_of([&] { bench.stage(); }).kind() == ErrorKind::Interrupted);
  CHECK(bench.reporter.lines.back() == "failed deb:db");
}
