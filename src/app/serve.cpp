// SPDX-License-Identifier: Apache-2.0
#include "las/app/serve.hpp"

#include "installed_manifest.hpp"

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
    if (!serves(installed_manifest(session, *engine, activity), model.format))
      throw Error(
          ErrorKind::Unsatisfiable,
          fmt::format(fmt::runtime(_("this engine does not serve {} models")), model.format),
          request.engine);
    return *engine;
  }
  for (const state::InstalledModule& module : present.modules) {
    const auto manifest = find_installed_manifest(session, module, activity);
    if (manifest && serves(*manifest, model.format))
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

  const std::string id = request.name.empty() ? model.name : request.name;
  if (!text::is_name(id))
    throw Error(ErrorKind::Usage, _("not a usable name for a service"), id)
        .hint(_("use lower-case letters, digits, '.', '_' and '-'"));
  const state::ServiceInstance* existing = present.find_service(id);
  if (existing != nullptr && existing->model != model.name)
    throw Error(ErrorKind::Busy, _("a service of this name exists for something else"), id)
        .hint(_("give this one another name with --name"));
  // What it was told before stays.
  state::ServiceInstance instance = existing != nullptr ? *existing : state::ServiceInstance{};
  instance.id = id;
  if (request.gpu)
    instance.options["gpu"] = *request.gpu;
  instance.module = engine.name;
  instance.model = model.name;
  instance.model_digest = model.digest.to_string();
  instance.port = choose_service_port(session, request, existing);
  instance.data_directory = session.layout().data(instance.id).string();
  instance = rebuild_service(session, instance, engine, activity);

  PreparedPlan prepared;
  prepared.base_generation = present.number;
  if (existing == nullptr || !(*existing == instance))
    prepared.plan = plan::make_deploy_plan(present, instance);
  add_override_lines(session, prepared, activity);
  if (const std::string limits = session.supervisor().limits(); !limits.empty())
    prepared.notes.push_back(limits);
  return prepared;
}

}  // namespace las::app
