// SPDX-License-Identifier: Apache-2.0
// One value of every record with every field set to something that is not its default, so that a
// field which is not stored is seen.
#pragma once

#include "las/state/records.hpp"

#include <string>

namespace las::test {

inline Digest digest_filled_with(char digit) {
  return Digest::sha256(std::string(64, digit));
}

inline state::ExternalChange full_external_change() {
  return {.kind = "apt", .before = R"({"absent":["x"]})", .wanted = R"({"packages":["x"]})"};
}

inline state::InstalledModule full_installed_module() {
  state::InstalledModule module;
  module.name = "engine";
  module.version = "1.2.3";
  module.delivered = "1.2.4-1";
  module.variant = "cpu";
  module.mode = "native";
  module.reason = state::Reason::Dependency;
  module.source = "archive";
  module.source_detail = "https://example.test/engine.tar.gz";
  module.store_name = "engine-1.2.3-aaaaaaaaaaaa";
  module.tree_digest = digest_filled_with('a');
  module.pinned_now = true;
  module.size = ByteSize(123456789012345);
  module.installed_at = "2026-11-23T15:04:05Z";
  module.executables = {{"engine", "/var/lib/las/store/engine/bin/engine"}, {"tool", "/x/ü"}};
  module.external = {full_external_change(), {.kind = "user", .before = "{}", .wanted = "{}"}};
  module.requires_modules = {"base", "runtime"};
  module.artifacts = {{"https://example.test/engine.tar.gz", digest_filled_with('c')}};
  return module;
}

inline state::ServiceInstance full_service_instance() {
  state::ServiceInstance service;
  service.id = "chat";
  service.module = "engine";
  service.model = "tiny";
  service.model_digest = digest_filled_with('b').to_string();
  service.port = 65535;
  service.host = "0.0.0.0";
  service.argv = {"/bin/engine", "--model", "a b\"c"};
  service.environment = {{"HOME", "/nowhere"}, {"EMPTY", ""}};
  service.health_kind = "http";
  service.health_path = "/health";
  service.start_period_s = 300;
  service.stop_signal = "SIGINT";
  service.stop_timeout_s = -1;
  service.api = "openai";
  service.data_directory = "/var/lib/las/data/engine";
  service.options = {{"context", "4096"}};
  service.unit_text = "[Unit]\nDescription=chat\n";
  service.more_units = {{"las-chat.socket", "[Socket]\n"}};
  service.prepare = {{"/var/lib/las/data/engine/main", {"/bin/initdb", "a b"}}};
  service.config = {{"engine.conf", "port = 1\n"}};
  service.secrets = {{"password", "{word}"}};
  service.notifies = true;
  service.network = "lan";
  service.asks_for_word = true;
  service.uses = {"database"};
  service.health = {{"/bin/ping"}, {{"AUTH", "{word}"}}, "PONG", 15, 2500, 5};
  service.limits = {ByteSize(123456789012345), 150, 512, 50, "0-3,8", "0"};
  service.on_demand = state::OnDemand{11501, 300};
  service.metrics = "/metrics";
  service.container = state::ContainerRun{"podman",
                                          "example.test/engine@sha256:00",
                                          {"--network=host"},
                                          {"serve", "a b"},
                                          "10.88.0.0/16",
                                          "systemd",
                                          "999:1000"};
  service.gpus = {{"nvidia", "GPU-aa", {"/dev/nvidia0"}, {44, 105}, "nvidia.com/gpu=GPU-aa"}};
  return service;
}

inline state::WorldEntry full_world_entry() {
  return {.module = "engine",
          .range = ">=1.2,<2",
          .variant = "cpu",
          .mode = "native",
          .held = true,
          .wished = false};
}

inline state::Generation full_generation(std::uint64_t number) {
  state::Generation generation;
  generation.number = number;
  generation.parent = 18446744073709551615U;
  generation.created_at = "2026-11-23T15:04:06Z";
  generation.operation_id = "20261123T150405-1a2b3c";
  generation.command = "las install engine";
  generation.modules = {full_installed_module(), {}};
  generation.services = {full_service_instance(), {}};
  generation.world = {full_world_entry(), {}};
  return generation;
}

inline state::ModelRecord full_model(const std::string& name) {
  state::ModelRecord model;
  model.name = name;
  model.format = "gguf";
  model.digest = digest_filled_with('c');
  model.size = ByteSize(560960);
  model.source = "/home/somebody/tiny.gguf";
  model.imported_at = "2026-11-23T15:04:07Z";
  model.architecture = "llama";
  model.quantization = "Q4_K";
  model.license = "apache-2.0";
  model.parameters = 7000000000;
  model.context_length = 8192;
  model.note = "random weights";
  return model;
}

inline state::Journal full_journal() {
  state::Journal journal;
  journal.operation_id = "20261123T150405-1a2b3c";
  journal.command = "las install engine";
  journal.started_at = "2026-11-23T15:04:05Z";
  journal.boot_id = "8d6e2f5a-0000-0000-0000-000000000000";
  journal.phase = state::Phase::Committed;
  journal.wishes = {{"tiny", false, true, true}};
  journal.from_generation = 3;
  journal.to_generation = 4;
  journal.staged_payloads = {"engine-1.2.3-aaaaaaaaaaaa"};
  journal.external = {full_external_change()};
  return journal;
}

inline state::OperationRecord full_operation(const std::string& id) {
  state::OperationRecord operation;
  operation.id = id;
  operation.command = "las install engine";
  operation.user = "somebody";
  operation.started_at = "2026-11-23T15:04:05Z";
  operation.ended_at = "2026-11-23T15:05:05Z";
  operation.outcome = "failed";
  operation.error = "the disk is full";
  operation.generation_before = 3;
  operation.generation_after = 4;
  operation.changes = {"install engine 1.2.3 (cpu)"};
  operation.steps = {{"stage", 1234567}, {"commit", -1}};
  operation.fetched = ByteSize(123456789012345);
  operation.stored = ByteSize(300);
  return operation;
}

inline state::HealthRecord full_health(const std::string& service) {
  state::HealthRecord record;
  record.service = service;
  record.checked_at = "2026-11-23T15:04:05Z";
  record.healthy = true;
  record.reason = "200 from /health";
  record.since = "2026-11-23T14:04:05Z";
  record.failures = 2;
  record.restarts = 4;
  record.restart_after = "2026-11-23T15:05:05Z";
  record.gave_up = "restarted 5 times and not well: connection refused";
  return record;
}

inline state::OverrideEvent full_override_event(std::uint64_t number) {
  state::OverrideEvent event;
  event.number = number;
  event.action = "add";
  event.id = "ov-1";
  event.capability = "engine";
  event.reason = "we patched it";
  event.until = "2026-12-31";
  event.expires_at = "2026-12-31T23:00:00Z";
  event.at = "2026-11-23T15:04:09Z";
  event.user = "root";
  event.sudo_user = "somebody";
  event.operation_id = "20261123T150409-1a2b3c";
  return event;
}

inline state::RegistryRecord full_registry(const std::string& name) {
  state::RegistryRecord registry;
  registry.name = name;
  registry.number = 3;
  registry.url = "https://example.test/registry";
  registry.public_key = "RWRwvEmZKX/6AC0LcvCKjzSYY+WgKP06035m4ItPWaNuvYi0tHWeUeAY";
  registry.added_at = "2026-11-23T15:04:10Z";
  registry.added_by = "root";
  registry.version = 12;
  registry.created = "2026-11-22T00:00:00Z";
  registry.expires = "2026-12-22T00:00:00Z";
  registry.snapshot = digest_filled_with('e').to_string();
  registry.previous_snapshot = digest_filled_with('f').to_string();
  registry.packages = 40;
  registry.etag = "\"abc\"";
  registry.last_modified = "Sun, 22 Nov 2026 00:00:00 GMT";
  registry.accepted_at = "2026-11-23T15:04:11Z";
  registry.checked_at = "2026-11-23T15:04:12Z";
  return registry;
}

inline state::PinnedDigest full_pin(const std::string& url) {
  return {.url = url, .digest = digest_filled_with('d'), .pinned_at = "2026-11-23T15:04:08Z"};
}

}  // namespace las::test
