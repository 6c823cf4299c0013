// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

#include "las/platform/file_system.hpp"

#include <string>

using namespace las;
using namespace las::catalog;

namespace {

namespace fs = std::filesystem;

// Every key that a manifest may have.
constexpr const char* kEverything = R"(
schema: 1
name: everything
category: runtime
description: {en: All of it, zh: 全部}
license: MIT
homepage: https://example.org/everything
deprecated: true
hardware:
  cpu: {cores_min: 2, architectures: [x86_64], features: [avx2]}
  memory: {ram_min: 4GB}
  gpu: {vram_min: 8GB, multi_gpu: true, vendor: nvidia, compute_capability_min: "7.5",
        driver_min: "525", cuda_min: "12.4"}
  glibc_min: "2.31"
dependencies:
  system: [libgomp1]
  modules: [lib, "other@>=1.2,<2"]
  runtime: [podman]
  capabilities: [vectors]
  optional: ["extra@~1.2"]
runtime: {modes: [native, container], preferred: native}
interfaces: {provides: [inference], consumes: [models]}
integrity:
  checksum: sha256:0000000000000000000000000000000000000000000000000000000000000001
  signature: abc
conflicts: ["foe@!=3"]
options:
- {name: threads, type: integer, default: "4", description: How many}
- {name: kind, type: choice, choices: [a, b], default: a}
releases:
- version: "2.0"
  date: 2026-01-02
  dependencies: {modules: [lib]}
  variants:
  - name: cuda12
    priority: 40
    hardware: {gpu: {vendor: nvidia}}
    sources:
    - archive:
        parts:
        - url: [https://example.org/a.tar.gz, https://mirror.example.org/a.tar.gz]
          digest: sha256:0000000000000000000000000000000000000000000000000000000000000002
          size: 100
          strip: 1
          into: lib
        - url: https://example.org/b.tar.gz
          checksum: {url: https://example.org/sums.txt, format: sums}
      executables: {tool: bin/tool}
      files: [{from: files/x, to: bin/x, executable: true}]
      note: a note
      delivers: "2.0.1"
      download_size: 10MB
      installed_size: 1GB
      hardware: {glibc_min: "2.35", os: {debian: ">=12"}, tools: {podman: ">=4.1"}}
    - apt: {packages: [everything-tools]}
      executables: {tool: /usr/bin/tool}
    - python:
        requirements: ["x==1 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000003"]
        python: ">=3.10"
      executables: {tool: bin/tool}
    - npm: {lock: files/package-lock.json, node: ">=20", allow_scripts: {native: it is compiled}}
      executables: {tool: bin/tool}
    - deb: {packages: [everything], without: [perl, "x11*"]}
      executables: {tool: usr/bin/tool}
service:
  kind: deployment
  command: ["{exe.tool}", "--port", "{port}", "--threads", "{option.threads}"]
  prepare: [{makes: main, command: ["{exe.tool}", "{making}"]}]
  config: {tool.conf: files/tool.conf}
  secrets: {password: "{word}"}
  notify: true
  auth: [--key-file, "{secret.password}"]
  limits: {memory: 1GB, cpu_percent: 150, tasks: 64, io_weight: 50, cpus: 0-3}
  environment: {A: b}
  port: 1234
  health:
    exec: ["{exe.tool}", ping]
    expect: PONG
    environment: {AUTH: "{word}"}
    start_period: 90s
    interval: 500ms
    timeout: 2s
    retries: 7
  stop_signal: SIGINT
  stop_timeout: 7s
  formats: [gguf]
  api: openai
  needs_open:
    PrivateDevices: {value: "no", reason: the GPU}
)";

}  // namespace

TEST_CASE("a manifest survives the way through its encoding", "[catalog]") {
  Diagnostics diagnostics;
  const auto manifest = parse_manifest(kEverything, "everything.yaml", diagnostics);
  for (const auto& item : diagnostics.items())
    UNSCOPED_INFO(item.to_string());
  REQUIRE(manifest);
  CHECK(decode(encode(*manifest)) == *manifest);
}

TEST_CASE("what a manifest's files and a lock add to it survives as well", "[catalog]") {
  Diagnostics diagnostics;
  auto manifest = parse_manifest(kEverything, "everything.yaml", diagnostics);
  REQUIRE(manifest);
  manifest->service->config.at(0).text = "port = {port}\n";
  auto& deb = std::get<DebSource>(manifest->releases.at(0).variants.at(0).sources.back().how);
  deb.versions = {{"everything", "1"}};
  deb.digests = {{"everything", "00"}};
  CHECK(decode(encode(*manifest)) == *manifest);
}

TEST_CASE("where a manifest lies is no part of its encoding", "[catalog]") {
  Manifest manifest;
  manifest.name = "here";
  const std::string bytes = encode(manifest);
  manifest.origin = "registry";
  manifest.directory = "/somewhere";
  CHECK(encode(manifest) == bytes);
}

TEST_CASE("an encoding that was cut off or goes on is refused", "[catalog]") {
  Diagnostics diagnostics;
  const auto manifest = parse_manifest(kEverything, "everything.yaml", diagnostics);
  REQUIRE(manifest);
  const std::string bytes = encode(*manifest);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(test::error_of([&] { decode(bytes.substr(0, size)); })->kind() == ErrorKind::InvalidData);
  CHECK(test::error_of([&] { decode(bytes + "x"); })->kind() == ErrorKind::InvalidData);
}
