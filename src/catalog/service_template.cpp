// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"
#include "parts.hpp"
#include "values.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::catalog {

namespace {

using document::Node;
using Values = std::map<std::string, std::string>;

// Every placeholder that a template of this manifest may name.
Values placeholders(const Manifest& manifest, const ServiceTemplate& service) {
  Values values = {{"payload", {}}, {"data", {}}, {"config", {}}, {"port", {}}, {"host", {}}};
  for (const auto& [name, text] : service.secrets)
    values["secret." + name];
  if (service.kind == ServiceTemplate::Kind::Deployment) {
    values["model.path"];
    values["model.name"];
  }
  for (const Option& option : manifest.options)
    values["option." + option.name];
  for (const Release& release : manifest.releases)
    for (const Variant& variant : release.variants)
      for (const Source& source : variant.sources)
        for (const auto& [name, path] : source.executables)
          values["exe." + name];
  return values;
}

std::string nearest_placeholder(const std::string& wrong, const Values& values) {
  std::vector<std::string> names;
  for (const auto& [name, value] : values)
    names.push_back("{" + name + "}");
  const std::string nearest = nearest_name(wrong, names);
  return nearest.empty() ? nearest : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest);
}

std::string read_template(const Node& node, const Values& values) {
  std::string text = node.required_string();
  try {
    text::expand(text, values);
  } catch (const Error& error) {
    node.fault(error.what(), nearest_placeholder(error.subject(), values));
  }
  return text;
}

// A command must find its program whichever source delivered it.
void require_executable_everywhere(const Node& node,
                                   const std::string& word,
                                   const Manifest& manifest) {
  constexpr std::string_view kStart = "{exe.";
  if (!word.starts_with(kStart) || !word.ends_with('}'))
    return;
  const std::string name = word.substr(kStart.size(), word.size() - kStart.size() - 1);
  for (const Release& release : manifest.releases)
    for (const Variant& variant : release.variants)
      for (const Source& source : variant.sources)
        if (source.mode() == Mode::Native && !source.executables.contains(name))
          node.fault(fmt::format(fmt::runtime(_("the {} source of {} {} gives no executable {}")),
                                 source.kind(),
                                 release.version.text(),
                                 variant.name,
                                 name));
}

std::vector<std::string> read_command(const Node& node,
                                      const Values& values,
                                      const Manifest& manifest) {
  std::vector<std::string> command;
  if (!node.present())
    node.required_string();
  for (const Node& item : node.items()) {
    command.push_back(read_template(item, values));
    require_executable_everywhere(item, command.back(), manifest);
  }
  if (node.is_sequence() && command.empty())
    node.fault(_("is empty"));
  return command;
}

std::vector<Preparation> read_preparations(const Node& node,
                                           Values values,
                                           const Manifest& manifest) {
  values["making"];
  std::vector<Preparation> all;
  for (const Node& item : node.items()) {
    item.allow_only(kKeys.at("preparation"));
    all.push_back(
        {read_inner_path(item["makes"]), read_command(item["command"], values, manifest)});
  }
  return all;
}

