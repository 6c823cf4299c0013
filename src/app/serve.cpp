// SPDX-License-Identifier: Apache-2.0
#include "las/app/serve.hpp"

#include "las/app/models.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/model/library.hpp"
#include "las/platform/net.hpp"
#include "las/service/unit.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

bool serves(const catalog::Manifest& manifest, const std::string& format) {
  return manifest.service && manifest.service->kind == catalog::ServiceTemplate::Kind::Deployment &&
         std::find(manifest.service->formats.begin(), manifest.service->formats.end(), format) !=
             manifest.service->formats.end();
}

namespace {

const state::InstalledModule& choose_engine(Session& session,
                                            const ServeRequest& request,
                                            const state::ModelRecord& model,
                                            const state::Generation& present,
                                            const Activity& activity) {
  const catalog::Catalog& catalog = session.catalog(activity);
  if (!request.engine.empty()) {
    const state::InstalledModule* engine = present.find(request.engine);
    if (engine == nullptr) {
      catalog.get(request.engine);  // an unknown name gets its own error
      throw Error(ErrorKind::NotFound, _("this engine is not installed"), request.engine)
          .hint(fmt::format(fmt::runtime(_("install it with: las install {}")), request.engine));
    }
    if (!serves(catalog.get(request.engine), model.format))
      throw Error(
          ErrorKind::Unsatisfiable,
          fmt::format(fmt::runtime(_("this engine does not serve {} models")), model.format),
          request.engine);
    return *engine;
  }
  for (const state::InstalledModule& module : present.modules) {
    const catalog::Manifest* manifest = catalog.find(module.name);
    if (manifest != nullptr && serves(*manifest, model.format))
      return module;
  }
  Error error(ErrorKind::Unsatisfiable,
              fmt::format(fmt::runtime(_("no installed engine serves {} models")), model.format),
              model.name);
  for (const catalog::Brief& module : catalog.briefs()) {
    if (module.serves_models && serves(catalog.get(module.name), model.format) &&
        session.verdict(activity).decide(std::string(module.name)).allowed) {
      error.hint(fmt::format(fmt::runtime(_("install one with: las install {}")), module.name));
      break;
    }
  }
  throw error;
}

std::uint16_t choose_service_port(Session& session,
                                  const ServeRequest& request,
                                  const state::ServiceInstance* existing) {
  std::vector<state::PortLease> leases;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { leases = transaction.ports(); });
  if (!request.port) {
    if (existing != nullptr)
      return existing->port;
    return service::choose_port(static_cast<std::uint16_t>(session.config().integer("ports.first")),
                                static_cast<std::uint16_t>(session.config().integer("ports.last")),
                                leases);
  }
  const bool ours = existing != nullptr && existing->port == *request.port;
  for (const state::PortLease& lease : leases) {
    if (lease.port == *request.port && !ours)
      throw Error(
          ErrorKind::Busy,
          fmt::format(
              fmt::runtime(_("port {} belongs to the service {}")), lease.port, lease.owner))
          .hint(_("choose another with --port, or leave it out"));
  }
  if (!ours && !platform::port_is_free(*request.port))
    throw Error(ErrorKind::Busy,
                fmt::format(fmt::runtime(_("port {} is in use by another program")), *request.port))
        .hint(_("choose another with --port, or leave it out"));
  return *request.port;
}

// Everything a template may name.
std::map<std::string, std::string> placeholders(const state::ServiceInstance& instance,
                                                const state::InstalledModule& module,
                                                const fs::path& payload,
                                                const fs::path& model_path,
                                                const catalog::Manifest& manifest) {
  std::map<std::string, std::string> values = {
      {"payload", payload.string()},
      {"data", instance.data_directory},
      {"port", std::to_string(instance.port)},
      {"host", instance.host},
      {"model.path", model_path.string()},
      {"model.name", instance.model},
  };
  for (const auto& [name, path] : module.executables)
    values["exe." + name] = path;
  for (const catalog::Option& option : manifest.options)
    values["option." + option.name] = option.default_value;
  for (const auto& [name, value] : instance.options)
    values["option." + name] = value;
  return values;
}

