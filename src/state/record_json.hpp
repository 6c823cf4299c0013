// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/i18n.hpp"
#include "las/state/records.hpp"

#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

/// The JSON spelling of every record. Each record is described once, by `fields`, and the same
/// description writes and reads it, so that a field cannot be written and forgotten by the reader.
///
/// Reading ignores fields it does not know (a record of a las that knew more) and refuses a missing
/// or mistyped one: a Fault that says which, for the caller to name the record. A field that came
/// later is visited with `later`: written only when it differs from what it means to lack it, so
/// that the records of an earlier las are read, and written again, as they were.
namespace las::state::record_json {

using Json = nlohmann::json;

/// Why a value is not the record it should be, "services[0].port: out of range". Becomes the cause
/// of a CorruptState in decode().
struct Fault {
  std::string text;

  static Fault at(const std::string& path, const std::string& text) {
    return Fault{path.empty() ? text : path + ": " + text};
  }
};

template <typename Record, typename Wanted>
concept Is = std::same_as<std::remove_const_t<Record>, Wanted>;

template <typename Visitor, Is<WorldEntry> Record>
void fields(Visitor& visit, Record& record) {
  visit("module", record.module);
  visit("range", record.range);
  visit("variant", record.variant);
  visit("mode", record.mode);
  visit("held", record.held);
  visit.later("wished", record.wished, true);
}

template <typename Visitor, Is<ExternalChange> Record>
void fields(Visitor& visit, Record& record) {
  visit("kind", record.kind);
  visit("before", record.before);
  visit("wanted", record.wanted);
}

template <typename Visitor, Is<InstalledArtifact> Record>
void fields(Visitor& visit, Record& record) {
  visit("from", record.from);
  visit("digest", record.digest);
}

template <typename Visitor, Is<InstalledModule> Record>
void fields(Visitor& visit, Record& record) {
  visit("name", record.name);
  visit("version", record.version);
  visit("delivered", record.delivered);
  visit("variant", record.variant);
  visit("mode", record.mode);
  visit("reason", record.reason);
  visit("source", record.source);
  visit("source_detail", record.source_detail);
  visit("store_name", record.store_name);
  visit("tree_digest", record.tree_digest);
  visit("pinned_now", record.pinned_now);
  visit("size", record.size);
  visit("installed_at", record.installed_at);
  visit("executables", record.executables);
  visit("external", record.external);
  visit("requires_modules", record.requires_modules);
  visit.later("artifacts", record.artifacts, std::vector<InstalledArtifact>{});
  visit.later("data_format", record.data_format, std::string());
  visit.later("recipe", record.recipe, std::map<std::string, std::string>{});
}

template <typename Visitor, Is<PreparedPath> Record>
void fields(Visitor& visit, Record& record) {
  visit("makes", record.makes);
  visit("command", record.command);
}

template <typename Visitor, Is<HealthRules> Record>
void fields(Visitor& visit, Record& record) {
  visit("command", record.command);
  visit("environment", record.environment);
  visit("expect", record.expect);
  visit("interval_s", record.interval_s);
  visit("timeout_ms", record.timeout_ms);
  visit("retries", record.retries);
}

template <typename Visitor, Is<ServiceLimits> Record>
void fields(Visitor& visit, Record& record) {
  visit("memory", record.memory);
  visit("cpu_percent", record.cpu_percent);
  visit("tasks", record.tasks);
  visit("io_weight", record.io_weight);
  visit("cpus", record.cpus);
  visit.later("numa_nodes", record.numa_nodes, std::string());
}

template <typename Visitor, Is<GrantedGpu> Record>
void fields(Visitor& visit, Record& record) {
  visit("vendor", record.vendor);
  visit("id", record.id);
  visit("nodes", record.nodes);
  visit("groups", record.groups);
  visit("cdi", record.cdi);
}

template <typename Visitor, Is<ContainerRun> Record>
void fields(Visitor& visit, Record& record) {
  visit("engine", record.engine);
  visit("image", record.image);
  visit("options", record.options);
  visit("command", record.command);
  visit.later("network", record.network, std::string());
  visit.later("cgroup_driver", record.cgroup_driver, std::string());
  visit.later("user", record.user, std::string());
}

template <typename Visitor, Is<OnDemand> Record>
void fields(Visitor& visit, Record& record) {
  visit("inner_port", record.inner_port);
  visit("idle_s", record.idle_s);
}

template <typename Visitor, Is<ServiceInstance> Record>
void fields(Visitor& visit, Record& record) {
  visit("id", record.id);
  visit("module", record.module);
  visit("model", record.model);
  visit("model_digest", record.model_digest);
  visit("port", record.port);
  visit("host", record.host);
  visit("argv", record.argv);
  visit("environment", record.environment);
  visit("health_kind", record.health_kind);
  visit("health_path", record.health_path);
  visit("start_period_s", record.start_period_s);
  visit("stop_signal", record.stop_signal);
  visit("stop_timeout_s", record.stop_timeout_s);
  visit("api", record.api);
  visit("data_directory", record.data_directory);
  visit("unit_text", record.unit_text);
  visit.later("options", record.options, std::map<std::string, std::string>{});
  visit.later("more_units", record.more_units, std::map<std::string, std::string>{});
  visit.later("prepare", record.prepare, std::vector<PreparedPath>{});
  visit.later("config", record.config, std::map<std::string, std::string>{});
  visit.later("secrets", record.secrets, std::map<std::string, std::string>{});
  visit.later("metrics", record.metrics, std::string());
  visit.later("notifies", record.notifies, false);
  visit.later("network", record.network, std::string("local"));
  visit.later("asks_for_word", record.asks_for_word, false);
  visit.later("uses", record.uses, std::vector<std::string>{});
  visit.later("health", record.health, HealthRules{});
  visit.later("limits", record.limits, ServiceLimits{});
  visit.later("on_demand", record.on_demand, std::optional<OnDemand>{});
  visit.later("container", record.container, std::optional<ContainerRun>{});
  visit.later("gpus", record.gpus, std::vector<GrantedGpu>{});
}

template <typename Visitor, Is<Generation> Record>
void fields(Visitor& visit, Record& record) {
  visit("number", record.number);
  visit("parent", record.parent);
  visit("created_at", record.created_at);
  visit("operation_id", record.operation_id);
  visit("command", record.command);
  visit("modules", record.modules);
  visit("services", record.services);
  visit("world", record.world);
}

template <typename Visitor, Is<ServiceWish> Record>
void fields(Visitor& visit, Record& record) {
  visit("id", record.id);
  visit("running", record.running);
  visit.later("at_boot", record.at_boot, std::optional<bool>{});
  visit.later("kept_from_boot", record.kept_from_boot, false);
}

template <typename Visitor, Is<PortLease> Record>
void fields(Visitor& visit, Record& record) {
  visit("port", record.port);
  visit("owner", record.owner);
}

template <typename Visitor, Is<ModelRecord> Record>
void fields(Visitor& visit, Record& record) {
  visit("name", record.name);
  visit("format", record.format);
  visit("digest", record.digest);
  visit("size", record.size);
  visit("source", record.source);
  visit("imported_at", record.imported_at);
  visit("architecture", record.architecture);
  visit("quantization", record.quantization);
  visit("license", record.license);
  visit("parameters", record.parameters);
  visit("context_length", record.context_length);
  visit("note", record.note);
}

template <typename Visitor, Is<HealthRecord> Record>
void fields(Visitor& visit, Record& record) {
  visit("service", record.service);
  visit("checked_at", record.checked_at);
  visit("healthy", record.healthy);
  visit("reason", record.reason);
  visit("since", record.since);
  visit("failures", record.failures);
  visit("restarts", record.restarts);
  visit("restart_after", record.restart_after);
  visit("gave_up", record.gave_up);
}

template <typename Visitor, Is<DataRecord> Record>
void fields(Visitor& visit, Record& record) {
  visit("service", record.service);
  visit("module", record.module);
  visit("version", record.version);
  visit("format", record.format);
}

template <typename Visitor, Is<DataSnapshot> Record>
void fields(Visitor& visit, Record& record) {
  visit("id", record.id);
  visit("service", record.service);
  visit("module", record.module);
  visit("format", record.format);
  visit("directory", record.directory);
  visit("path", record.path);
  visit("created_at", record.created_at);
  visit("operation_id", record.operation_id);
  visit("size", record.size);
}

template <typename Visitor, Is<DataMove> Record>
void fields(Visitor& visit, Record& record) {
  visit("kind", record.kind);
  visit("snapshot", record.snapshot);
  visit("restore", record.restore);
  visit("to_version", record.to_version);
  visit("to_format", record.to_format);
  visit("from_version", record.from_version);
  visit("done", record.done);
}

template <typename Visitor, Is<OperationStep> Record>
void fields(Visitor& visit, Record& record) {
  visit("name", record.name);
  visit("ms", record.ms);
}

template <typename Visitor, Is<AuditEntry> Record>
void fields(Visitor& visit, Record& record) {
  visit("number", record.number);
  visit("at", record.at);
  visit("user", record.user);
  visit("sudo_user", record.sudo_user);
  visit("operation_id", record.operation_id);
  visit("event", record.event);
  visit("subject", record.subject);
  visit("detail", record.detail);
  visit("previous", record.previous);
  visit("hash", record.hash);
}

template <typename Visitor, Is<Journal> Record>
void fields(Visitor& visit, Record& record) {
  visit("operation_id", record.operation_id);
  visit("command", record.command);
  visit("started_at", record.started_at);
  visit("boot_id", record.boot_id);
  visit("phase", record.phase);
  visit("from_generation", record.from_generation);
  visit("to_generation", record.to_generation);
  visit("staged_payloads", record.staged_payloads);
  visit("external", record.external);
  visit("wishes", record.wishes);
  visit.later("purge", record.purge, std::vector<std::string>{});
  visit.later("data", record.data, std::vector<DataMove>{});
  visit.later("keep_unhealthy", record.keep_unhealthy, false);
}

template <typename Visitor, Is<OperationRecord> Record>
void fields(Visitor& visit, Record& record) {
  visit("id", record.id);
  visit("command", record.command);
  visit("user", record.user);
  visit("started_at", record.started_at);
  visit("ended_at", record.ended_at);
  visit("outcome", record.outcome);
  visit("error", record.error);
  visit("generation_before", record.generation_before);
  visit("generation_after", record.generation_after);
  visit("changes", record.changes);
  visit.later("sudo_user", record.sudo_user, std::string());
  visit.later("steps", record.steps, std::vector<OperationStep>{});
  visit.later("fetched", record.fetched, ByteSize());
  visit.later("stored", record.stored, ByteSize());
}

template <typename Visitor, Is<OverrideEvent> Record>
void fields(Visitor& visit, Record& record) {
  visit("number", record.number);
  visit("action", record.action);
  visit("id", record.id);
  visit("capability", record.capability);
  visit("reason", record.reason);
  visit("until", record.until);
  visit("expires_at", record.expires_at);
  visit("at", record.at);
  visit("user", record.user);
  visit("sudo_user", record.sudo_user);
  visit("operation_id", record.operation_id);
}

template <typename Visitor, Is<PinnedDigest> Record>
void fields(Visitor& visit, Record& record) {
  visit("url", record.url);
  visit("digest", record.digest);
  visit("pinned_at", record.pinned_at);
}

template <typename Visitor, Is<RegistryRecord> Record>
void fields(Visitor& visit, Record& record) {
  visit("name", record.name);
  visit("number", record.number);
  visit("url", record.url);
  visit("public_key", record.public_key);
  visit("added_at", record.added_at);
  visit("added_by", record.added_by);
  visit("version", record.version);
  visit("created", record.created);
  visit("expires", record.expires);
  visit("snapshot", record.snapshot);
  visit("previous_snapshot", record.previous_snapshot);
  visit("packages", record.packages);
  visit("etag", record.etag);
  visit("last_modified", record.last_modified);
  visit("accepted_at", record.accepted_at);
  visit("checked_at", record.checked_at);
}

/// Every value of an enum, for reading its spelling back.
template <typename Enum>
inline constexpr std::initializer_list<Enum> kEvery = {};
template <>
inline constexpr std::initializer_list<Reason> kEvery<Reason> = {
    Reason::User, Reason::Dependency, Reason::Optional};
template <>
inline constexpr std::initializer_list<DataMove::Kind> kEvery<DataMove::Kind> = {
    DataMove::Kind::Copy, DataMove::Kind::Exchange};
template <>
inline constexpr std::initializer_list<Phase> kEvery<Phase> = {
    Phase::Planned, Phase::Staging, Phase::Staged, Phase::Committed, Phase::Returning};

// ---- writing

inline Json write(const std::string& value) {
  return value;
}

template <std::integral Integer>
Json write(Integer value) {
  return value;
}

inline Json write(ByteSize value) {
  return value.bytes();
}

inline Json write(const Digest& value) {
  return value.to_string();
}

inline Json write(const std::map<std::string, std::string>& value) {
  return value;
}

template <typename Enum>

requires std::is_enum_v<Enum> Json write(Enum value) {
  return std::string(to_string(value));
}

struct Writer {
  Json object = Json::object();