ContainerTemplate read_container(const Node& node, const Values& values, const Manifest& manifest) {
  constexpr int kMaxPort = 65535;
  ContainerTemplate container;
  node.allow_only(kKeys.at("container"));
  if (node["command"].present())
    container.command = read_command(node["command"], values, manifest);
  if (node["check"].present())
    container.check = read_command(node["check"], values, manifest);
  const Node environment = node["environment"];
  for (const std::string& name : environment.keys())
    container.environment[name] = read_template(environment[name], values);
  const auto port = read_int(node["port"], 1, kMaxPort);
  container.port = static_cast<std::uint16_t>(port.value_or(0));
  if (!node["port"].present())
    node["port"].required_string();
  if (node["data"].present())
    container.data = read_absolute_path(node["data"]);
  for (const Node& item : node["temporary"].items())
    container.temporary.push_back(read_absolute_path(item));
  for (const Node& item : node["capabilities"].items()) {
    const std::string name = item.required_string();
    container.capabilities.push_back(name);
    if (!name.starts_with("CAP_") ||
        name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") != std::string::npos)
      item.fault(_("not a capability"), _("write it like CAP_NET_BIND_SERVICE"));
  }
  return container;
}

std::vector<ConfigFile> read_config_files(const Node& node) {
  std::vector<ConfigFile> all;
  for (const std::string& name : node.keys()) {
    const Node item = node[name];
    if (!text::is_name(name))
      item.fault(_("not the name of a file"),
                 _("use lower-case letters, digits, '.', '_' and '-'"));
    all.push_back({name, read_inner_path(item), {}});
  }
  return all;
}

std::map<std::string, std::string> read_secrets(const Node& node) {
  std::map<std::string, std::string> secrets;
  for (const std::string& name : node.keys()) {
    if (!text::is_name(name))
      node[name].fault(_("not the name of a file"),
                       _("use lower-case letters, digits, '.', '_' and '-'"));
    secrets[name] = read_template(node[name], {{"word", {}}});
  }
  return secrets;
}

Limits read_limits(const Node& node) {
  constexpr int kMostPercent = 100000, kMostTasks = 4000000, kMostWeight = 10000;
  Limits limits;
  node.allow_only(kKeys.at("limits"));
  if (const auto memory = node["memory"].string()) {
    limits.memory = ByteSize::parse(*memory);
    if (!limits.memory || limits.memory->bytes() == 0)
      node["memory"].fault(_("is not a size such as 512MB"));
  }
  limits.cpu_percent = read_int(node["cpu_percent"], 1, kMostPercent).value_or(0);
  limits.tasks = read_int(node["tasks"], 1, kMostTasks).value_or(0);
  limits.io_weight = read_int(node["io_weight"], 1, kMostWeight).value_or(0);
  if (const auto cpus = node["cpus"].string()) {
    limits.cpus = *cpus;
    if (!is_cpu_list(*cpus))
      node["cpus"].fault(_("not a list of cores"), _("write it like 0-3,8"));
  }
  return limits;
}

HealthCheck read_health(const Node& node, const Values& values, const Manifest& manifest) {
  HealthCheck health;
  node.allow_only(kKeys.at("health"));
  const Node http = node["http"], tcp = node["tcp"], exec = node["exec"];
  if (http.present()) {
    health.kind = HealthCheck::Kind::Http;
    health.path = http.string().value_or("/");
    if (!health.path.starts_with('/') || health.path.find_first_of(" \t\n") != std::string::npos)
      http.fault(_("not the path of an address"), _("write it like /health"));
  }
  if (tcp.boolean().value_or(false)) {
    if (health.kind == HealthCheck::Kind::Http)
      tcp.fault(_("http is given too: one of them"));
    health.kind = HealthCheck::Kind::Tcp;
  }
  if (exec.present()) {
    if (health.kind != HealthCheck::Kind::None)
      exec.fault(_("http or tcp is given too: one of them"));
    health.kind = HealthCheck::Kind::Exec;
    health.command = read_command(exec, values, manifest);
  }
  if (node.present() && health.kind == HealthCheck::Kind::None)
    node.fault(_("needs http, tcp or exec"));
  health.expect = node["expect"].string().value_or("");
  if (!health.expect.empty() && health.kind == HealthCheck::Kind::Tcp)
    node["expect"].fault(_("a connection has no text to look into"));
  const Node environment = node["environment"];
  Values with_word = values;
  with_word["word"];
  for (const std::string& name : environment.keys())
    health.environment[name] = read_template(environment[name], with_word);
  if (const auto period = read_duration(node["start_period"]))
    health.start_period = std::chrono::ceil<std::chrono::seconds>(*period);
  if (const auto interval = read_duration(node["interval"]))
    health.interval = *interval;
  if (const auto timeout = read_duration(node["timeout"]))
    health.timeout = *timeout;
  constexpr int kMostRetries = 100;
  health.retries = read_int(node["retries"], 1, kMostRetries).value_or(health.retries);
  return health;
}

// "value  # reason" lines: one door may be opened several times, each for its reason.
std::string read_doors(const Node& node) {
  std::string out;
  for (const Node& item : node.is_map() ? std::vector<Node>{node} : node.items()) {
    item.allow_only(kKeys.at("door"));
    const std::string value = item["value"].required_string();
    const std::string reason = item["reason"].required_string();
    if (value.find_first_of("#\n") != std::string::npos)
      item["value"].fault(_("must be one line without '#'"));
    if (reason.find('\n') != std::string::npos)
      item["reason"].fault(_("must be one line"));
    if (!out.empty())
      out += '\n';
    out += value;
    out += "  # ";
    out += reason;
  }
  return out;
}

bool fits(const Option& option, const std::string& value) {
  switch (option.type) {
    case Option::Type::Text:
      return true;
    case Option::Type::Integer:
      return !value.empty() &&
             value.find_first_not_of("0123456789", value[0] == '-' ? 1 : 0) == std::string::npos &&
             value != "-";
    case Option::Type::Boolean:
      return value == "true" || value == "false";
    case Option::Type::Size:
      return ByteSize::parse(value).has_value();
    case Option::Type::Choice:
      return std::find(option.choices.begin(), option.choices.end(), value) != option.choices.end();
  }
  return false;
}

Option read_option(const Node& node) {
  Option option;
  node.allow_only(kKeys.at("option"));
  option.name = read_name(node["name"]);
  const std::string type = node["type"].one_of(kOptionTypes).value_or("text");
  const auto position = std::find(kOptionTypes.begin(), kOptionTypes.end(), type);
  option.type = static_cast<Option::Type>(position - kOptionTypes.begin());
  option.description = node["description"].string().value_or("");
  option.choices = node["choices"].strings();
  option.default_value = node["default"].string().value_or("");
  if (option.type == Option::Type::Choice && option.choices.empty())
    node["choices"].fault(_("a choice needs its choices"));
  if (option.type != Option::Type::Choice && !option.choices.empty())
    node["choices"].fault(_("only an option of type choice has choices"));
  if (node["default"].is_scalar() && !fits(option, option.default_value))
    node["default"].fault(
        fmt::format(fmt::runtime(_("'{}' is not of type {}")), option.default_value, type));
  return option;
}

}  // namespace

