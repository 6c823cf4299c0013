// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/manifest.hpp"

#include "support/catch.hpp"

#include <fstream>
#include <sstream>

using namespace las;
using namespace las::catalog;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

Texts faults_of(const std::string& yaml) {
  Diagnostics diagnostics;
  const auto manifest = parse_manifest(yaml, "m.yaml", diagnostics);
  CHECK(manifest.has_value() != diagnostics.has_errors());
  Texts out;
  for (const auto& item : diagnostics.items())
    out.push_back(item.to_string());
  return out;
}

Manifest manifest_of(const std::string& yaml) {
  CHECK(faults_of(yaml) == Texts{});
  Diagnostics diagnostics;
  return parse_manifest(yaml, "m.yaml", diagnostics).value();
}

const std::string kHead = "name: tiny\ncategory: tool\n";

// A manifest of one archive source, to which `more` is added below the source.
std::string with_source(const std::string& more) {
  return kHead +
         "releases:\n"
         "- version: 1.0\n"
         "  variants:\n"
         "  - name: cpu\n"
         "    sources:\n"
         "    - archive: {url: https://example.org/a.tgz, digest: " +
         kDigest + "}\n" + more;
}

const std::string kFull = R"(
schema: 1
name: full-engine
category: runtime
version: 2.0.0
description: {en: An engine, zh: 引擎}
license: MIT
homepage: https://example.org/engine
deprecated: true
hardware:
  cpu: {cores_min: 4, features: [avx2, fma], architectures: [x86_64, aarch64]}
  memory: {ram_min: 16GB}
  gpu:
    vram_min: 8GB
    multi_gpu: true
    vendor: nvidia
    compute_capability_min: "7.5"
    driver_min: 580
    cuda_min: "13.0"
  glibc_min: "2.35"
dependencies:
  system: [libgomp1, g++]
  modules: [base, "tools@>=1.2.3,<2"]
  runtime: [python3]
  capabilities: [vector-store]
  optional: ["ui@^3"]
runtime: {modes: [container, native], preferred: native}
interfaces: {provides: [openai-api], consumes: [database]}
integrity:
  checksum: )" + kDigest + R"(
  signature: abc
conflicts: ["old-engine@<1"]
options:
- {name: threads, type: integer, description: CPU threads, default: 4}
- {name: mode, type: choice, choices: [fast, exact], default: fast}
- {name: cache, type: size, default: 2GB}
- {name: debug, type: boolean, default: false}
- {name: label}
releases:
- version: 1.9.0
  date: 2026-02-28
  dependencies: {modules: [base-old]}
  variants:
  - name: cpu
    sources:
    - apt: {packages: [engine, engine-tools]}
      executables: {engine: /usr/bin/engine}
- version: 2.0.0
  variants:
  - name: cuda12
    priority: 50
    hardware: {gpu: {vendor: nvidia}}
    sources:
    - archive:
        parts:
        - url: [https://example.org/a.tar.zst, https://mirror.example.org/a.tar.zst]
          digest: )" + kDigest +
                          R"(
          size: 1234
          strip: 1
        - url: https://example.org/b.zip
          checksum: {url: https://example.org/SHA256SUMS, format: sums}
          into: lib/extra
      executables: {engine: bin/engine}
      files:
      - {from: files/run.sh, to: bin/run, executable: true}
      - {from: files/settings, to: settings}
      hardware: {glibc_min: "2.28"}
      download_size: 1MB
      installed_size: 3MB
      note: slow
    - python:
        requirements:
        - engine==2.0.0.post1 --hash=sha256:)" +
                          kHex + R"( --hash=sha256:)" + kHex + R"(
        python: ">=3.10,<3.14"
      delivers: 2.0.0.post1
      executables: {engine: bin/engine}
service:
  kind: deployment
  command: ["{exe.engine}", serve, "--port={port}", "{host}", "{model.path}", "{model.name}", "{option.mode}"]
  environment: {CACHE: "{data}/cache", HOME_OF: "{payload}", JSON: "{{}}"}
  port: 8123
  health: {http: /health, start_period: 5m, interval: 250ms}
  stop_signal: SIGINT
  stop_timeout: 45s
  formats: [gguf, safetensors]
  api: openai
  needs_open:
    PrivateDevices: {value: no, reason: the GPU}
    DeviceAllow:
    - {value: char-drm rw, reason: AMD}
    - {value: char-nvidia* rw, reason: NVIDIA}
)";

}  // namespace

