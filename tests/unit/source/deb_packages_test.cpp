// SPDX-License-Identifier: Apache-2.0
#include "deb_packages.hpp"

#include "support/catch.hpp"
#include "support/temp_directory.hpp"

#include "las/platform/file_system.hpp"
#include "las/platform/process.hpp"

using namespace las;
using namespace las::source;
using Lines = std::vector<std::string>;

namespace {

std::string stanza(const std::string& name,
                   const std::string& more = {},
                   const std::string& status = "install ok installed") {
  return "Package: " + name + "\nStatus: " + status + "\nVersion: 1\n" + more + "\n";
}

/// The names of the packages in a list.
Lines names_in(const std::string& status) {
  Lines names;
  for (std::size_t at = 0; (at = status.find("Package: ", at)) != std::string::npos; ++at)
    if (at == 0 || status[at - 1] == '\n')
      names.push_back(status.substr(at + 9, status.find('\n', at) - at - 9));
  return names;
}

/// Runs a script as the kernel would; its output.
std::string run(const std::filesystem::path& script,
                const Lines& arguments,
                std::map<std::string, std::string> environment) {
  const auto processes = platform::make_posix_process_runner();
  platform::Command command;
  command.argv = {"/bin/sh", script.string()};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = std::move(environment);
  NullReporter reporter;
  const Cancellation cancellation;
  const auto result =
      processes->run(command, Activity{reporter, cancellation}, std::chrono::milliseconds(20000));
  CHECK(result.err.empty());
  return result.out;
}

}  // namespace

TEST_CASE("a bare machine has what is essential or required and what that needs", "[source]") {
  const std::string status =
      stanza("dpkg", "Essential: yes\nDepends: tar (>= 1.28), libc6:any\n") +
      stanza("passwd", "Priority: required\nPre-Depends: libpam\n") + stanza("tar") +
      stanza("libc6", "Depends: libgcc\n") + stanza("libgcc") + stanza("libpam") +
      stanza("editor", "Priority: important\nDepends: libeditor\n") + stanza("libeditor");
  CHECK(names_in(bare_machine(status)) ==
        Lines{"dpkg", "passwd", "tar", "libc6", "libgcc", "libpam"});
}

TEST_CASE("what is recommended is no part of a bare machine", "[source]") {
  CHECK(names_in(
            bare_machine(stanza("a", "Essential: yes\nRecommends: b\nSuggests: c\nEnhances: d\n") +
                         stanza("b") + stanza("c") + stanza("d"))) == Lines{"a"});
}

TEST_CASE("a dependency counts by what provides it, and of alternatives whichever is there",
          "[source]") {
  CHECK(names_in(bare_machine(stanza("a", "Essential: yes\nDepends: awk, x | mailer, none\n") +
                              stanza("mawk", "Provides: awk (= 1), other\n") + stanza("mailer") +
                              stanza("other"))) == Lines{"a", "mawk", "mailer"});
}

TEST_CASE("only what is installed is on a bare machine", "[source]") {
  CHECK(bare_machine(stanza("a", "Essential: yes\n", "deinstall ok config-files") +
                     stanza("b", "Essential: yes\n", "install ok half-installed") +
                     stanza("c", "Essential: yes\n", "purge ok not-installed"))
            .empty());
  CHECK(names_in(bare_machine(stanza("a", "Essential: yes\n", "hold ok installed"))) == Lines{"a"});
}

TEST_CASE("packages that need each other are each named once", "[source]") {
  CHECK(names_in(bare_machine(stanza("a", "Essential: yes\nDepends: b\n") +
                              stanza("b", "Depends: a, c\n") + stanza("c", "Depends: b\n"))) ==
        Lines{"a", "b", "c"});
}

TEST_CASE("the list of a bare machine has its packages word for word", "[source]") {
  const std::string whole =
      "Package: a\nEssential: yes\nStatus: install ok installed\n"
      "Description: one\n Package: not this\n .\n more: text\n\n";
  CHECK(bare_machine(whole + stanza("b")) == whole);
  CHECK(bare_machine(whole.substr(0, whole.size() - 2)) == whole);
}

TEST_CASE("field names are dpkg's whatever their case, and damage is passed over", "[source]") {
  CHECK(names_in(bare_machine("Package: a\nESSENTIAL: yes\nstatus: install ok installed\n\n")) ==
        Lines{"a"});
  CHECK(bare_machine("").empty());
  CHECK(bare_machine("\n\n\n\n").empty());
  CHECK(bare_machine("no fields at all\n\n: \n\nEssential: yes\n\n").empty());
}

