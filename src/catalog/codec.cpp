// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include "bytes.hpp"

#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <type_traits>
#include <variant>
#include <vector>

namespace las::catalog {

namespace {

template <typename Value, typename Record>
concept Is = std::same_as<std::remove_const_t<Value>, Record>;

// One list of members serves both ways. Each list binds every member by position, so a member that
// is added to a record does not compile until it stands here.

void members(auto& archive, Is<HardwareNeeds> auto& record) {
  auto& [cores,
         ram,
         vram,
         multi_gpu,
         vendor,
         capability,
         driver,
         cuda,
         glibc,
         features,
         machines,
         os,
         tools] = record;
  archive(cores,
          ram,
          vram,
          multi_gpu,
          vendor,
          capability,
          driver,
          cuda,
          glibc,
          features,
          machines,
          os,
          tools);
}

void members(auto& archive, Is<ModuleDependency> auto& record) {
  auto& [name, range] = record;
  archive(name, range);
}

void members(auto& archive, Is<Dependencies> auto& record) {
  auto& [system, modules, runtime, capabilities, optional] = record;
  archive(system, modules, runtime, capabilities, optional);
}

void members(auto& archive, Is<ChecksumFile> auto& record) {
  auto& [url, format] = record;
  archive(url, format);
}

void members(auto& archive, Is<ArchivePart> auto& record) {
  auto& [urls, digest, checksum, size, strip, into] = record;
  archive(urls, digest, checksum, size, strip, into);
}

void members(auto& archive, Is<ArchiveSource> auto& record) {
  auto& [parts] = record;
  archive(parts);
}

void members(auto& archive, Is<AptSource> auto& record) {
  auto& [packages] = record;
  archive(packages);
}

void members(auto& archive, Is<PythonSource> auto& record) {
  auto& [requirements, python, lock_file] = record;
  archive(requirements, python, lock_file);
}

void members(auto& archive, Is<NpmSource> auto& record) {
  auto& [lock_file, lock, node, allow_scripts] = record;
  archive(lock_file, lock, node, allow_scripts);
}

void members(auto& archive, Is<DebSource> auto& record) {
  auto& [packages, without, versions, digests] = record;
  archive(packages, without, versions, digests);
}

void members(auto& archive, Is<ImageSource> auto& record) {
  auto& [name, tag, digest, file] = record;
  archive(name, tag, digest, file);
}

void members(auto& archive, Is<ContainerTemplate> auto& record) {
  auto& [command, check, environment, port, data, temporary, capabilities] = record;
  archive(command, check, environment, port, data, temporary, capabilities);
}

void members(auto& archive, Is<ManifestFile> auto& record) {
  auto& [from, to, executable] = record;
  archive(from, to, executable);
}

void members(auto& archive, Is<Source> auto& record) {
  auto& [how, delivers, executables, files, needs, download, installed, note] = record;
  archive(how, delivers, executables, files, needs, download, installed, note);
}

void members(auto& archive, Is<Variant> auto& record) {
  auto& [name, needs, sources, priority] = record;
  archive(name, needs, sources, priority);
}

void members(auto& archive, Is<Release> auto& record) {
  auto& [version, date, variants, dependencies, data_format] = record;
  archive(version, date, variants, dependencies, data_format);
}

void members(auto& archive, Is<HealthCheck> auto& record) {
  auto& [kind, path, expect, command, environment, start_period, interval, timeout, retries] =
      record;
  archive(kind, path, expect, command, environment, start_period, interval, timeout, retries);
}

void members(auto& archive, Is<Preparation> auto& record) {
  auto& [makes, command] = record;
  archive(makes, command);
}

void members(auto& archive, Is<ConfigFile> auto& record) {
  auto& [name, from, text] = record;
  archive(name, from, text);
}

void members(auto& archive, Is<Limits> auto& record) {
  auto& [memory, cpu_percent, tasks, io_weight, cpus] = record;
  archive(memory, cpu_percent, tasks, io_weight, cpus);
}

void members(auto& archive, Is<ServiceTemplate> auto& record) {
  auto& [kind,
         command,
         container,
         prepare,
         config,
         secrets,
         notify,
         authenticates,
         auth_command,
         limits,
         environment,
         port,
         health,
         signal,
         timeout,
         formats,
         api,
         metrics,
         open] = record;
  archive(kind,
          command,
          container,
          prepare,
          config,
          secrets,
          notify,
          authenticates,
          auth_command,
          limits,
          environment,
          port,
          health,
          signal,
          timeout,
          formats,
          api,
          metrics,
          open);
}

void members(auto& archive, Is<SystemChanges> auto& record) {
  auto& [sysctl, groups, users] = record;
  archive(sysctl, groups, users);
}

void members(auto& archive, Is<Option> auto& record) {
  auto& [type, name, description, default_value, choices] = record;
  archive(type, name, description, default_value, choices);
}

void members(auto& archive, Is<Manifest> auto& record) {
  auto& [schema,
         name,
         category,
         version,
         description,
         license,
         homepage,
         needs,
         dependencies,
         modes,
         preferred_mode,
         provides,
         consumes,
         checksum,
         signature,
         releases,
         service,
         options,
         conflicts,
         system,
         deprecated,
         origin,
         directory] = record;
  archive(schema,
          name,
          category,
          version,
          description,
          license,
          homepage,
          needs,
          dependencies,
          modes,
          preferred_mode,
          provides,
          consumes,
          checksum,
          signature,
          releases,
          service,
          options,
          conflicts,
          system,
          deprecated);
  static_cast<void>(origin);
  static_cast<void>(directory);
}

// Negative numbers are small too: 0, -1, 1, -2 ... become 0, 1, 2, 3 ...
std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1U) ^ -static_cast<std::int64_t>(value & 1U);
}