TEST_CASE("the head of a manifest is read field by field", "[catalog]") {
  const Manifest m = manifest_of(kFull);
  CHECK(m.schema == 1);
  CHECK(m.name == "full-engine");
  CHECK(m.category == Category::Runtime);
  CHECK(m.version.text() == "2.0.0");
  CHECK(m.description ==
        std::map<std::string, std::string>{{"", "An engine"}, {"en", "An engine"}, {"zh", "引擎"}});
  CHECK(m.license == "MIT");
  CHECK(m.homepage == "https://example.org/engine");
  CHECK(m.deprecated);
  CHECK(m.modes == std::vector<Mode>{Mode::Container, Mode::Native});
  CHECK(m.preferred_mode == Mode::Native);
  CHECK(m.provides == Texts{"openai-api"});
  CHECK(m.consumes == Texts{"database"});
  CHECK(m.checksum.value().to_string() == kDigest);
  CHECK(m.signature == "abc");
  HardwareNeeds needs;
  needs.cores_min = 4;
  needs.cpu_features = {"avx2", "fma"};
  needs.architectures = {"x86_64", "aarch64"};
  needs.ram_min = ByteSize::gib(16);
  needs.vram_min = ByteSize::gib(8);
  needs.multi_gpu = true;
  needs.gpu_vendor = "nvidia";
  needs.compute_capability_min = Version("7.5");
  needs.driver_min = Version("580");
  needs.cuda_min = Version("13.0");
  needs.glibc_min = Version("2.35");
  CHECK(m.needs == needs);
  Dependencies dependencies;
  dependencies.system = {"libgomp1", "g++"};
  dependencies.modules = {{"base", {}}, {"tools", *VersionRange::parse(">=1.2.3,<2")}};
  dependencies.runtime = {"python3"};
  dependencies.capabilities = {"vector-store"};
  dependencies.optional = {{"ui", *VersionRange::parse("^3")}};
  CHECK(m.dependencies == dependencies);
  CHECK(m.conflicts == std::vector<ModuleDependency>{{"old-engine", *VersionRange::parse("<1")}});
}

TEST_CASE("releases are read and put newest first", "[catalog]") {
  const Manifest m = manifest_of(kFull);
  REQUIRE(m.releases.size() == 2);
  const Release& newest = m.releases[0];
  CHECK(newest.version.text() == "2.0.0");
  CHECK(newest.date.empty());
  CHECK_FALSE(newest.dependencies.has_value());
  REQUIRE(newest.variants.size() == 1);
  const Variant& variant = newest.variants[0];
  CHECK(variant.name == "cuda12");
  CHECK(variant.priority == 50);
  CHECK(variant.needs.gpu_vendor == "nvidia");
  REQUIRE(variant.sources.size() == 2);

  Source archive;
  ArchivePart first, second;
  first.urls = {"https://example.org/a.tar.zst", "https://mirror.example.org/a.tar.zst"};
  first.digest = Digest::parse(kDigest);
  first.size = ByteSize(1234);
  first.strip = 1;
  second.urls = {"https://example.org/b.zip"};
  second.checksum = ChecksumFile{"https://example.org/SHA256SUMS", "sums"};
  second.into = "lib/extra";
  archive.how = ArchiveSource{{first, second}};
  archive.executables = {{"engine", "bin/engine"}};
  archive.files = {{"files/run.sh", "bin/run", true}, {"files/settings", "settings", false}};
  archive.needs.glibc_min = Version("2.28");
  archive.download_size = ByteSize::mib(1);
  archive.installed_size = ByteSize::mib(3);
  archive.note = "slow";
  CHECK(variant.sources[0] == archive);
  CHECK(variant.sources[0].kind() == "archive");

  Source python;
  python.how =
      PythonSource{{"engine==2.0.0.post1 --hash=sha256:" + kHex + " --hash=sha256:" + kHex},
                   *VersionRange::parse(">=3.10,<3.14")};
  python.delivers = "2.0.0.post1";
  python.executables = {{"engine", "bin/engine"}};
  CHECK(variant.sources[1] == python);
  CHECK(variant.sources[1].kind() == "python");

  const Release& older = m.releases[1];
  CHECK(older.date == "2026-02-28");
  CHECK(older.dependencies.value().modules == std::vector<ModuleDependency>{{"base-old", {}}});
  const Source& apt = older.variants.at(0).sources.at(0);
  CHECK(std::get<AptSource>(apt.how).packages == Texts{"engine", "engine-tools"});
  CHECK(apt.executables == std::map<std::string, std::string>{{"engine", "/usr/bin/engine"}});
  CHECK(apt.kind() == "apt");
  CHECK(m.find_release(Version("1.9.0")) == &older);
  CHECK(m.find_release(Version("1.8.0")) == nullptr);
}

