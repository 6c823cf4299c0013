// SPDX-License-Identifier: Apache-2.0
#include "las/lockfile/document.hpp"

#include "yaml.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace las::lockfile {

using Json = nlohmann::ordered_json;

namespace {

template <typename Item>
const Item* find(const std::vector<Item>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

void add(Json& object, const char* key, const std::string& value) {
  if (!value.empty())
    object[key] = value;
}

void add(Json& object, const char* key, const std::optional<Version>& value) {
  if (value)
    object[key] = value->text();
}

Json machine_json(const Machine& machine) {
  Json object = Json::object();
  add(object, "architecture", machine.architecture);
  add(object, "gpu_vendor", machine.gpu_vendor);
  add(object, "compute_capability_min", machine.compute_capability_min);
  add(object, "driver_min", machine.driver_min);
  add(object, "cuda_min", machine.cuda_min);
  add(object, "glibc_min", machine.glibc_min);
  if (machine.vram_min)
    object["vram_min"] = machine.vram_min->bytes();
  if (!machine.cpu_features.empty())
    object["cpu_features"] = machine.cpu_features;
  return object;
}

Json policy_json(const Document& lock) {
  Json documents = Json::array(), overrides = Json::array();
  for (const PolicyDocument& policy : lock.policies)
    documents.push_back(
        {{"name", policy.name}, {"layer", policy.layer}, {"digest", policy.digest.to_string()}});
  for (const PolicyOverride& one : lock.overrides)
    overrides.push_back({{"capability", one.capability}, {"reason", one.reason}});
  return {{"documents", std::move(documents)}, {"overrides", std::move(overrides)}};
}

Json wish_json(const state::WorldEntry& wish) {
  Json object = {{"name", wish.module}};
  add(object, "version", wish.range);
  add(object, "variant", wish.variant);
  add(object, "mode", wish.mode);
  if (wish.held)
    object["hold"] = true;
  if (!wish.wished)
    object["wished"] = false;
  return object;
}

Json module_json(const Module& module) {
  Json object = {{"name", module.name}, {"version", module.exact_version()}};
  add(object, "variant", module.variant);
  add(object, "mode", module.mode);
  object["reason"] = std::string(state::to_string(module.reason));
  Json& source = object["source"] = {{"kind", module.source.kind}};
  add(source, "delivered", module.source.delivered);
  for (const state::InstalledArtifact& artifact : module.source.artifacts)
    source["artifacts"].push_back(
        {{"from", artifact.from}, {"digest", artifact.digest.to_string()}});
  if (!module.source.requirements.empty())
    source["requirements"] = module.source.requirements;
  if (!module.source.packages.empty())
    source["packages"] = module.source.packages;
  return object;
}

Json model_json(const Model& model) {
  Json object = {{"name", model.name}, {"format", model.format}};
  if (model.digest)
    object["digest"] = model.digest->to_string();
  if (model.size)
    object["size"] = model.size->bytes();
  add(object, "source", model.source);
  return object;
}

Json service_json(const Service& service) {
  Json object = {{"name", service.name}, {"engine", service.engine}};
  add(object, "model", service.model);
  if (service.model_digest)
    object["model_digest"] = service.model_digest->to_string();
  add(object, "host", service.host);
  if (service.port)
    object["port"] = *service.port;
  if (service.options && !service.options->empty())
    object["options"] = *service.options;
  object["running"] = service.running;
  return object;
}

template <typename Items, typename Render>
Json list(const Items& items, const Render& render) {
  Json array = Json::array();
  for (const auto& item : items)
    array.push_back(render(item));
  return array;
}

Json document_json(const Document& lock) {
  return {{"schema", 1},
          {"kind", "lock"},
          {"machine", machine_json(lock.machine)},
          {"policy", policy_json(lock)},
          {"world", list(lock.world, wish_json)},
          {"modules", list(lock.modules, module_json)},
          {"models", list(lock.models, model_json)},
          {"services", list(lock.services, service_json)}};
}

}  // namespace

std::string Module::exact_version() const {
  return version.any() ? std::string() : version.bounds().front().version.text();
}

const Module* Document::find_module(const std::string& name) const {
  return find(modules, name);
}

const Model* Document::find_model(const std::string& name) const {
  return find(models, name);
}

const Service* Document::find_service(const std::string& name) const {
  return find(services, name);
}

std::string to_json(const Document& lock) {
  return document_json(lock).dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string render(const Document& lock) {
  return "# Written by 'las lock'; 'las apply' makes a machine so, 'las apply --check' "
         "compares.\n" +
         to_yaml(document_json(lock));
}

}  // namespace las::lockfile
