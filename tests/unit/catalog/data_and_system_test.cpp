// SPDX-License-Identifier: Apache-2.0
// The sections "data" and "system" of a manifest.
#include "support/catch.hpp"

#include "las/catalog/manifest.hpp"

using namespace las;
using namespace las::catalog;

namespace {

using Texts = std::vector<std::string>;

const std::string kHead = "name: store\ncategory: service\ndescription: a store\n";
const std::string kSource =
    "variants: [{name: any, sources: [{apt: {packages: [store]}, executables: {store: "
    "/usr/bin/store}}]}]";

Texts faults_of(const std::string& yaml) {
  Diagnostics diagnostics;
  parse_manifest(yaml, "m.yaml", diagnostics);
  Texts out;
  for (const Diagnostic& item : diagnostics.items())
    out.push_back(item.to_string());
  return out;
}

Manifest manifest_of(const std::string& yaml) {
  CHECK(faults_of(yaml) == Texts{});
  Diagnostics diagnostics;
  return *parse_manifest(yaml, "m.yaml", diagnostics);
}

}  // namespace

TEST_CASE("a release says its own format of data, or has the manifest's", "[catalog]") {
  const Manifest manifest =
      manifest_of(kHead + "data: {format: 15}\nreleases:\n- {version: '16', data: {format: 16}, " +
                  kSource + "}\n- {version: '15', " + kSource + "}\n");
  REQUIRE(manifest.releases.size() == 2);
  CHECK(manifest.releases[0].data_format == "16");
  CHECK(manifest.releases[1].data_format == "15");
}

TEST_CASE("a manifest that says nothing of data has no format", "[catalog]") {
  const Manifest manifest = manifest_of(kHead + "releases:\n- {version: '1', " + kSource + "}\n");
  CHECK(manifest.releases.front().data_format.empty());
  CHECK(manifest.system.empty());
}

TEST_CASE("a format of data that could not be part of a folder's name is a fault", "[catalog]") {
  CHECK(
      faults_of(kHead + "version: 1\ndata: {format: ../x}\n") ==
      Texts{
          "m.yaml:5:16: error: data.format: not a word of letters, digits, '.', '_', '+' and '-'"});
  CHECK(faults_of(kHead + "version: 1\ndata: {}\n").size() == 1);
}

TEST_CASE("kernel parameters and accounts are read", "[catalog]") {
  const Manifest manifest = manifest_of(kHead +
                                        "version: 1\nsystem: {sysctl: {vm.max_map_count: 262144}, "
                                        "groups: [render], users: [store]}\n");
  CHECK(manifest.system.sysctl ==
        std::map<std::string, std::string>{{"vm.max_map_count", "262144"}});
  CHECK(manifest.system.groups == Texts{"render"});
  CHECK(manifest.system.users == Texts{"store"});
}

TEST_CASE("every fault of the system section is told", "[catalog]") {
  const Texts faults = faults_of(kHead +
                                 "version: 1\nsystem: {sysctl: {../x: 1, vm.swappiness: many, "
                                 "vm.overcommit: -1}, groups: [Bad, '-x'], "
                                 "users: ['a b'], other: 1}\n");
  REQUIRE(faults.size() == 7);
  const auto told = [&](const std::string& what) {
    for (const std::string& fault : faults) {
      if (fault.find(what) != std::string::npos)
        return true;
    }
    return false;
  };
  CHECK(told("'../x' is not the name of a kernel parameter"));
  CHECK(told("system.sysctl.vm.overcommit: is less than 0"));
  CHECK(told("'Bad' is not the name of an account"));
  CHECK(told("'-x' is not the name of an account"));
  CHECK(told("'a b' is not the name of an account"));
}