TEST_CASE("service and options are read field by field", "[catalog]") {
  const Manifest m = manifest_of(kFull);
  ServiceTemplate service;
  service.kind = ServiceTemplate::Kind::Deployment;
  service.command = {"{exe.engine}",
                     "serve",
                     "--port={port}",
                     "{host}",
                     "{model.path}",
                     "{model.name}",
                     "{option.mode}"};
  service.environment = {{"CACHE", "{data}/cache"}, {"HOME_OF", "{payload}"}, {"JSON", "{{}}"}};
  service.port = 8123;
  service.health.kind = HealthCheck::Kind::Http;
  service.health.path = "/health";
  service.health.start_period = 300s;
  service.health.interval = 250ms;
  service.stop_signal = "SIGINT";
  service.stop_timeout = 45s;
  service.formats = {"gguf", "safetensors"};
  service.api = "openai";
  service.needs_open = {{"PrivateDevices", "no  # the GPU"},
                        {"DeviceAllow", "char-drm rw  # AMD\nchar-nvidia* rw  # NVIDIA"}};
  CHECK(m.service == service);
  CHECK(m.options ==
        std::vector<Option>{{Option::Type::Integer, "threads", "CPU threads", "4", {}},
                            {Option::Type::Choice, "mode", "", "fast", {"fast", "exact"}},
                            {Option::Type::Size, "cache", "", "2GB", {}},
                            {Option::Type::Boolean, "debug", "", "false", {}},
                            {Option::Type::Text, "label", "", "", {}}});
}

TEST_CASE("conditions on the distribution and on tools are ranges by name", "[catalog]") {
  const Manifest m =
      manifest_of(kHead +
                  "version: 1\n"
                  "hardware:\n"
                  "  os: {debian: '12', ubuntu: '>=22.04,<26', arch: , x-note: all}\n"
                  "  tools: {podman: '>=4.1', python: }\n");
  CHECK(m.needs.os ==
        std::map<std::string, VersionRange>{{"arch", {}},
                                            {"debian", *VersionRange::parse("12")},
                                            {"ubuntu", *VersionRange::parse(">=22.04,<26")}});
  CHECK(m.needs.tools == std::map<std::string, VersionRange>{
                             {"podman", *VersionRange::parse(">=4.1")}, {"python", {}}});
  CHECK(faults_of(kHead + "version: 1\n"
                          "hardware:\n"
                          "  os: {Debian: '12', debian: '>='}\n"
                          "  tools: {podmen: '>=4', docker: [1]}\n") ==
        Texts{"m.yaml:5:16: error: hardware.os.Debian: 'Debian' is not the ID of a distribution "
              "(write it as in /etc/os-release, like debian)",
              "m.yaml:5:30: error: hardware.os.debian: '>=' is not a range of versions (write it "
              "like >=1.2,<2)",
              "m.yaml:6:11: error: hardware.tools.podmen: unknown key (did you mean 'podman'?)",
              "m.yaml:6:34: error: hardware.tools.docker: must be a single value"});
  CHECK(faults_of(kHead + "version: 1\nhardware: {os: debian}\n") ==
        Texts{"m.yaml:4:16: error: hardware.os: must be a map"});
}

TEST_CASE("a lock beside the manifest stands in place of lines in it", "[catalog]") {
  const auto source = [](const std::string& keys) {
    return faults_of(kHead + "releases: [{version: 1, variants: [{name: a, sources: [{" + keys +
                     "}]}]}]\n");
  };
  CHECK(source("python: {lock: files/lock.txt}") == Texts{});
  CHECK(source("npm: {lock: files/package-lock.json}") == Texts{});
  CHECK(source("python: {}") ==
        Texts{"m.yaml:3:65: error: releases[0].variants[0].sources[0].python.requirements: missing "
              "key"});
  CHECK(source("python: {lock: l, requirements: [a==1 --hash=sha256:" + kHex + "]}") ==
        Texts{"m.yaml:3:72: error: releases[0].variants[0].sources[0].python.lock: requirements "
              "are given too: one of them"});
  CHECK(source("npm: {lock: ../l.json, scripts: all}") ==
        Texts{"m.yaml:3:69: error: releases[0].variants[0].sources[0].npm.lock: not a relative "
              "path that stays inside its folder",
              "m.yaml:3:80: error: releases[0].variants[0].sources[0].npm.scripts: unknown key"});
  CHECK(source("npm: {lock: l.json, node: '>', allow_scripts: {-g: x, a: }}") ==
        Texts{"m.yaml:3:83: error: releases[0].variants[0].sources[0].npm.node: '>' is not a range "
              "of versions (write it like >=1.2,<2)",
              "m.yaml:3:108: error: releases[0].variants[0].sources[0].npm.allow_scripts.-g: '-g' "
              "is not the name of a package",
              "m.yaml:3:111: error: releases[0].variants[0].sources[0].npm.allow_scripts.a: "
              "missing value"});
}

