// SPDX-License-Identifier: Apache-2.0
// A lock with every field set to something that is not its default.
#pragma once

#include "las/lockfile/document.hpp"

#include <string>

namespace las::test {

inline Digest digest_of_digit(char digit) {
  return Digest::sha256(std::string(64, digit));
}

inline lockfile::Module locked_module(const std::string& name, const std::string& version) {
  lockfile::Module module;
  module.name = name;
  module.version = lockfile::exactly(version);
  module.variant = "cpu";
  module.mode = "native";
  module.source.kind = "archive";
  module.source.artifacts = {{"https://example.test/" + name + ".tgz", digest_of_digit('a')}};
  return module;
}

inline lockfile::Document full_lock() {
  lockfile::Document lock;
  lock.kind = lockfile::Document::Kind::Lock;
  lock.machine = {"x86_64",
                  "nvidia",
                  Version("7.5"),
                  Version("535.54"),
                  Version("12.4"),
                  Version("2.35"),
                  ByteSize::gib(16),
                  {"avx2", "f16c"}};
  lock.policies = {{"engines.yaml", "shipped", digest_of_digit('b')},
                   {"site.yaml", "site", digest_of_digit('c')}};
  lock.overrides = {{"engine", "we: tried it # twice"}};
  lock.world = {{"engine", ">=1,<2", "cpu", "native", true, true},
                {"runtime", "", "", "", true, false}};
  lock.modules = {locked_module("engine", "1.10"), locked_module("runtime", "b123")};
  lock.modules[0].source.delivered = "1.10.1";
  lock.modules[1].reason = state::Reason::Dependency;
  lock.modules[1].source = {"python",
                            "",
                            {{"requirements", digest_of_digit('d')}},
                            {"a==1 --hash=sha256:0", "b==2 --hash=sha256:1"},
                            {{"libgomp1", "12.2.0-14"}}};
  lockfile::Model model;
  model.name = "tiny";
  model.format = "gguf";
  model.digest = digest_of_digit('e');
  model.size = ByteSize(123);
  model.source = "Tiny \"one\" - ü.gguf";
  lock.models = {model};
  lockfile::Service service;
  service.name = "chat";
  service.engine = "engine";
  service.model = "tiny";
  service.model_digest = digest_of_digit('e');
  service.host = "127.0.0.1";
  service.port = 8080;
  service.options = {{"context", "4096"}, {"empty", ""}, {"word", "yes"}};
  service.running = false;
  lock.services = {service};
  return lock;
}

}  // namespace las::test