bool is_cpu_list(const std::string& text) {
  for (const std::string& range : text::split(text, ',')) {
    const auto parts = text::split(range, '-');
    if (parts.empty() || parts.size() > 2)
      return false;
    for (const std::string& part : parts) {
      constexpr std::size_t kMostDigits = 4;
      if (part.empty() || part.size() > kMostDigits ||
          part.find_first_not_of("0123456789") != std::string::npos)
        return false;
    }
  }
  return !text.empty();
}

std::vector<Option> read_options(const Node& node) {
  std::vector<Option> options;
  std::set<std::string> names;
  for (const Node& item : node.items()) {
    options.push_back(read_option(item));
    const std::string& name = options.back().name;
    if (!name.empty() && !names.insert(name).second)
      item["name"].fault(fmt::format(fmt::runtime(_("option {} stands twice")), name));
  }
  return options;
}

ServiceTemplate read_service(const Node& node, const Manifest& manifest) {
  ServiceTemplate service;
  node.allow_only(kKeys.at("service"));
  const auto kind = node["kind"].one_of(kServiceKinds);
  if (kind == "deployment")
    service.kind = ServiceTemplate::Kind::Deployment;
  service.secrets = read_secrets(node["secrets"]);
  const Values values = placeholders(manifest, service);
  if (node["container"].present())
    service.container = read_container(node["container"], values, manifest);
  if (!service.container || node["command"].present())
    service.command = read_command(node["command"], values, manifest);
  service.prepare = read_preparations(node["prepare"], values, manifest);
  service.config = read_config_files(node["config"]);
  service.limits = read_limits(node["limits"]);
  service.notify = node["notify"].boolean().value_or(false);
  if (const Node auth = node["auth"]; auth.is_sequence()) {
    service.auth_command = read_command(auth, values, manifest);
    service.authenticates = !service.auth_command.empty();
  } else if (auth.present()) {
    service.authenticates = auth.one_of({"always"}).has_value();
  }
  const Node environment = node["environment"];
  for (const std::string& name : environment.keys())
    service.environment[name] = read_template(environment[name], values);
  constexpr int kMaxPort = 65535;
  if (const auto port = read_int(node["port"], 1, kMaxPort))
    service.port = static_cast<std::uint16_t>(*port);
  service.health = read_health(node["health"], values, manifest);
  service.stop_signal = node["stop_signal"].one_of(kStopSignals).value_or("SIGTERM");
  if (const auto timeout = read_duration(node["stop_timeout"]))
    service.stop_timeout = std::chrono::ceil<std::chrono::seconds>(*timeout);
  service.formats = node["formats"].strings();
  if (service.kind == ServiceTemplate::Kind::Deployment && service.formats.empty())
    node["formats"].fault(_("a deployment names the model formats it serves"));
  service.api = node["api"].string().value_or("");
  service.metrics = node["metrics"].string().value_or("");
  if (!service.metrics.empty() && !service.metrics.starts_with('/'))
    node["metrics"].fault(_("not the path of an address"), _("write it like /metrics"));
  const Node doors = node["needs_open"];
  for (const std::string& name : doors.keys())
    service.needs_open[name] = read_doors(doors[name]);
  return service;
}

void check_config_template(const ConfigFile& file,
                           const Manifest& manifest,
                           Diagnostics& diagnostics) {
  const Values values = placeholders(manifest, *manifest.service);
  try {
    text::expand(file.text, values);
  } catch (const Error& error) {
    diagnostics.add({Severity::Error,
                     manifest.directory + "/" + file.from,
                     0,
                     0,
                     {},
                     error.what(),
                     nearest_placeholder(error.subject(), values)});
  }
}

}  // namespace las::catalog