TEST_CASE("a published manifest without any field of las is valid", "[catalog]") {
  std::ifstream file(LAS_TEST_DATA "/catalog/published/infer-lite.yaml");
  std::stringstream yaml;
  yaml << file.rdbuf();
  const Manifest m = manifest_of(yaml.str());
  CHECK(m.name == "infer-lite");
  CHECK(m.version.text() == "0.2.15");
  CHECK(m.summary() == "Local inference engine");
  CHECK(m.needs.vram_min == ByteSize::gib(8));
  CHECK(m.needs.multi_gpu == false);
  CHECK(m.dependencies.modules.at(1).name == "base-tools");
  CHECK(m.dependencies.modules.at(1).range.to_string() == ">=1.2.3");
  CHECK(m.modes == std::vector<Mode>{Mode::Native});
  CHECK(m.preferred_mode == Mode::Native);
  CHECK(m.releases.empty());
  CHECK_FALSE(m.service.has_value());
}

TEST_CASE("every field of a published manifest arrives", "[catalog]") {
  std::ifstream file(LAS_TEST_DATA "/catalog/published/every-field.yaml");
  std::stringstream yaml;
  yaml << file.rdbuf();
  const Manifest m = manifest_of(yaml.str());
  CHECK(m.name == "chat-desk");
  CHECK(m.category == Category::Application);
  CHECK(m.version.text() == "1.4.0");
  CHECK(m.summary() == "Chat interface for local models");
  CHECK(m.license == "Apache-2.0");
  HardwareNeeds needs;
  needs.cores_min = 2;
  needs.ram_min = ByteSize::gib(8);
  needs.vram_min = ByteSize::gib(6);
  needs.multi_gpu = true;
  CHECK(m.needs == needs);
  Dependencies dependencies;
  dependencies.system = {"ca-certificates"};
  dependencies.modules = {{"base-tools", {}}, {"infer-lite", *VersionRange::parse(">=0.2.0")}};
  dependencies.runtime = {"cuda>=12.1"};
  dependencies.capabilities = {"openai-compatible-api"};
  dependencies.optional = {{"search-index", *VersionRange::parse("^2")}};
  CHECK(m.dependencies == dependencies);
  CHECK(m.modes == std::vector<Mode>{Mode::Container, Mode::Native});
  CHECK(m.preferred_mode == Mode::Native);
  CHECK(m.provides == Texts{"chat-ui"});
  CHECK(m.consumes == Texts{"database"});
  CHECK(m.checksum->hex().starts_with("e3b0c442"));
  CHECK(m.signature.size() == 100);
  CHECK(m.releases.empty());
}

TEST_CASE("what is left out has the defaults of the header", "[catalog]") {
  const Manifest m = manifest_of(kHead + "version: 1\n");
  CHECK(m.modes == std::vector<Mode>{Mode::Native});
  CHECK(m.needs == HardwareNeeds{});
  CHECK(m.dependencies == Dependencies{});
  CHECK(m.summary().empty());
  const Manifest s =
      manifest_of(with_source("      executables: {a: bin/a}\nservice: {command: ['{exe.a}']}\n"));
  ServiceTemplate service;
  service.command = {"{exe.a}"};
  CHECK(s.service == service);
  CHECK(s.version.text() == "1.0");
}

