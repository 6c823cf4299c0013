// SPDX-License-Identifier: Apache-2.0
#include "las/state/records.hpp"

#include "full_records.hpp"
#include "record_json.hpp"
#include "support/catch.hpp"

#include "las/base/error.hpp"

#include <set>
#include <string>

#include <nlohmann/json.hpp>

using namespace las;
using namespace las::state;
using namespace las::test;
using nlohmann::json;

namespace {

/// What decoding `text` as a Record says, "" if it does not fail.
template <typename Record>
std::string fault_of(const std::string& text) {
  try {
    record_json::decode<Record>(text, "table/key");
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::CorruptState);
    CHECK(error.hint() == "'las verify' lists everything that is damaged");
    return error.what();
  }
}

template <typename Record>
void check_round_trip(const Record& record) {
  CHECK(record_json::decode<Record>(record_json::encode(record), "x") == record);
  CHECK(record_json::decode<Record>(record_json::encode(Record{}), "x") == Record{});
}

/// Fields that came after the first records: where they are missing they are their default.
const std::set<std::string> kLater = {
    "artifacts", "asks_for_word", "at_boot",        "config",  "container", "fetched",
    "gpus",      "health",        "kept_from_boot", "limits",  "metrics",   "more_units",
    "network",   "notifies",      "on_demand",      "options", "prepare",   "recipe",
    "secrets",   "steps",         "stored",         "uses",    "wished"};

/// Every other field of a record is required: leaving out any one is a fault that names it.
template <typename Record>
void check_every_field_is_required(const Record& record) {
  const json whole = json::parse(record_json::encode(record));
  REQUIRE_FALSE(whole.empty());
  for (const auto& [key, value] : whole.items()) {
    json lacking = whole;
    lacking.erase(key);
    if (kLater.contains(key)) {
      const std::string read =
          record_json::encode(record_json::decode<Record>(lacking.dump(), "table/key"));
      CHECK(json::parse(read) == lacking);
      continue;
    }
    CHECK(fault_of<Record>(lacking.dump()) ==
          "a record of the state is damaged: table/key: " + key + ": missing");
  }
}

/// No field takes a value of another type, and the fault names the field.
template <typename Record>
void check_every_field_is_typed(const Record& record) {
  const json whole = json::parse(record_json::encode(record));
  for (const auto& [key, value] : whole.items()) {
    json wrong = whole;
    wrong[key] = 1.5;
    CHECK_THAT(
        fault_of<Record>(wrong.dump()),
        Catch::Matchers::StartsWith("a record of the state is damaged: table/key: " + key + ": "));
  }
}

template <typename Record>
void check_record(const Record& record) {
  check_round_trip(record);
  check_every_field_is_required(record);
  check_every_field_is_typed(record);
}

}  // namespace

TEST_CASE("every field of every record survives being written and read", "[state]") {
  check_record(full_world_entry());
  check_record(full_external_change());
  check_record(full_installed_module());
  check_record(full_service_instance());
  check_record(full_generation(7));
  check_record(ServiceWish{.id = "chat", .running = false, .at_boot = true});
  check_record(full_health("chat"));
  check_record(PortLease{.port = 11434, .owner = "chat"});
  check_record(full_model("tiny"));
  check_record(full_journal());
  check_record(full_operation("20261123T150405-1a2b3c"));
  check_record(full_pin("https://example.test/a"));
  check_record(full_override_event(3));
  check_record(full_registry("lab"));
}

TEST_CASE("a field that came later is read where it is, and not written where it says nothing",
          "[state]") {
  const std::string before = R"({"held":true,"mode":"","module":"engine","range":"","variant":""})";
  const auto read = record_json::decode<WorldEntry>(before, "x");
  CHECK(read.wished);
  CHECK(record_json::encode(read) == before);
  WorldEntry only_held = read;
  only_held.wished = false;
  CHECK(record_json::decode<WorldEntry>(record_json::encode(only_held), "x") == only_held);
  Journal journal = full_journal();
  CHECK(record_json::encode(journal).find("purge") == std::string::npos);
  journal.purge = {"/var/lib/las/data/chat"};
  CHECK(record_json::decode<Journal>(record_json::encode(journal), "x") == journal);
}

TEST_CASE("a service of an earlier las is read with what its absence means, and written as it was",
          "[state]") {
  ServiceInstance plain;
  plain.id = "chat";
  const std::string before = record_json::encode(plain);
  for (const char* key : {"more_units", "prepare", "secrets", "health", "limits", "on_demand"})
    CHECK(before.find("\"" + std::string(key) + "\"") == std::string::npos);
  const auto read = record_json::decode<ServiceInstance>(before, "x");
  CHECK(read == plain);
  CHECK(read.network == "local");
  CHECK(read.health.interval_s == 30);
  CHECK_FALSE(read.on_demand);
}

TEST_CASE("a part of a service that is damaged is named", "[state]") {
  json service = json::parse(record_json::encode(full_service_instance()));
  const auto fault = [&](const std::string& pointer, const json& value) {
    json damaged = service;
    damaged[json::json_pointer(pointer)] = value;
    return fault_of<ServiceInstance>(damaged.dump());
  };
  const std::string start = "a record of the state is damaged: table/key: ";
  CHECK_THAT(fault("/on_demand/inner_port", 65536), Catch::Matchers::StartsWith(start));
  CHECK_THAT(fault("/health/retries", "3"), Catch::Matchers::StartsWith(start));
  CHECK_THAT(fault("/limits/memory", -1), Catch::Matchers::StartsWith(start));
  CHECK_THAT(fault("/prepare/0/makes", 1), Catch::Matchers::StartsWith(start));
}

