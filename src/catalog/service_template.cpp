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
Values placeholders(const Manifest& manifest, ServiceTemplate::Kind kind) {
  Values values = {{"payload", {}}, {"data", {}}, {"port", {}}, {"host", {}}};
  if (kind == ServiceTemplate::Kind::Deployment) {
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

std::string read_template(const Node& node, const Values& values) {
  std::string text = node.required_string();
  try {
    text::expand(text, values);
  } catch (const Error& error) {
    std::vector<std::string> names;
    for (const auto& [name, value] : values)
      names.push_back("{" + name + "}");
    const std::string nearest = nearest_name(error.subject(), names);
    node.fault(
        error.what(),
        nearest.empty() ? nearest : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
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
        if (!source.executables.contains(name))
          node.fault(fmt::format(fmt::runtime(_("the {} source of {} {} gives no executable {}")),
                                 source.kind(),
                                 release.version.text(),
                                 variant.name,
                                 name));
}

HealthCheck read_health(const Node& node) {
  HealthCheck health;
  node.allow_only(kKeys.at("health"));
  const Node http = node["http"], tcp = node["tcp"];
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
  if (node.present() && health.kind == HealthCheck::Kind::None)
    node.fault(_("needs http or tcp"));
  if (const auto period = read_duration(node["start_period"]))
    health.start_period = std::chrono::ceil<std::chrono::seconds>(*period);
  if (const auto interval = read_duration(node["interval"]))
    health.interval = *interval;
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
  const Values values = placeholders(manifest, service.kind);
  const Node command = node["command"];
  if (!command.present())
    command.required_string();
  for (const Node& item : command.items()) {
    service.command.push_back(read_template(item, values));
    require_executable_everywhere(item, service.command.back(), manifest);
  }
  if (command.is_sequence() && service.command.empty())
    command.fault(_("is empty"));
  const Node environment = node["environment"];
  for (const std::string& name : environment.keys())
    service.environment[name] = read_template(environment[name], values);
  constexpr int kMaxPort = 65535;
  if (const auto port = read_int(node["port"], 1, kMaxPort))
    service.port = static_cast<std::uint16_t>(*port);
  service.health = read_health(node["health"]);
  service.stop_signal = node["stop_signal"].one_of(kStopSignals).value_or("SIGTERM");
  if (const auto timeout = read_duration(node["stop_timeout"]))
    service.stop_timeout = std::chrono::ceil<std::chrono::seconds>(*timeout);
  service.formats = node["formats"].strings();
  if (service.kind == ServiceTemplate::Kind::Deployment && service.formats.empty())
    node["formats"].fault(_("a deployment names the model formats it serves"));
  service.api = node["api"].string().value_or("");
  const Node doors = node["needs_open"];
  for (const std::string& name : doors.keys())
    service.needs_open[name] = read_doors(doors[name]);
  return service;
}

}  // namespace las::catalog