TEST_CASE("all faults of a manifest are reported at once", "[catalog]") {
  CHECK(
      faults_of("nmae: tiny\n"
                "category: runtme\n"
                "version: 1 0\n"
                "hardware:\n"
                "  gpu: {vram_min: lots, vendor: nvdia}\n"
                "  cpu: {cores_min: -1}\n"
                "dependencies: {modules: [A B], system: [-o]}\n"
                "runtime: {modes: [native], preferred: container}\n"
                "integrity: {checksum: sha256:abc}\n"
                "homepage: example.org\n"
                "schema: 2\n") ==
      Texts{"m.yaml:1:1: error: nmae: unknown key (did you mean 'name'?)",
            "m.yaml:1:1: error: name: missing key",
            "m.yaml:2:11: error: category: 'runtme' is not one of language, runtime, framework, "
            "service, application, tool, model (did you mean 'runtime'?)",
            "m.yaml:3:10: error: version: '1 0' is not a version",
            "m.yaml:5:19: error: hardware.gpu.vram_min: 'lots' is not a size (write it like 16GB)",
            "m.yaml:5:33: error: hardware.gpu.vendor: 'nvdia' is not one of nvidia, amd, intel "
            "(did you mean 'nvidia'?)",
            "m.yaml:6:20: error: hardware.cpu.cores_min: -1 is not between 0 and 65536",
            "m.yaml:7:26: error: dependencies.modules[0]: 'A B' is not a module (write it like "
            "name or name@>=1.2)",
            "m.yaml:7:41: error: dependencies.system[0]: '-o' is not the name of a package",
            "m.yaml:8:39: error: runtime.preferred: is not one of the modes",
            "m.yaml:9:23: error: integrity.checksum: not a digest (write it as sha256: and 64 "
            "hexadecimal digits)",
            "m.yaml:10:11: error: homepage: not an address (write it like https://host/path)",
            "m.yaml:11:9: error: schema: schema 2 is not known here (this las reads up to 1)"});
}

TEST_CASE("faults within releases name their place", "[catalog]") {
  CHECK(faults_of(kHead + "releases:\n"
                          "- version: 1.0\n"
                          "  date: 2026-02-30\n"
                          "  variants:\n"
                          "  - name: cpu\n"
                          "    sources:\n"
                          "    - archive: {url: ftp://example.org/a}\n"
                          "      executables: {a: ../a}\n"
                          "      files: [{from: /etc/passwd, to: a/../b}]\n"
                          "    - archive: {url: 'http://example.org/a', digest: sha256:12}\n"
                          "      apt: {packages: [b]}\n"
                          "  - name: cpu\n"
                          "    sources: []\n"
                          "- version: 1.0\n"
                          "  variants: []\n") ==
        Texts{"m.yaml:5:9: error: releases[0].date: not a day (write it like 2026-01-31)",
              "m.yaml:9:16: error: releases[0].variants[0].sources[0].archive: has neither a "
              "digest nor a checksum file (give the digest that the publisher gives)",
              "m.yaml:9:22: error: releases[0].variants[0].sources[0].archive.url: not an address "
              "(write it like https://host/path)",
              "m.yaml:10:24: error: releases[0].variants[0].sources[0].executables.a: not a "
              "relative path that stays inside its folder",
              "m.yaml:11:22: error: releases[0].variants[0].sources[0].files[0].from: not a "
              "relative path that stays inside its folder",
              "m.yaml:11:39: error: releases[0].variants[0].sources[0].files[0].to: not a "
              "relative path that stays inside its folder",
              "m.yaml:12:7: error: releases[0].variants[0].sources[1]: needs exactly one of "
              "archive, apt, deb, python, npm and image",
              "m.yaml:12:54: error: releases[0].variants[0].sources[1].archive.digest: not a "
              "digest (write it as sha256: and 64 hexadecimal digits)",
              "m.yaml:13:24: error: releases[0].variants[0].sources[1].apt.packages[0]: 'b' is not "
              "the name of a package",
              "m.yaml:14:11: error: releases[0].variants[1].name: variant cpu stands twice",
              "m.yaml:15:14: error: releases[0].variants[1].sources: is empty",
              "m.yaml:16:12: error: releases[1].version: release 1.0 stands twice",
              "m.yaml:17:13: error: releases[1].variants: is empty"});
}

TEST_CASE("the checksum of the manifest is that of the one archive without a digest", "[catalog]") {
  const std::string integrity = "integrity: {checksum: " + kDigest + "}\n";
  const std::string own = "sha256:" + std::string(64, 'b');
  const auto archive = [](const std::string& name, const std::string& more) {
    return "    - archive: {url: 'http://example.org/" + name + "'" + more +
           "}\n      executables: {a: a}\n";
  };
  const auto manifest = [&](const std::string& sources) {
    return kHead + integrity +
           "releases:\n- version: 1\n  variants:\n  - name: cpu\n    sources:\n" + sources;
  };
  Diagnostics diagnostics;
  const auto parsed = parse_manifest(
      manifest(archive("a.tar", "") + archive("b.tar", ", digest: " + own)), "m.yaml", diagnostics);
  REQUIRE(parsed);
  const auto& sources = parsed->releases.at(0).variants.at(0).sources;
  CHECK(std::get<ArchiveSource>(sources[0].how).parts[0].digest->to_string() == kDigest);
  CHECK(std::get<ArchiveSource>(sources[1].how).parts[0].digest->to_string() == own);
  CHECK(
      faults_of(manifest(archive("a.tar", "") + archive("b.tar", ""))) ==
      Texts{"m.yaml:3:23: error: integrity.checksum: would be the digest of 2 archives (give each "
            "archive its own digest)"});
  CHECK(
      faults_of(manifest(archive("a.tar", ", digest: " + own))) ==
      Texts{"m.yaml:3:23: warning: integrity.checksum: is the digest of no archive here (leave it "
            "out)"});
  // Without releases there is nothing to compare it with.
  CHECK(faults_of(kHead + "version: 1\n" + integrity).empty());
}

