// SPDX-License-Identifier: Apache-2.0
#include "las/app/config.hpp"

#include "las/base/diagnostics.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/document/node.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

// Marks for xgettext without translating at static-initialisation time.
#define N_(text) text

std::vector<std::string> setting_keys() {
  std::vector<std::string> keys;
  for (const Setting& setting : settings())
    keys.emplace_back(setting.key);
  return keys;
}

const Setting* find_setting(std::string_view key) {
  const auto found = std::find_if(settings().begin(),
                                  settings().end(),
                                  [&](const Setting& setting) { return key == setting.key; });
  return found == settings().end() ? nullptr : &*found;
}

std::string environment_name(std::string_view key) {
  std::string name = "LAS_";
  for (const char c : key)
    name +=
        c == '.' || c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::optional<long long> to_integer(std::string_view text) {
  long long value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// What is wrong with `value` for `setting`; "" if nothing.
std::string fault_of(const Setting& setting, std::string_view value) {
  switch (setting.type) {
    case Setting::Type::Integer: {
      const auto number = to_integer(value);
      if (!number)
        return _("is not a whole number");
      if ((setting.minimum != 0 || setting.maximum != 0) &&
          (*number < setting.minimum || *number > setting.maximum))
        return fmt::format(
            fmt::runtime(_("is not between {} and {}")), setting.minimum, setting.maximum);
      return {};
    }
    case Setting::Type::Size:
      if (!value.empty() && !ByteSize::parse(value))
        return _("is not a size such as 512MB");
      return {};
    case Setting::Type::Choice:
      if (std::find(setting.choices.begin(), setting.choices.end(), value) == setting.choices.end())
        return fmt::format(fmt::runtime(_("is not one of {}")), text::join(setting.choices, ", "));
      return {};
    case Setting::Type::Text:
    case Setting::Type::List:
      return {};
  }
  return {};
}

void read_setting(const document::Node& node,
                  const Setting& setting,
                  const std::string& file,
                  std::map<std::string, Config::Value, std::less<>>& values) {
  std::string value;
  if (setting.type == Setting::Type::List)
    value = text::join(node.strings(), ",");
  else if (const auto scalar = node.string())
    value = *scalar;
  else
    return;
  const std::string fault = fault_of(setting, value);
  if (!fault.empty()) {
    node.fault("'" + value + "' " + fault);
    return;
  }
  values[setting.key] = {value, file};
}

// Walks nested maps: the dotted path of every leaf must be a setting.
void read_map(const document::Node& map,
              const std::string& prefix,
              const std::string& file,
              std::map<std::string, Config::Value, std::less<>>& values) {
  for (const std::string& name : map.keys()) {
    const std::string key = prefix.empty() ? name : prefix + "." + name;
    const document::Node child = map[name];
    if (const Setting* setting = find_setting(key)) {
      if (child.present())
        read_setting(child, *setting, file, values);
      continue;
    }
    const bool is_section =
        std::any_of(settings().begin(), settings().end(), [&](const Setting& s) {
          return std::string_view(s.key).starts_with(key + ".");
        });
    if (is_section && child.is_map()) {
      read_map(child, key, file, values);
      continue;
    }
    const std::string nearest = nearest_name(key, setting_keys());
    child.fault(_("unknown key"),
                nearest.empty() ? "" : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  }
}

void read_file(const platform::FileReader& files,
               const fs::path& path,
               Diagnostics& diagnostics,
               std::map<std::string, Config::Value, std::less<>>& values) {
  if (!files.exists(path))
    return;
  const document::Node root =
      document::parse(files.read_file(path, ByteSize::mib(4)), path.string(), diagnostics);
  if (root.present())
    read_map(root, "", path.string(), values);
}

fs::path user_config_file(const platform::Environment& environment) {
  const auto base = environment.get("XDG_CONFIG_HOME");
  if (!base && environment.home.empty())
    return {};
  return (base ? fs::path(*base) : fs::path(environment.home) / ".config") / "las" / "config.yaml";
}

void read_environment_layer(const platform::Environment& environment,
                            std::map<std::string, Config::Value, std::less<>>& values) {
  for (const Setting& setting : settings()) {
    const std::string name = environment_name(setting.key);
    const auto found = environment.get(name);
    if (!found)
      continue;
    const std::string fault = fault_of(setting, *found);
    if (!fault.empty())
      throw Error(ErrorKind::Usage, fmt::format("{}='{}' {}", name, *found, fault))
          .hint(_("see the settings with: las config list"));
    values[setting.key] = {*found, name};
  }
}

}  // namespace

const std::vector<Setting>& settings() {
  using Type = Setting::Type;
  static const std::vector<Setting> kSettings = {
      {Type::Choice,
       "color",
       "auto",
       N_("colours on a terminal"),
       {"auto", "always", "never"},
       0,
       0},
      {Type::Text,
       "fetch.ca-file",
       "",
       N_("certificates to trust instead of the system's"),
       {},
       0,
       0},
      {Type::Choice,
       "containers.engine",
       "auto",
       N_("what containers run in from now on; auto: podman where it is, else docker"),
       {"auto", "podman", "docker"},
       0,
       0},
      {Type::Integer, "fetch.attempts", "3", N_("tries per URL"), {}, 1, 20},
      {Type::Integer,
       "fetch.connect-timeout",
       "15",
       N_("seconds to wait for a connection"),
       {},
       1,
       600},
      {Type::Integer, "fetch.parallel", "4", N_("downloads at once"), {}, 1, 64},
      {Type::Size,
       "fetch.rate-limit",
       "",
       N_("bytes per second for all downloads together"),
       {},
       0,
       0},
      {Type::Integer,
       "fetch.stall-timeout",
       "30",
       N_("seconds without data before a transfer is given up"),
       {},
       1,
       3600},
      {Type::Integer,
       "lock.wait",
       "0",
       N_("seconds to wait for another running las"),
       {},
       0,
       86400},
      {Type::Choice, "log.format", "text", N_("format of log lines"), {"text", "json"}, 0, 0},
      {Type::Choice,
       "log.level",
       "info",
       N_("least severity that is logged"),
       {"debug", "info", "warning", "error"},
       0,
       0},
      {Type::Size, "log.max-size", "10MB", N_("size at which the log file is rotated"), {}, 0, 0},
      {Type::Choice,
       "modules.mode",
       "auto",
       N_("what modules that can be both are installed as; auto: as each prefers"),
       {"auto", "native", "container"},
       0,
       0},
      {Type::Integer, "ports.first", "11500", N_("first port for services"), {}, 1024, 65535},
      {Type::Integer, "ports.last", "11999", N_("last port for services"), {}, 1024, 65535},
      {Type::Choice,
       "registry.expired",
       "refuse",
       N_("installing from a registry whose index has expired"),
       {"refuse", "warn"},
       0,
       0},
      {Type::List, "registries", "", N_("folders with more manifests, later ones win"), {}, 0, 0},
  };
  return kSettings;
}

Config Config::load(const platform::FileReader& files,
                    const platform::Layout& layout,
                    const platform::Environment& environment,
                    const std::map<std::string, std::string>& flags) {
  Config config;
  for (const Setting& setting : settings())
    config.values_[setting.key] = {setting.default_value, "default"};

  Diagnostics diagnostics;
  read_file(files, layout.config / "config.yaml", diagnostics, config.values_);
  if (const auto status = files.status(layout.config / "config.d");
      status && status->kind == platform::FileKind::Directory) {
    for (const std::string& name : files.list_directory(layout.config / "config.d")) {
      if (name.ends_with(".yaml"))
        read_file(files, layout.config / "config.d" / name, diagnostics, config.values_);
    }
  }
  const fs::path user_file = user_config_file(environment);
  // In user scope both are the same file.
  if (!user_file.empty() && user_file != layout.config / "config.yaml")
    read_file(files, user_file, diagnostics, config.values_);
  diagnostics.throw_if_errors(_("the configuration has faults"));

  read_environment_layer(environment, config.values_);
  for (const auto& [key, value] : flags) {
    check_setting(key, value);
    config.values_[key] = {value, _("command line")};
  }
  if (config.integer("ports.first") > config.integer("ports.last"))
    throw Error(ErrorKind::Usage, _("ports.first is above ports.last"));
  return config;
}

const Config::Value& Config::get(std::string_view key) const {
  const auto found = values_.find(key);
  if (found != values_.end())
    return found->second;
  const std::string nearest = nearest_name(key, setting_keys());
  throw Error(ErrorKind::NotFound, _("no such setting"), std::string(key))
      .hint(nearest.empty() ? _("see the settings with: las config list")
                            : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
}

long long Config::integer(std::string_view key) const {
  return to_integer(text(key)).value_or(0);
}

std::optional<ByteSize> Config::size(std::string_view key) const {
  return ByteSize::parse(text(key));
}

std::vector<std::string> Config::list(std::string_view key) const {
  const std::string joined = text(key);
  if (joined.empty())
    return {};
  return text::split(joined, ',');
}

void check_setting(std::string_view key, std::string_view value) {
  const Setting* setting = find_setting(key);
  if (setting == nullptr) {
    const std::string nearest = nearest_name(key, setting_keys());
    throw Error(ErrorKind::Usage, _("no such setting"), std::string(key))
        .hint(nearest.empty() ? _("see the settings with: las config list")
                              : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  }
  const std::string fault = fault_of(*setting, value);
  if (!fault.empty())
    throw Error(ErrorKind::Usage, fmt::format("{}: '{}' {}", key, value, fault));
}

fs::path writable_config_file(const platform::Layout& layout,
                              const platform::Environment& environment) {
  const bool own_root = layout.scope == platform::Scope::User || layout.root != "/";
  if (own_root || environment.uid == 0)
    return layout.config / "config.yaml";
  return user_config_file(environment);
}

fs::path write_setting(platform::FileSystem& files,
                       const platform::Layout& layout,
                       const platform::Environment& environment,
                       const std::string& key,
                       const std::optional<std::string>& value) {
  check_setting(
      key, value.value_or(find_setting(key) != nullptr ? find_setting(key)->default_value : ""));
  const fs::path path = writable_config_file(layout, environment);
  const std::string before = files.exists(path) ? files.read_file(path, ByteSize::mib(4)) : "";
  files.make_directories(path.parent_path());
  files.replace_file(path, document::edit_scalar(before, key, value));
  return path;
}

}  // namespace las::app
