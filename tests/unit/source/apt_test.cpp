// SPDX-License-Identifier: Apache-2.0
#include "apt_recordings.hpp"
#include "source_bench.hpp"
#include "support/catch.hpp"

using namespace las;
using las::test::error_of;
namespace recorded = las::test::recorded;
using Lines = std::vector<std::string>;

namespace {

const std::string kAct =
    "apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0"
    " -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold ";
const std::string kSimulate = "apt-get -s -q -y install --no-install-recommends --no-upgrade ";
const std::string kQuery =
    R"(dpkg-query -W -f ${Package}\t${Architecture}\t${db:Status-Status}\t${Version}\n -- )";
const std::string kRemove = "remove -o APT::Get::AutomaticRemove=false ";

/// The apt source over a script, as root on "/".
struct Bench : test::SourceBench {
  Lines journal;
  std::unique_ptr<source::SourceKind> apt = source::make_apt_source(surroundings());

  explicit Bench(Lines packages) {
    environment.variables = {{"http_proxy", "http://proxy:3128"}, {"LC_ALL", "de_DE.UTF-8"}};
    processes.programs = {"apt-get", "apt-cache", "dpkg-query"};
    source.how = catalog::AptSource{std::move(packages)};
    request.module = "tool";
    request.version = "1";
    request.staging = folder.path();
    request.journal_external = [this](const std::string& before, const std::string& wanted) {
      processes.log.push_back("JOURNAL");
      journal = {before, wanted};
    };
  }

  void answer(std::string part, std::string out, int status = 0, bool once = false) {
    processes.answers.push_back({std::move(part), {status, std::move(out), ""}, once});
  }

  std::string unavailable() { return apt->unavailable(source, activity); }

  source::Staged stage() { return apt->stage(request, activity); }
};

const std::string kBefore = R"({"versions":{"tree":""}})";
const std::string kWanted = R"({"installed":["tree"],"packages":["tree"],"upgraded":{}})";

}  // namespace

TEST_CASE("the distribution's packages are offered only where they can be installed", "[source]") {
  Bench bench({"jq", "tree"});
  bench.answer("apt-cache policy jq tree", recorded::kPolicy);
  CHECK(bench.apt->kind() == "apt");
  CHECK(bench.apt->describe(bench.source) == "jq tree");
  CHECK(bench.unavailable().empty());

  bench.layout.root = "/target";
  CHECK(bench.unavailable() == "the distribution's packages cannot be installed below --root");
  bench.layout.root = "/";
  bench.layout.scope = platform::Scope::User;
  CHECK(bench.unavailable() == "the distribution's packages cannot be installed for one user");
  bench.layout.scope = platform::Scope::System;
  bench.environment.uid = 1000;
  CHECK(bench.unavailable() == "installing the distribution's packages needs root");
  bench.environment.uid = 0;
  bench.processes.programs = {"apt-get", "dpkg-query"};
  CHECK(bench.unavailable() == "this distribution has no apt-cache");
}

TEST_CASE("a package without a candidate is not available", "[source]") {
  Bench bench({"tree", "mail-transport-agent"});
  bench.answer("apt-cache policy tree mail-transport-agent", recorded::kPolicy);
  CHECK(bench.unavailable() ==
        "apt has no package mail-transport-agent (after apt-get update it may)");
}