TEST_CASE("a digest spelled wrongly is a fault in every spelling", "[catalog]") {
  for (const std::string& wrong : {"sha256:" + kHex.substr(1),
                                   "sha256:" + kHex + "a",
                                   "sha265:" + kHex,
                                   "md5:" + std::string(32, 'a'),
                                   "sha256:" + kHex.substr(1) + "g",
                                   std::string("latest")})
    CHECK(faults_of(kHead + "version: 1\nintegrity: {checksum: '" + wrong + "'}\n") ==
          Texts{"m.yaml:4:23: error: integrity.checksum: not a digest (write it as sha256: and 64 "
                "hexadecimal digits)"});
  CHECK(manifest_of(kHead + "version: 1\nintegrity: {checksum: " + kHex + "}\n")
            .checksum.value()
            .to_string() == kDigest);
}

TEST_CASE("addresses that can be changed on the way need a digest", "[catalog]") {
  const auto fault = [](const std::string& archive) {
    return faults_of(kHead + "releases: [{version: 1, variants: [{name: a, sources: [{archive: {" +
                     archive + "}}]}]}]\n");
  };
  const std::string sums = ", checksum: {url: https://example.org/SUMS}";
  CHECK(fault("url: 'http://example.org/a', digest: " + kDigest) == Texts{});
  CHECK(fault("url: 'file:///srv/a', digest: " + kDigest) == Texts{});
  CHECK(fault("url: 'http://127.0.0.1:8080/a'" + sums) == Texts{});
  CHECK(fault("url: 'http://[::1]/a'" + sums) == Texts{});
  const Texts refused{
      "m.yaml:3:72: error: releases[0].variants[0].sources[0].archive.url: an http address can be "
      "changed on the way (use https)"};
  CHECK(fault("url: 'http://example.org/a'" + sums) == refused);
  CHECK(fault("url: 'http://127.0.0.1.example.org/a'" + sums) == refused);
  CHECK(fault("url: 'http://localhost.@example.org/a'" + sums) ==
        Texts{"m.yaml:3:72: error: releases[0].variants[0].sources[0].archive.url: not an address "
              "(write it like https://host/path)"});
  CHECK(fault("url: 'http://127.0.0.1:80@example.org/a'" + sums).size() == 1);
  CHECK(fault("url: 'https://example.org/@scope/a', digest: " + kDigest) == Texts{});
  CHECK(fault("url: https://example.org/a, checksum: {url: 'http://example.org/SUMS'}").size() ==
        1);
}

TEST_CASE("python requirements must be locked and can be no option of pip", "[catalog]") {
  const auto faults = [](const std::string& requirement) {
    return faults_of(kHead +
                     "releases:\n- version: 1\n  variants:\n  - name: a\n    sources:\n"
                     "    - python:\n        requirements:\n        - " +
                     requirement + "\n");
  };
  const Texts refused{
      "m.yaml:10:11: error: releases[0].variants[0].sources[0].python.requirements[0]: not locked "
      "(write it like name==1.2 --hash=sha256:…)"};
  const std::string hash = " --hash=sha256:" + kHex;
  CHECK(faults("a==1" + hash) == Texts{});
  CHECK(faults("a[x]==1 ; python_version < '3.13'" + hash + hash) == Texts{});
  CHECK(faults("a==1") == refused);
  CHECK(faults("a>=1" + hash) == refused);
  CHECK(faults("--index-url=https://evil.example/==" + hash) == refused);
  CHECK(faults("a==1 --index-url https://evil.example" + hash) == refused);
  CHECK(faults("a==1" + hash + " --pre") == refused);
  CHECK(faults("a==1 --hash=md5:abc") == refused);
  CHECK(faults("a==1 @ https://evil.example" + hash) == refused);
  CHECK(faults("\"a==1\\n-r x" + hash + "\"") == refused);
}