TEST_CASE("what apt would download is read with its digest", "[source]") {
  // As apt 2.6.1 of Debian 12 printed it.
  CHECK(parse_print_uris("Reading package lists...\n"
                         "'http://deb.debian.org/debian/pool/main/t/tree/tree_2.1.0-1_amd64.deb' "
                         "tree_2.1.0-1_amd64.deb 52464 "
                         "SHA256:4c0dc6088e801285717bae2a98a7672f1e4d2eed4e918355987bc6617a8f490b\n"
                         "'http://deb.debian.org/debian/pool/main/r/redis/redis_7.0.15-1_all.deb' "
                         "redis_5%3a7.0.15-1_all.deb 1 SHA256:00\n") ==
        std::vector<DebFile>{{"tree_2.1.0-1_amd64.deb",
                              "4c0dc6088e801285717bae2a98a7672f1e4d2eed4e918355987bc6617a8f490b"},
                             {"redis_5%3a7.0.15-1_all.deb", "00"}});
}

TEST_CASE("a download without a SHA-256 has no digest, and other lines are none", "[source]") {
  CHECK(parse_print_uris("'http://x/a.deb' a_1_all.deb 1 MD5Sum:00\n") ==
        std::vector<DebFile>{{"a_1_all.deb", ""}});
  CHECK(parse_print_uris("'http://x/a.deb' a_1_all.deb 1 \n") ==
        std::vector<DebFile>{{"a_1_all.deb", ""}});
  CHECK(parse_print_uris("'http://x/it's' here' a_1_all.deb 1 SHA256:01\n") ==
        std::vector<DebFile>{{"a_1_all.deb", "01"}});
  CHECK(parse_print_uris("").empty());
  CHECK(parse_print_uris("E: Unable to locate package x\n'unclosed a 1 SHA256:00\n").empty());
}

TEST_CASE("a package matches a name, or the beginning of one", "[source]") {
  CHECK(matches_any("perl", {"python3", "perl"}));
  CHECK_FALSE(matches_any("perl-base", {"perl"}));
  CHECK(matches_any("perl-base", {"perl*"}));
  CHECK(matches_any("perl", {"perl*"}));
  CHECK_FALSE(matches_any("libperl", {"perl*"}));
  CHECK(matches_any("anything", {"*"}));
  CHECK_FALSE(matches_any("anything", {}));
}

TEST_CASE("a launcher starts its program with the payload's libraries before the caller's",
          "[source]") {
  const test::TempDirectory directory;
  const auto program = directory.write("it's $HOME/100% `x`/tool",
                                       "#!/bin/sh\nprintf '<%s>' \"$LD_LIBRARY_PATH\" \"$@\"\n");
  std::filesystem::permissions(program, std::filesystem::perms(0755));
  const auto script =
      directory.write("run", launcher(program.string(), {"/store/a b/lib", "/store/it's"}));
  CHECK(run(script, {"two words", "", "$x", "'"}, {}) ==
        "</store/a b/lib:/store/it's><two words><><$x><'>");
  CHECK(run(script, {}, {{"LD_LIBRARY_PATH", "/mine"}}) == "</store/a b/lib:/store/it's:/mine>");
}

TEST_CASE("a launcher becomes its program and leaves no shell behind", "[source]") {
  CHECK(launcher("/store/x/bin/tool", {"/store/x/lib"}) ==
        "#!/bin/sh\n"
        "LD_LIBRARY_PATH=/store/x/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\n"
        "export LD_LIBRARY_PATH\n"
        "exec /store/x/bin/tool \"$@\"\n");
}

TEST_CASE("a payload without libraries never makes the loader look into the working directory",
          "[source]") {
  const test::TempDirectory directory;
  const auto program =
      directory.write("tool", "#!/bin/sh\nprintf '<%s>' \"${LD_LIBRARY_PATH-none}\"\n");
  std::filesystem::permissions(program, std::filesystem::perms(0755));
  const auto script = directory.write("run", launcher(program.string(), {}));
  // An empty folder in the list is the working directory: ld.so(8).
  CHECK(run(script, {}, {{"LD_LIBRARY_PATH", "/mine"}}) == "</mine>");
}