  template <typename Value>
  void operator()(const char* key, const Value& value);

  template <typename Value>
  void later(const char* key, const Value& value, const Value& lacking) {
    if (!(value == lacking))
      (*this)(key, value);
  }
};

template <typename Record>

requires requires(Writer& writer, const Record& record) {
  fields(writer, record);
}

Json write(const Record& record) {
  Writer writer;
  fields(writer, record);
  return std::move(writer.object);
}

template <typename Value>
Json write(const std::optional<Value>& value) {
  return value ? write(*value) : Json(nullptr);
}

template <typename Value>
Json write(const std::vector<Value>& values) {
  Json array = Json::array();
  for (const Value& value : values)
    array.push_back(write(value));
  return array;
}

template <typename Value>
void Writer::operator()(const char* key, const Value& value) {
  object[key] = write(value);
}

// ---- reading; `path` names the value for a fault

inline void read(const Json& json, const std::string& path, std::string& value) {
  if (!json.is_string())
    throw Fault::at(path, _("not a text"));
  value = json.get_ref<const std::string&>();
}

inline void read(const Json& json, const std::string& path, bool& value) {
  if (!json.is_boolean())
    throw Fault::at(path, _("neither true nor false"));
  value = json.get<bool>();
}

template <std::integral Integer>
void read(const Json& json, const std::string& path, Integer& value) {
  if (!json.is_number_integer())
    throw Fault::at(path, _("not a whole number"));
  // nlohmann's get<> wraps silently, so the range is checked in the type the parser chose.
  const bool fits = json.is_number_unsigned() ? std::in_range<Integer>(json.get<std::uint64_t>())
                                              : std::in_range<Integer>(json.get<std::int64_t>());
  if (!fits)
    throw Fault::at(path, _("out of range"));
  value = json.get<Integer>();
}

inline void read(const Json& json, const std::string& path, ByteSize& value) {
  std::uint64_t bytes = 0;
  read(json, path, bytes);
  value = ByteSize(bytes);
}

inline void read(const Json& json, const std::string& path, Digest& value) {
  std::string text;
  read(json, path, text);
  const auto digest = Digest::parse(text);
  if (!digest)
    throw Fault::at(path, _("not a digest"));
  value = *digest;
}

template <typename Enum>
requires std::is_enum_v<Enum>

void read(const Json& json, const std::string& path, Enum& value) {
  std::string text;
  read(json, path, text);
  for (const Enum candidate : kEvery<Enum>) {
    if (to_string(candidate) == text) {
      value = candidate;
      return;
    }
  }
  throw Fault::at(path, fmt::format(fmt::runtime(_("unknown value '{}'")), text));
}

inline void read(const Json& json,
                 const std::string& path,
                 std::map<std::string, std::string>& value) {
  if (!json.is_object())
    throw Fault::at(path, _("not an object"));
  value.clear();
  for (const auto& [key, member] : json.items())
    read(member, path + "." + key, value[key]);
}

struct Reader {
  const Json& object;
  std::string prefix;  ///< "" or "services[0]."