TEST_CASE("templates may name only what there is", "[catalog]") {
  const std::string tools = "      executables: {engine: bin/engine}\n";
  CHECK(faults_of(
            with_source(tools + "service: {command: ['{exe.engin}', '{model.path}', '{x']}\n")) ==
        Texts{"m.yaml:10:21: error: service.command[0]: unknown placeholder in a template: "
              "{exe.engin} (did you mean '{exe.engine}'?)",
              "m.yaml:10:21: error: service.command[0]: the archive source of 1.0 cpu gives no "
              "executable engin",
              "m.yaml:10:36: error: service.command[1]: unknown placeholder in a template: "
              "{model.path}",
              "m.yaml:10:52: error: service.command[2]: unclosed '{' in a template: {x"});
}

TEST_CASE("the program of a service must come from every source", "[catalog]") {
  CHECK(faults_of(with_source("      executables: {engine: bin/engine}\n"
                              "    - apt: {packages: [engine]}\n"
                              "service: {command: ['{exe.engine}']}\n")) ==
        Texts{"m.yaml:11:21: error: service.command[0]: the apt source of 1.0 cpu gives no "
              "executable engine"});
}

TEST_CASE("faults of a service are named", "[catalog]") {
  CHECK(
      faults_of(with_source("service:\n"
                            "  kind: deployment\n"
                            "  port: 70000\n"
                            "  health: {http: health, tcp: true, interval: 0s, start_period: 2d}\n"
                            "  stop_signal: SIGTRM\n"
                            "  needs_open: {PrivateDevices: {value: 'no # all'}}\n")) ==
      Texts{"m.yaml:10:3: error: service.command: missing key",
            "m.yaml:10:3: error: service.formats: a deployment names the model formats it serves",
            "m.yaml:11:9: error: service.port: 70000 is not between 1 and 65535",
            "m.yaml:12:18: error: service.health.http: not the path of an address (write it like "
            "/health)",
            "m.yaml:12:31: error: service.health.tcp: http is given too: one of them",
            "m.yaml:12:47: error: service.health.interval: '0s' is not a duration of up to a day "
            "(write it like 30s)",
            "m.yaml:12:65: error: service.health.start_period: '2d' is not a duration of up to a "
            "day (write it like 30s)",
            "m.yaml:13:16: error: service.stop_signal: 'SIGTRM' is not one of SIGTERM, SIGINT, "
            "SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGKILL (did you mean 'SIGTERM'?)",
            "m.yaml:14:32: error: service.needs_open.PrivateDevices.reason: missing key",
            "m.yaml:14:40: error: service.needs_open.PrivateDevices.value: must be one line "
            "without '#'"});
}

TEST_CASE("faults of options are named", "[catalog]") {
  CHECK(faults_of(kHead + "version: 1\n"
                          "options:\n"
                          "- {name: a, type: integer, default: 1.5}\n"
                          "- {name: a, type: choice}\n"
                          "- {name: b, type: size, default: big, choices: [x]}\n"
                          "- {name: c, type: choice, choices: [x, y], default: z}\n") ==
        Texts{"m.yaml:5:37: error: options[0].default: '1.5' is not of type integer",
              "m.yaml:6:3: error: options[1].choices: a choice needs its choices",
              "m.yaml:6:10: error: options[1].name: option a stands twice",
              "m.yaml:7:34: error: options[2].default: 'big' is not of type size",
              "m.yaml:7:48: error: options[2].choices: only an option of type choice has choices",
              "m.yaml:8:53: error: options[3].default: 'z' is not of type choice"});
}

TEST_CASE("the version must be the newest release's", "[catalog]") {
  CHECK(faults_of("version: 0.9\n" + with_source("")) ==
        Texts{"m.yaml:1:10: error: version: is not the newest release, 1.0 (leave it out)"});
  CHECK(faults_of(kHead) == Texts{"m.yaml:1:1: error: version: missing key"});
}

TEST_CASE("the summary is in the user's language or the default", "[catalog]") {
  Manifest m;
  CHECK(m.summary("de").empty());
  m.description = {{"", "text"}, {"zh", "文"}, {"zh_TW", "台"}};
  CHECK(m.summary() == "text");
  CHECK(m.summary("zh") == "文");
  CHECK(m.summary("zh_CN.UTF-8") == "文");
  CHECK(m.summary("zh_TW.UTF-8") == "台");
  CHECK(m.summary("de_DE@euro") == "text");
  CHECK(m.summary("C") == "text");
  CHECK(manifest_of(kHead + "version: 1\ndescription: {de: Eins, fr: Un}\n").summary("it") ==
        "Eins");
}

