// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"
#include "values.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/lockfile/document.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace las::lockfile {

using document::Node;

namespace {

// Reads a list of named objects; a second one of a name is a fault. Sorted by name.
template <typename Item>
std::vector<Item> named_items(const Node& list,
                              const std::function<Item(const Node&)>& read,
                              std::string Item::*name) {
  std::vector<Item> items;
  for (const Node& node : list.items()) {
    Item item = read(node);
    const std::string& own = item.*name;
    const bool repeats =
        !own.empty() &&
        std::any_of(items.begin(), items.end(), [&](const Item& i) { return i.*name == own; });
    if (repeats)
      node.fault(fmt::format(fmt::runtime(_("'{}' is named twice")), own));
    items.push_back(std::move(item));
  }
  std::sort(
      items.begin(), items.end(), [&](const Item& a, const Item& b) { return a.*name < b.*name; });
  return items;
}

state::Reason reason_of(const Node& node) {
  node.required_string();
  for (const state::Reason reason : {state::Reason::Dependency, state::Reason::Optional}) {
    if (word_of(node, kReasons) == state::to_string(reason))
      return reason;
  }
  return state::Reason::User;
}

Machine read_machine(const Node& node) {
  Machine machine;
  if (!node.present())
    node.fault(_("missing key"));
  allow_keys(node, "machine");
  machine.architecture = node["architecture"].required_string();
  machine.gpu_vendor = word_of(node["gpu_vendor"], kGpuVendors);
  machine.compute_capability_min = least_of(node["compute_capability_min"]);
  machine.driver_min = least_of(node["driver_min"]);
  machine.cuda_min = least_of(node["cuda_min"]);
  machine.glibc_min = least_of(node["glibc_min"]);
  machine.vram_min = node["vram_min"].size();
  machine.cpu_features = node["cpu_features"].strings();
  return machine;
}

void read_policy(const Node& node, Document& document) {
  allow_keys(node, "policy");
  for (const Node& item : node["documents"].items()) {
    allow_keys(item, "policy.document");
    item["digest"].required_string();
    document.policies.push_back({item["name"].required_string(),
                                 word_of(item["layer"], kLayers),
                                 digest_of(item["digest"]).value_or(Digest())});
  }
  for (const Node& item : node["overrides"].items()) {
    allow_keys(item, "policy.override");
    document.overrides.push_back(
        {item["capability"].required_string(), item["reason"].string().value_or("")});
  }
}

state::WorldEntry read_wish(const Node& node) {
  allow_keys(node, "wish");
  state::WorldEntry wish;
  wish.module = name_of(node["name"]);
  wish.range = range_of(node["version"]).to_string();
  wish.variant = node["variant"].string().value_or("");
  wish.mode = word_of(node["mode"], kModes);
  wish.held = node["hold"].boolean().value_or(false);
  wish.wished = node["wished"].boolean().value_or(true);
  return wish;
}

Provenance read_source(const Node& node) {
  if (!node.present())
    node.fault(_("missing key"));
  allow_keys(node, "source");
  Provenance source;
  source.kind = node["kind"].required_string();
  source.delivered = node["delivered"].string().value_or("");
  for (const Node& item : node["artifacts"].items()) {
    allow_keys(item, "artifact");
    item["digest"].required_string();
    source.artifacts.push_back(
        {item["from"].required_string(), digest_of(item["digest"]).value_or(Digest())});
  }
  source.requirements = node["requirements"].strings();
  source.packages = texts_of(node["packages"]);
  return source;
}

Module read_module(const Node& node) {
  allow_keys(node, "module");
  Module module;
  module.line = node.line();
  module.name = name_of(node["name"]);
  module.version = version_of(node["version"]);
  module.variant = node["variant"].string().value_or("");
  module.mode = word_of(node["mode"], kModes);
  module.reason = reason_of(node["reason"]);
  module.source = read_source(node["source"]);
  return module;
}

// "name", "name=1.2" and "name@>=1.2" stand for the object with these keys, as on a command line.
Module read_short_module(const Node& node) {
  const std::string written = node.string().value_or("");
  const std::size_t end = std::min(written.find_first_of("=@"), written.size());
  Module module;
  module.line = node.line();
  module.name = written.substr(0, end);
  if (!text::is_name(module.name))
    node.fault(_("not a module name"), _("write name, name=version or 'name@range'"));
  if (end == written.size())
    return module;
  const auto range =
      VersionRange::parse((written[end] == '=' ? "=" : "") + written.substr(end + 1));
  if (!range || range->any())
    node.fault(_("not a version range"), _("write name, name=version or 'name@range'"));
  module.version = range.value_or(VersionRange());
  return module;
}

Module read_wished_module(const Node& node) {
  if (node.is_scalar())
    return read_short_module(node);
  allow_keys(node, "wished.module");
  Module module;
  module.line = node.line();
  module.name = name_of(node["name"]);
  module.version = range_of(node["version"]);
  module.variant = node["variant"].string().value_or("");
  module.mode = word_of(node["mode"], kModes);
  module.hold = node["hold"].boolean();
  return module;
}

// The library knows models by SHA-256.
std::optional<Digest> model_digest_of(const Node& node) {
  const auto digest = digest_of(node);
  if (digest && digest->algorithm() != "sha256")
    node.fault(_("not a SHA-256 digest"), _("write sha256: and 64 hexadecimal digits"));
  return digest;
}

Model read_model(const Node& node) {
  allow_keys(node, "model");
  Model model;
  model.line = node.line();
  model.name = name_of(node["name"]);
  model.format = node["format"].required_string();
  node["digest"].required_string();
  model.digest = model_digest_of(node["digest"]);
  model.size = node["size"].size();
  model.source = node["source"].string().value_or("");
  return model;
}

Model read_wished_model(const Node& node) {
  allow_keys(node, "wished.model");
  Model model;
  model.line = node.line();
  model.name = name_of(node["name"]);
  model.path = node["path"].string().value_or("");
  model.digest = model_digest_of(node["digest"]);
  if (model.path.empty() && !node["digest"].present())
    node.fault(_("neither path nor digest"), _("name the file, or the digest that is expected"));
  return model;
}

void read_common(const Node& node, Service& service) {
  service.line = node.line();
  service.model = node["model"].present() ? name_of(node["model"]) : "";
  service.port = port_of(node["port"]);
  if (node["options"].present())
    service.options = texts_of(node["options"]);
  service.running = node["running"].boolean().value_or(true);
}

Service read_service(const Node& node) {
  allow_keys(node, "service");
  Service service;
  read_common(node, service);
  service.name = name_of(node["name"]);
  service.engine = name_of(node["engine"]);
  service.model_digest = model_digest_of(node["model_digest"]);
  service.host = node["host"].string().value_or("");
  if (!node["port"].present())
    node["port"].fault(_("missing key"));
  if (!service.options)
    service.options.emplace();
  return service;
}

Service read_wished_service(const Node& node) {
  allow_keys(node, "wished.service");
  Service service;
  read_common(node, service);
  service.engine = node["engine"].present() ? name_of(node["engine"]) : "";
  if (node["name"].present())
    service.name = name_of(node["name"]);
  else
    service.name = service.model;
  if (!node["model"].present())
    node["model"].fault(_("missing key"), _("name the model to serve"));
  return service;
}

// What a service names has to be in the lock itself.
void check_services(const Node& root, const Document& document) {
  std::vector<std::string> models;
  for (const Model& model : document.models)
    models.push_back(model.name);
  for (const Node& node : root["services"].items()) {
    const std::string engine = node["engine"].string().value_or("");
    if (!engine.empty() && document.find_module(engine) == nullptr)
      node["engine"].fault(_("no module of this lock"));
    const std::string name = node["model"].string().value_or("");
    const Model* model = document.find_model(name);
    if (!name.empty() && model == nullptr) {
      const std::string nearest = nearest_name(name, models);
      node["model"].fault(
          _("no model of this lock"),
          nearest.empty() ? "" : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
    }
    const auto digest = Digest::parse(node["model_digest"].string().value_or(""));
    if (model != nullptr && digest && model->digest != digest)
      node["model_digest"].fault(_("not the digest of this lock's model"));
  }
}

void check_ports(const Node& root) {
  std::map<long long, int> taken;
  for (const Node& node : root["services"].items()) {
    const Node port = node["port"];
    const auto number = port.is_scalar() ? port_of(port) : std::nullopt;
    if (number && !taken.emplace(*number, node.line()).second)
      port.fault(fmt::format(fmt::runtime(_("port {} is named twice")), *number));
  }
}

void read_lock(const Node& root, Document& document) {
  allow_keys(root, "lock");
  document.machine = read_machine(root["machine"]);
  read_policy(root["policy"], document);
  document.world =
      named_items<state::WorldEntry>(root["world"], read_wish, &state::WorldEntry::module);
  document.modules = named_items<Module>(root["modules"], read_module, &Module::name);
  document.models = named_items<Model>(root["models"], read_model, &Model::name);
  document.services = named_items<Service>(root["services"], read_service, &Service::name);
  check_services(root, document);
}

void read_wishes(const Node& root, Document& document) {
  allow_keys(root, "wishes");
  document.modules = named_items<Module>(root["modules"], read_wished_module, &Module::name);
  document.models = named_items<Model>(root["models"], read_wished_model, &Model::name);
  document.services = named_items<Service>(root["services"], read_wished_service, &Service::name);
}

}  // namespace

Document parse(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  const Node root = document::parse(text, file, diagnostics);
  Document document;
  if (!root.present()) {
    if (!diagnostics.has_errors())
      diagnostics.add({Severity::Error, file, 0, 0, "", _("the document is empty"), ""});
    return document;
  }
  if (!root.is_map()) {
    root.fault(_("must be a map of keys"));
    return document;
  }
  if (!root["schema"].present())
    root["schema"].fault(_("missing key"), "schema: 1");
  else if (root["schema"].integer().value_or(1) != 1)
    root["schema"].fault(_("unknown schema"), _("this las knows schema 1"));
  if (word_of(root["kind"], kKinds) == "lock") {
    document.kind = Document::Kind::Lock;
    read_lock(root, document);
  } else {
    read_wishes(root, document);
  }
  check_ports(root);
  return document;
}

}  // namespace las::lockfile
