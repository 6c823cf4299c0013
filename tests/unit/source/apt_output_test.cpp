// SPDX-License-Identifier: Apache-2.0
#include "apt_output.hpp"

#include "apt_recordings.hpp"
#include "support/catch.hpp"

using namespace las;
using namespace las::source;
namespace recorded = las::test::recorded;

TEST_CASE("a simulated install tells what it brings", "[source]") {
  const AptChanges changes = parse_apt_simulation(recorded::kInstallFour);
  CHECK(changes.installed ==
        std::map<std::string, std::string>{{"libjemalloc2", "5.3.0-1"},
                                           {"liblzf1", "3.6-3"},
                                           {"redis-server", "5:7.0.15-1~deb12u10"},
                                           {"redis-tools", "5:7.0.15-1~deb12u10"}});
  CHECK(changes.upgraded.empty());
  CHECK(changes.removed.empty());
}

TEST_CASE("a simulated upgrade tells both versions", "[source]") {
  const AptChanges changes = parse_apt_simulation(recorded::kUpgradeTwo);
  CHECK(changes.installed.empty());
  CHECK(changes.upgraded == std::map<std::string, AptChanges::Upgrade>{
                                {"jq", {"1.6-2.1+deb12u1", "1.6-2.1+deb12u3"}},
                                {"libjq1", {"1.6-2.1+deb12u1", "1.6-2.1+deb12u3"}}});
}

TEST_CASE("a simulated removal tells all that would go", "[source]") {
  const AptChanges changes = parse_apt_simulation(recorded::kRemoveLibrary);
  CHECK(changes.removed == std::map<std::string, std::string>{{"jq", "1.6-2.1+deb12u1"},
                                                              {"libjq1", "1.6-2.1+deb12u1"},
                                                              {"yq", "3.1.0-3"}});
  CHECK(changes.installed.empty());
}

TEST_CASE("only packages with a candidate are offered", "[source]") {
  CHECK(parse_apt_candidates(recorded::kPolicy) ==
        std::map<std::string, std::string>{{"jq", "1.6-2.1+deb12u3"}, {"tree", "2.1.0-1"}});
  CHECK(parse_apt_candidates("").empty());
}

TEST_CASE("dpkg's rows are read by name and by architecture", "[source]") {
  const auto packages = parse_dpkg_status(
      "libjq1\tamd64\tinstalled\t1.6-2.1\nlibjq1\ti386\tconfig-files\t1.5\n"
      "tree\tamd64\thalf-configured\t2.1.0-1\nold\ti386\tnot-"
      "installed\t\nold\tall\tinstalled\t1\n");
  CHECK(packages.at("libjq1") == PackageStatus{"installed", "1.6-2.1"});
  CHECK(packages.at("libjq1:i386") == PackageStatus{"config-files", "1.5"});
  CHECK(packages.at("old") == PackageStatus{"installed", "1"});
  CHECK(packages.at("tree").present());
  CHECK_FALSE(packages.at("tree").installed());
  CHECK_FALSE(packages.at("libjq1:i386").present());
  CHECK_FALSE(packages.contains("missing"));
}

TEST_CASE("apt's failures are told apart by what can be done next", "[source]") {
  const auto failure = [](std::string_view output) {
    return apt_failure(output, "apt-get failed", "tree");
  };
  const Error refused = failure(recorded::kConnectionRefused);
  CHECK(refused.kind() == ErrorKind::Network);
  CHECK(std::string(refused.what()) ==
        "apt-get failed: tree: Failed to fetch http://mirror.example/debian/pool/main/t/tree/"
        "tree_2.1.0-1_amd64.deb  Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: "
        "Connection refused); Some files failed to download");
  CHECK(failure(recorded::kUnknownHost).kind() == ErrorKind::Network);

  const Error locked = failure(recorded::kLocked);
  CHECK(locked.kind() == ErrorKind::Busy);
  CHECK(locked.cause().find("It is held by process 9173 (python3)") != std::string::npos);

  const Error unknown = failure("E: Unable to locate package nosuch-xyz\n");
  CHECK(unknown.kind() == ErrorKind::NotFound);
  CHECK(unknown.hint() == "apt-get update");

  const Error stale =
      failure("E: Failed to fetch http://deb/x.deb  404  Not Found [IP: 1.2.3.4 80]\n");
  CHECK(stale.kind() == ErrorKind::Network);
  CHECK(stale.hint() == "apt-get update");

  const Error half = failure(
      "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the "
      "problem.\n");
  CHECK(half.kind() == ErrorKind::Io);
  CHECK(half.hint() == "dpkg --configure -a");

  CHECK(failure("E: Failed to fetch http://deb/x.deb  Hash Sum mismatch\n").kind() ==
        ErrorKind::Integrity);
  CHECK(failure("E: You don't have enough free space in /var/cache/apt/archives/.\n").kind() ==
        ErrorKind::NoSpace);
  const Error other = failure("dpkg: error processing archive\nSub-process returned 1\n");
  CHECK(other.kind() == ErrorKind::Io);
  CHECK(other.cause() == "Sub-process returned 1");
}