TEST_CASE("packages are downloaded, journaled and only then installed", "[source]") {
  Bench bench({"tree"});
  test::write_file(bench.folder / "bin/tree", "");
  std::filesystem::permissions(bench.folder / "bin/tree", std::filesystem::perms(0755));
  bench.source.executables = {{"tree", (bench.folder / "bin/tree").string()}};
  bench.answer("apt-get -s", recorded::kInstallTree);
  bench.answer("dpkg-query", "", 1, true);
  bench.answer("dpkg-query", "tree\tamd64\tinstalled\t2.1.0-1\n");
  bench.answer("--download-only", "");
  bench.answer("--no-download", "");

  const source::Staged staged = bench.stage();
  CHECK(
      bench.processes.log ==
      Lines{kSimulate + "tree",
            kQuery + "tree",
            kAct + "install --no-install-recommends --no-upgrade --no-remove --download-only tree",
            "JOURNAL",
            kAct + "install --no-install-recommends --no-upgrade --no-remove --no-download tree",
            kQuery + "tree"});
  CHECK(bench.journal == Lines{kBefore, kWanted});
  CHECK(staged.external_before == kBefore);
  CHECK(staged.external_wanted == kWanted);
  CHECK(staged.delivered == "2.1.0-1");
  CHECK(staged.detail == "tree");
  CHECK(staged.payload.empty());
  CHECK(staged.store_name.empty());
  CHECK(staged.executables == bench.source.executables);
  CHECK(bench.reporter.lines ==
        Lines{"started apt:tool: Installing packages tree", "finished apt:tool"});
  const auto& variables = bench.processes.commands.front().environment;
  CHECK(variables == std::map<std::string, std::string>{
                         {"APT_LISTCHANGES_FRONTEND", "none"},
                         {"DEBIAN_FRONTEND", "noninteractive"},
                         {"LC_ALL", "C"},
                         {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                         {"http_proxy", "http://proxy:3128"}});
}

TEST_CASE("packages that are there already are left alone", "[source]") {
  Bench bench({"jq"});
  bench.answer("apt-get -s", recorded::kInstallNothing);
  bench.answer("dpkg-query", "jq\tamd64\tinstalled\t1.6-2.1+deb12u1\n");
  const source::Staged staged = bench.stage();
  CHECK(staged.delivered == "1.6-2.1+deb12u1");
  CHECK(staged.external_before == R"({"versions":{"jq":"1.6-2.1+deb12u1"}})");
  CHECK(staged.external_wanted == R"({"installed":[],"packages":["jq"],"upgraded":{}})");
  CHECK(bench.journal.empty());
  CHECK(bench.processes.log == Lines{kSimulate + "jq", kQuery + "jq", kQuery + "jq"});
}

TEST_CASE("an install that would remove packages is refused before anything happens", "[source]") {
  Bench bench({"sysvinit-core"});
  bench.answer("apt-get -s", recorded::kInstallRemoves);
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Unsatisfiable);
  CHECK(std::string(error.what()) ==
        "the distribution's packages could only be installed by removing others: sysvinit-core: "
        "packagekit-tools systemd-sysv");
  CHECK(bench.journal.empty());
  CHECK(bench.processes.log == Lines{kSimulate + "sysvinit-core"});
}

TEST_CASE("without a network nothing is journaled and another source may be tried", "[source]") {
  Bench bench({"tree"});
  bench.answer("apt-get -s", recorded::kInstallTree);
  bench.answer("dpkg-query", "", 1);
  bench.answer("--download-only", recorded::kConnectionRefused, 100);
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(bench.journal.empty());
  CHECK(bench.reporter.lines.back() == "failed apt:tool");
}

TEST_CASE("a wish to stop during the change is obeyed after it", "[source]") {
  Bench bench({"tree"});
  bench.answer("apt-get -s", recorded::kInstallTree);
  bench.answer("dpkg-query", "", 1);
  bench.answer("--download-only", "");
  bench.answer("--no-download", "");
  bench.request.journal_external = [&](const std::string&, const std::string&) {
    bench.cancellation.request(2);
  };
  CHECK(error_of([&] { bench.stage(); }).kind() == ErrorKind::Interrupted);
  CHECK(bench.processes.log.back() ==
        kAct + "install --no-install-recommends --no-upgrade --no-remove --no-download tree");
}

TEST_CASE("packages without the promised executable fail the stage", "[source]") {
  Bench bench({"jq"});
  bench.source.executables = {{"jq", (bench.folder / "missing").string()}};
  bench.answer("apt-get -s", recorded::kInstallNothing);
  bench.answer("dpkg-query", "jq\tamd64\tinstalled\t1.6\n");
  const Error error = error_of([&] { bench.stage(); });
  CHECK(error.kind() == ErrorKind::InvalidData);
  CHECK(error.message() == "the packages lack an executable that the manifest names");
}