class Encoder {
 public:
  template <typename... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }

  const std::string& bytes() const { return writer_.bytes(); }

 private:
  void put(const std::string& value) { writer_.text(value); }

  void put(const Version& value) { writer_.text(value.text()); }

  void put(const VersionRange& value) { writer_.text(value.to_string()); }

  void put(const Digest& value) { writer_.text(value.to_string()); }

  void put(ByteSize value) { writer_.number(value.bytes()); }

  template <typename Value>
  requires std::integral<Value> || std::is_enum_v<Value>

  void put(Value value) { writer_.number(zigzag(static_cast<std::int64_t>(value))); }

  template <typename Count, typename Period>
  void put(std::chrono::duration<Count, Period> value) {
    put(value.count());
  }

  template <typename Value>
  void put(const std::optional<Value>& value) {
    put(value.has_value());
    if (value)
      put(*value);
  }

  template <typename Value>
  void put(const std::vector<Value>& values) {
    writer_.number(values.size());
    for (const Value& value : values)
      put(value);
  }

  template <typename Value>
  void put(const std::map<std::string, Value>& values) {
    writer_.number(values.size());
    for (const auto& [key, value] : values) {
      put(key);
      put(value);
    }
  }

  template <typename... Kinds>
  void put(const std::variant<Kinds...>& value) {
    writer_.number(value.index());
    std::visit([&](const auto& held) { put(held); }, value);
  }

  template <typename Record>
  requires std::is_aggregate_v<Record>

  void put(const Record& record) { members(*this, record); }

  ByteWriter writer_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : reader_(bytes) {}

  template <typename... Values>
  void operator()(Values&... values) {
    (get(values), ...);
  }

  bool at_end() const { return reader_.at_end(); }

 private:
  void get(std::string& value) { value = reader_.text(); }

  void get(Version& value) { value = Version(std::string(reader_.text())); }

  void get(VersionRange& value) { get_parsed(value); }

  void get(Digest& value) { get_parsed(value); }

  void get(ByteSize& value) { value = ByteSize(reader_.number()); }

  template <typename Value>
  void get_parsed(Value& value) {
    auto parsed = Value::parse(reader_.text());
    if (!parsed)
      ByteReader::fail();
    value = *std::move(parsed);
  }

  template <typename Value>
  requires std::integral<Value> || std::is_enum_v<Value>

  void get(Value& value) { value = static_cast<Value>(unzigzag(reader_.number())); }

  template <typename Count, typename Period>
  void get(std::chrono::duration<Count, Period>& value) {
    Count count{};
    get(count);
    value = std::chrono::duration<Count, Period>(count);
  }

  template <typename Value>
  void get(std::optional<Value>& value) {
    bool present = false;
    get(present);
    if (present)
      get(value.emplace());
  }

  template <typename Value>
  void get(std::vector<Value>& values) {
    const std::size_t size = reader_.count();
    values.resize(size);
    for (Value& value : values)
      get(value);
  }

  template <typename Value>
  void get(std::map<std::string, Value>& values) {
    const std::size_t size = reader_.count();
    for (std::size_t i = 0; i < size; ++i) {
      std::string key;
      get(key);
      get(values[std::move(key)]);
    }
  }

  template <std::size_t Index = 0, typename... Kinds>
  void get(std::variant<Kinds...>& value) {
    get_alternative<0>(value, reader_.number());
  }

  template <std::size_t Index, typename... Kinds>
  void get_alternative(std::variant<Kinds...>& value, std::uint64_t index) {
    if constexpr (Index == sizeof...(Kinds)) {
      ByteReader::fail();
    } else if (index == Index) {
      get(value.template emplace<Index>());
    } else {
      get_alternative<Index + 1>(value, index);
    }
  }

  template <typename Record>
  requires std::is_aggregate_v<Record>

  void get(Record& record) { members(*this, record); }

  ByteReader reader_;
};

}  // namespace

std::string encode(const Manifest& manifest) {
  Encoder encoder;
  encoder(manifest);
  return encoder.bytes();
}

Manifest decode(std::string_view bytes) {
  Decoder decoder(bytes);
  Manifest manifest;
  decoder(manifest);
  if (!decoder.at_end())
    ByteReader::fail();
  return manifest;
}

}  // namespace las::catalog