TEST_CASE("a wish without a word about the boot means what it says about now", "[state]") {
  CHECK(ServiceWish{"a", true, {}}.starts_at_boot());
  CHECK_FALSE(ServiceWish{"a", false, {}}.starts_at_boot());
  CHECK_FALSE(ServiceWish{"a", true, false}.starts_at_boot());
  CHECK(ServiceWish{"a", false, true}.starts_at_boot());
  const std::string before = R"({"id":"a","running":true})";
  CHECK(record_json::encode(record_json::decode<ServiceWish>(before, "x")) == before);
}

TEST_CASE("a service on demand listens behind its port", "[state]") {
  ServiceInstance service;
  service.port = 80;
  CHECK(service.own_port() == 80);
  service.on_demand = OnDemand{81, 60};
  CHECK(service.own_port() == 81);
  CHECK(service.reachable_host() == "127.0.0.1");
  service.host = "0.0.0.0";
  CHECK(service.reachable_host() == "127.0.0.1");
  service.host = "192.0.2.7";
  CHECK(service.reachable_host() == "192.0.2.7");
}

TEST_CASE("the spelling of a record on disk does not change by accident", "[state]") {
  CHECK(
      record_json::encode(full_model("tiny")) ==
      R"({"architecture":"llama","context_length":8192,"digest":"sha256:)" + std::string(64, 'c') +
          R"(","format":"gguf","imported_at":"2026-11-23T15:04:07Z","license":"apache-2.0",)"
          R"("name":"tiny","note":"random weights","parameters":7000000000,"quantization":"Q4_K",)"
          R"("size":560960,"source":"/home/somebody/tiny.gguf"})");
  CHECK(json::parse(to_json(Generation{})) ==
        json::parse(R"({"number":0,"parent":0,"created_at":"","operation_id":"","command":"",
                        "modules":[],"services":[],"world":[]})"));
}

TEST_CASE("enums are spelled as words and every word reads back", "[state]") {
  for (const auto& [reason, word] : {std::pair(Reason::User, "user"),
                                     std::pair(Reason::Dependency, "dependency"),
                                     std::pair(Reason::Optional, "optional")}) {
    CHECK(to_string(reason) == word);
    CHECK(record_json::decode<Reason>(record_json::encode(reason), "x") == reason);
  }
  for (const auto& [phase, word] : {std::pair(Phase::Planned, "planned"),
                                    std::pair(Phase::Staging, "staging"),
                                    std::pair(Phase::Staged, "staged"),
                                    std::pair(Phase::Committed, "committed"),
                                    std::pair(Phase::Returning, "returning")}) {
    CHECK(to_string(phase) == word);
    CHECK(record_json::decode<Phase>(record_json::encode(phase), "x") == phase);
  }
}

TEST_CASE("a fault in a nested record names the whole way to it", "[state]") {
  const auto damage = [](const json::json_pointer& place, const json& value) {
    json whole = json::parse(to_json(full_generation(7)));
    whole[place] = value;
    return fault_of<Generation>(whole.dump());
  };
  const std::string start = "a record of the state is damaged: table/key: ";
  CHECK(damage("/services/0/port"_json_pointer, 65536) == start + "services[0].port: out of range");
  CHECK(damage("/services/0/port"_json_pointer, -1) == start + "services[0].port: out of range");
  CHECK(damage("/services/1/port"_json_pointer, "80") ==
        start + "services[1].port: not a whole number");
  CHECK(damage("/services/0/stop_timeout_s"_json_pointer, 18446744073709551615U) ==
        start + "services[0].stop_timeout_s: out of range");
  CHECK(damage("/services/0/environment/HOME"_json_pointer, 1) ==
        start + "services[0].environment.HOME: not a text");
  CHECK(damage("/modules/0/tree_digest"_json_pointer, "sha256:../../etc") ==
        start + "modules[0].tree_digest: not a digest");
  CHECK(damage("/modules/0/reason"_json_pointer, "whim") ==
        start + "modules[0].reason: unknown value 'whim'");
  CHECK(damage("/modules/0/pinned_now"_json_pointer, 1) ==
        start + "modules[0].pinned_now: neither true nor false");
  CHECK(damage("/modules/0/external/1"_json_pointer, "apt") ==
        start + "modules[0].external[1]: not an object");
  CHECK(damage("/world"_json_pointer, json::object()) == start + "world: not a list");
}

TEST_CASE("text that is not the JSON of a record is corrupt state", "[state]") {
  const std::string start = "a record of the state is damaged: table/key: ";
  CHECK(fault_of<Journal>("") == start + "not JSON");
  CHECK(fault_of<Journal>("{\"command\": \"x") == start + "not JSON");
  CHECK(fault_of<Journal>("[]") == start + "not an object");
  CHECK_THROWS_MATCHES(
      generation_from_json("null"),
      Error,
      Catch::Matchers::Message("a record of the state is damaged: generation: not an object"));
}

TEST_CASE("a field that this las does not know is ignored", "[state]") {
  json whole = json::parse(to_json(full_generation(7)));
  whole["colour"] = "green";
  whole["modules"][0]["weight"] = {{"kg", 1}};
  CHECK(generation_from_json(whole.dump()) == full_generation(7));
}

TEST_CASE("text that is not UTF-8 is stored with replacement characters", "[state]") {
  OperationRecord operation = full_operation("id");
  operation.command = "las install \xff";
  CHECK(record_json::decode<OperationRecord>(record_json::encode(operation), "x").command ==
        "las install \xef\xbf\xbd");
}

TEST_CASE("a generation finds its modules and services by name", "[state]") {
  const Generation generation = full_generation(7);
  CHECK(generation.find("engine") == &generation.modules[0]);
  CHECK(generation.find("engin") == nullptr);
  CHECK(generation.find_service("chat") == &generation.services[0]);
  CHECK(generation.find_service("engine") == nullptr);
}