TEST_CASE("undoing removes what the change brought, without purging", "[source]") {
  Bench bench({"tree"});
  bench.cancellation.request(2);  // undoing goes on all the same
  bench.answer("dpkg-query", "tree\tamd64\tinstalled\t2.1.0-1\n");
  bench.answer("apt-mark showmanual tree", "tree\n");
  bench.answer("dpkg --audit", "");
  bench.answer("apt-get check", "");
  bench.answer("apt-get -s", recorded::kRemoveTree);
  bench.answer(kAct, "");
  bench.apt->undo_external(kBefore, kWanted, {}, bench.activity);
  CHECK(bench.processes.log == Lines{kQuery + "tree",
                                     "apt-mark showmanual tree",
                                     "dpkg --audit",
                                     "apt-get check -q",
                                     "apt-get -s -q -y " + kRemove + "tree",
                                     kAct + kRemove + "tree"});
}

TEST_CASE("undoing twice or undoing nothing does nothing", "[source]") {
  Bench bench({"tree"});
  bench.answer("dpkg-query", "tree\tamd64\tconfig-files\t2.1.0-1\n");
  bench.apt->undo_external(kBefore, kWanted, {}, bench.activity);
  CHECK(bench.processes.log == Lines{kQuery + "tree"});
  bench.processes.log.clear();
  bench.apt->undo_external("{}", R"({"installed":[],"packages":["jq"]})", {}, bench.activity);
  CHECK(bench.processes.log.empty());
}

TEST_CASE("packages that are not installed are named, also half-removed ones", "[source]") {
  Bench bench({"tree", "jq", "mc"});
  bench.answer("dpkg-query", "tree\tamd64\tinstalled\t2.1.0-1\njq\tamd64\tconfig-files\t1.6\n");
  CHECK(bench.apt->absent(bench.source, bench.activity) == Lines{"jq", "mc"});
}

TEST_CASE("undoing keeps packages that another module asked for too", "[source]") {
  Bench bench({"tree"});
  bench.answer("dpkg-query", "tree\tamd64\tinstalled\t2.1.0-1\n");
  bench.answer("apt-mark showmanual tree", "tree\n");
  bench.apt->undo_external(kBefore, kWanted, {kWanted}, bench.activity);
  CHECK(bench.processes.log == Lines{kQuery + "tree", "apt-mark showmanual tree"});
}

TEST_CASE(
    "what a module needs of packages that another brought is handed over as a record of its own",
    "[source]") {
  Bench bench({"tree"});
  const std::string brought =
      R"({"installed":["jq","libjq1","tree"],"packages":["jq","tree"],"upgraded":{}})";
  const auto part = [&](const std::string& needed_by) {
    return bench.apt->inherited(brought, needed_by);
  };
  // jq goes with the module that leaves; libjq1 may be what tree stands on.
  CHECK(part(R"({"installed":[],"packages":["sl","tree"]})") ==
        R"({"installed":["libjq1","tree"],"packages":["tree"],"upgraded":{}})");
  CHECK(part(R"({"installed":["sl"],"packages":["libjq1"]})") ==
        R"({"installed":["libjq1"],"packages":["libjq1"],"upgraded":{}})");
  CHECK(part(R"({"installed":[],"packages":["sl"]})").empty());
  CHECK(error_of([&] { part("x"); }).kind() == ErrorKind::CorruptState);
  CHECK(bench.processes.log.empty());
}

TEST_CASE("packages that were there before are handed over to nobody", "[source]") {
  Bench bench({"tree"});
  CHECK(bench.apt->inherited(R"({"installed":[],"packages":["tree"]})", kWanted).empty());
}