TEST_CASE("hostile documents end in faults", "[catalog]") {
  using namespace std::string_literals;
  CHECK(faults_of("") == Texts{"m.yaml: error: a manifest is a map of keys"});
  CHECK(faults_of("[1, 2]\n") == Texts{"m.yaml:1:1: error: a manifest is a map of keys"});
  CHECK(faults_of("name: a\0b\n"s) ==
        Texts{"m.yaml:1:8: error: control character 0x00: \"name: a?b\""});
  CHECK(faults_of(kHead + "version: 1\nname: other\n") ==
        Texts{"m.yaml:4:1: error: name: duplicate key (first on line 1)"});
  CHECK(faults_of(kHead + "version: 1\nhardware: " + std::string(5000, '[') + "\n").size() == 1);
  CHECK(faults_of(std::string((std::size_t{4} << 20) + 1, ' ')) ==
        Texts{"m.yaml: error: document of more than 4 MiB"});
  for (const char* name : {"../etc", "a..b", "A", "a b", "-a", ".a", "a/b", ""})
    CHECK(faults_of("name: '" + std::string(name) + "'\ncategory: tool\nversion: 1\n").size() == 1);
  for (const char* version : {"../1", "1/2", "-1", "1 2"})
    CHECK(faults_of(kHead + "version: '" + version + "'\n").size() == 1);
}

TEST_CASE("a bomb of aliases ends in a fault, at once", "[catalog]") {
  std::string bomb = kHead + "version: 1\nx-a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string list = std::string("*") + static_cast<char>(c - 1);
    bomb += std::string("x-") + c + ": &" + c + " [" + list;
    for (int i = 0; i < 8; ++i)
      bomb += ", " + list;
    bomb += "]\n";
  }
  CHECK(
      faults_of(bomb) ==
      Texts{"m.yaml:9:10: error: more than 100000 values in a document: \"x-f: &f [*e, *e, *e, *e, "
            "*e, *e, *e, *e, *e]\""});
}

TEST_CASE("bytes that are no UTF-8 end in a fault with their line", "[catalog]") {
  CHECK(faults_of(kHead + "version: 1\ndescription: \"\xff\xfe\"\n") ==
        Texts{"m.yaml:4:15: error: not UTF-8 text: \"description: \"??\"\""});
  CHECK(faults_of(kHead + "version: 1\nlicense: \xc3(\n") ==
        Texts{"m.yaml:4:10: error: not UTF-8 text: \"license: ?(\""});
}

TEST_CASE("a dependency whose range is none is a fault at its place", "[catalog]") {
  for (const char* spec :
       {"name@>=", "name@", "name@>=1,", "name@=>1", "name@1 2", "@>=1", "na me"}) {
    INFO(spec);
    const Texts faults =
        faults_of(kHead + "version: 1\ndependencies: {modules: ['" + spec + "']}\n");
    CHECK(faults == Texts{"m.yaml:4:26: error: dependencies.modules[0]: '" + std::string(spec) +
                          "' is not a module (write it like name or name@>=1.2)"});
  }
}

TEST_CASE("no path of a manifest leaves its folder", "[catalog]") {
  const auto archive = [](const std::string& more) {
    return faults_of(kHead +
                     "releases: [{version: 1, variants: [{name: a, sources: [{archive: "
                     "{url: 'https://example.org/a', digest: " +
                     kDigest + more + "]}]}]\n");
  };
  const std::string where = ": error: releases[0].variants[0].sources[0].";
  const std::string inside = ": not a relative path that stays inside its folder";
  const auto clause = [&](const Texts& faults) {
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].starts_with("m.yaml:3:"));
    return faults[0].substr(faults[0].find(where) + where.size());
  };
  for (const char* path : {"../x", "/x", "a/../../x", "a//x", ".", "a/./x"}) {
    INFO(path);
    const std::string quoted = std::string("'") + path + "'";
    CHECK(clause(archive(", into: " + quoted + "}}")) == "archive.into" + inside);
    CHECK(clause(archive("}, executables: {x: " + quoted + "}}")) == "executables.x" + inside);
    CHECK(clause(archive("}, files: [{from: a, to: " + quoted + "}]}")) == "files[0].to" + inside);
    CHECK(clause(archive("}, files: [{from: " + quoted + ", to: a}]}")) ==
          "files[0].from" + inside);
  }
  CHECK(clause(archive(", strip: -1}}")) == "archive.strip: -1 is not between 0 and 16");
  CHECK(clause(archive(", strip: 17}}")) == "archive.strip: 17 is not between 0 and 16");
  CHECK(clause(faults_of(kHead + "releases: [{version: 1, variants: [{name: a, sources: [{apt: "
                                 "{packages: [aa]}, executables: {x: usr/bin/x}}]}]}]\n")) ==
        "executables.x: not an absolute path");
}