// Fills command, environment, health and unit text of `instance` from the manifest's template.
void render_instance(Session& session,
                     state::ServiceInstance& instance,
                     const state::InstalledModule& module,
                     const catalog::Manifest& manifest) {
  if (!manifest.service)
    throw Error(ErrorKind::Unsatisfiable,
                _("the manifest of this module no longer describes a service"),
                manifest.name)
        .hint(_("stop and remove its services first"));
  const catalog::ServiceTemplate& service = *manifest.service;
  const fs::path payload =
      module.store_name.empty() ? fs::path() : session.layout().store() / module.store_name;
  std::vector<fs::path> readable;
  if (!payload.empty())
    readable.push_back(payload);
  fs::path model_path;
  if (const auto digest = Digest::parse(instance.model_digest);
      digest && !instance.model_digest.empty()) {
    model_path = session.layout().models() / "blobs" / (digest->algorithm() + "-" + digest->hex());
    readable.push_back(model_path);
  }
  const auto values = placeholders(instance, module, payload, model_path, manifest);
  with_context([&] { return "service of " + manifest.name; },
               [&] {
                 instance.argv.clear();
                 for (const std::string& word : service.command)
                   instance.argv.push_back(text::expand(word, values));
                 instance.environment.clear();
                 for (const auto& [name, value] : service.environment)
                   instance.environment[name] = text::expand(value, values);
               });
  switch (service.health.kind) {
    case catalog::HealthCheck::Kind::Http:
      instance.health_kind = "http";
      break;
    case catalog::HealthCheck::Kind::Tcp:
      instance.health_kind = "tcp";
      break;
    case catalog::HealthCheck::Kind::None:
      instance.health_kind = "none";
      break;
  }
  instance.health_path = service.health.path;
  instance.start_period_s = service.health.start_period.count();
  instance.stop_signal = service.stop_signal;
  instance.stop_timeout_s = service.stop_timeout.count();
  instance.api = service.api;

  // Only systemd reads unit files, and only its layout can be described by one.
  instance.unit_text.clear();
  if (session.supervisor().name() != "systemd")
    return;
  service::UnitInput input;
  input.instance = instance;
  input.description = instance.model.empty()
                          ? manifest.name
                          : fmt::format("{} served by {}", instance.model, manifest.name);
  input.module_version = module.delivered.empty() ? module.version : module.delivered;
  input.las_version = version();
  input.state_directory = session.layout().state;
  input.data_directory = instance.data_directory;
  input.readable = readable;
  input.needs_open = service.needs_open;
  input.scope = session.layout().scope;
  instance.unit_text = service::render_unit(input);
}

}  // namespace

PreparedPlan prepare_serve(Session& session,
                           const ServeRequest& request,
                           const Activity& activity) {
  model::ModelLibrary library(session.files(), session.clock(), session.layout(), session.store());
  const state::ModelRecord model = library.get(request.model);
  state::Generation present;
  session.store().read(
      [&](const state::ReadTransaction& transaction) { present = transaction.current(); });
  require_model_file(session, model.name, model.digest.to_string());
  const state::InstalledModule& engine = choose_engine(session, request, model, present, activity);

  state::ServiceInstance instance;
  instance.id = request.name.empty() ? model.name : request.name;
  if (!text::is_name(instance.id))
    throw Error(ErrorKind::Usage, _("not a usable name for a service"), instance.id)
        .hint(_("use lower-case letters, digits, '.', '_' and '-'"));
  const state::ServiceInstance* existing = present.find_service(instance.id);
  if (existing != nullptr && existing->model != model.name)
    throw Error(ErrorKind::Busy, _("a service of this name exists for something else"), instance.id)
        .hint(_("give this one another name with --name"));
  instance.module = engine.name;
  instance.model = model.name;
  instance.model_digest = model.digest.to_string();
  instance.port = choose_service_port(session, request, existing);
  instance.data_directory = session.layout().data(instance.id).string();
  render_instance(session, instance, engine, session.catalog(activity).get(engine.name));

  PreparedPlan prepared;
  prepared.base_generation = present.number;
  if (existing == nullptr || !(*existing == instance))
    prepared.plan = plan::make_deploy_plan(present, instance);
  add_override_lines(session, prepared, activity);
  if (const std::string limits = session.supervisor().limits(); !limits.empty())
    prepared.notes.push_back(limits);
  return prepared;
}

state::ServiceInstance rebuild_service(Session& session,
                                       const state::ServiceInstance& old,
                                       const state::InstalledModule& module,
                                       const Activity& activity) {
  state::ServiceInstance instance = old;
  render_instance(session, instance, module, session.catalog(activity).get(module.name));
  return instance;
}

}  // namespace las::app