TEST_CASE("undoing keeps packages that were there, or that the administrator took over",
          "[source]") {
  Bench bench({"jq"});
  bench.answer("dpkg-query", "jq\tamd64\tinstalled\t1.6\nlibonig5\tamd64\tinstalled\t6.9\n");
  bench.answer("apt-mark showmanual libonig5", "libonig5\n");
  bench.apt->undo_external(R"({"versions":{"jq":"1.6","libonig5":""}})",
                           R"({"installed":["jq","libonig5"],"packages":["jq"]})",
                           {},
                           bench.activity);
  CHECK(bench.processes.log.back() == "apt-mark showmanual libonig5");
}

TEST_CASE("undoing leaves and names a package that something else needs now", "[source]") {
  Bench bench({"libjq1", "tree"});
  bench.answer("dpkg-query", "libjq1\tamd64\tinstalled\t1.6\ntree\tamd64\tinstalled\t2.1.0-1\n");
  bench.answer("apt-mark", "libjq1\ntree\n");
  bench.answer("dpkg --audit", "");
  bench.answer("apt-get check", "");
  bench.answer("=false libjq1", recorded::kRemoveLibrary);
  bench.answer("apt-get -s -q -y " + kRemove + "tree", recorded::kRemoveTree);
  bench.answer(kAct, "");
  bench.apt->undo_external(
      "{}", R"({"installed":["libjq1","tree"],"packages":["libjq1","tree"]})", {}, bench.activity);
  CHECK(bench.reporter.lines == Lines{"package libjq1 stays: other packages need it now"});
  CHECK(bench.processes.log.back() == kAct + kRemove + "tree");
}

TEST_CASE("undoing after a kill lets dpkg finish first", "[source]") {
  Bench bench({"tree"});
  bench.answer("dpkg-query", "tree\tamd64\tunpacked\t2.1.0-1\n");
  bench.answer("apt-mark", "");
  bench.answer("dpkg --audit",
               "The following packages have been unpacked but not yet configured.\n");
  bench.answer("dpkg --configure -a", "");
  bench.answer("apt-get -s", recorded::kRemoveTree);
  bench.answer(kAct, "");
  bench.apt->undo_external(kBefore, kWanted, {}, bench.activity);
  CHECK(bench.processes.log[3] == "dpkg --configure -a --force-confdef --force-confold");
  CHECK(bench.processes.log.back() == kAct + kRemove + "tree");
}

TEST_CASE("verifying names each package that is no longer installed", "[source]") {
  Bench bench({"tree"});
  bench.answer("dpkg-query", "tree\tamd64\tconfig-files\t2.1.0-1\njq\tamd64\tinstalled\t1.6\n", 1);
  CHECK(bench.apt->verify_external(R"({"packages":["jq","sl","tree"]})", bench.activity) ==
        Lines{"package sl is not-installed in dpkg's records",
              "package tree is config-files in dpkg's records"});
  CHECK(bench.apt->verify_external(R"({"packages":["jq"]})", bench.activity).empty());
}

TEST_CASE("a damaged record of an apt change is corrupt state", "[source]") {
  Bench bench({"tree"});
  CHECK(error_of([&] { bench.apt->undo_external("{}", "x", {}, bench.activity); }).kind() ==
        ErrorKind::CorruptState);
  CHECK(error_of([&] {
          bench.apt->verify_external(R"({"packages":[1]})", bench.activity);
        }).kind() == ErrorKind::CorruptState);
}

TEST_CASE("the versions of the packages that a change asked for are dpkg's", "[source]") {
  Bench bench({"tree"});
  bench.answer("dpkg-query", "tree\tamd64\tconfig-files\t2.1.0-1\njq\tamd64\tinstalled\t1.6\n", 1);
  CHECK(bench.apt->versions(R"({"packages":["jq","sl","tree"],"installed":["libjq1"]})",
                            bench.activity) ==
        std::map<std::string, std::string>{{"jq", "1.6"}, {"sl", ""}, {"tree", ""}});
  CHECK(bench.apt->versions(R"({"packages":[]})", bench.activity).empty());
  CHECK(bench.apt->bound_to(bench.source, {}) == bench.source);
  CHECK(error_of([&] {
          (void)bench.apt->bound_to(bench.source, {{"x", platform::digest_of("x")}});
        }).kind() == ErrorKind::Unsatisfiable);
}