  template <typename Value>
  void operator()(const char* key, Value& value);

  template <typename Value>
  void later(const char* key, Value& value, const Value& lacking) {
    if (object.contains(key))
      (*this)(key, value);
    else
      value = lacking;
  }
};

template <typename Record>

requires requires(Reader& reader, Record& record) {
  fields(reader, record);
}

void read(const Json& json, const std::string& path, Record& record) {
  if (!json.is_object())
    throw Fault::at(path, _("not an object"));
  Reader reader{json, path.empty() ? path : path + "."};
  fields(reader, record);
}

template <typename Value>
void read(const Json& json, const std::string& path, std::optional<Value>& value) {
  value.reset();
  if (!json.is_null())
    read(json, path, value.emplace());
}

template <typename Value>
void read(const Json& json, const std::string& path, std::vector<Value>& values) {
  if (!json.is_array())
    throw Fault::at(path, _("not a list"));
  values.clear();
  for (std::size_t i = 0; i < json.size(); ++i)
    read(json[i], fmt::format("{}[{}]", path, i), values.emplace_back());
}

template <typename Value>
void Reader::operator()(const char* key, Value& value) {
  const auto found = object.find(key);
  if (found == object.end())
    throw Fault::at(prefix + key, _("missing"));
  read(*found, prefix + key, value);
}

// ---- whole values

/// Bytes that are not UTF-8 (a command line may hold any) become U+FFFD: they are text for people.
template <typename Value>
std::string encode(const Value& value) {
  return write(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

[[noreturn]] void throw_corrupt(const std::string& name, std::string cause);

/// `name` says which record it is ("models/tiny"). Throws CorruptState.
template <typename Value>
Value decode(std::string_view text, const std::string& name) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded())
    throw_corrupt(name, _("not JSON"));
  try {
    Value value{};
    read(json, {}, value);
    return value;
  } catch (Fault& fault) {
    throw_corrupt(name, std::move(fault.text));
  }
}

}  // namespace las::state::record_json
