// SPDX-License-Identifier: Apache-2.0
// The services of a document: which engine, which port, and what of it is there already.
#include "apply_parts.hpp"

#include "las/app/serve.hpp"
#include "las/app/service_options.hpp"
#include "las/app/services.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/net.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

namespace {

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool names_subject(const plan::Plan& plan, const std::string& subject, plan::Action action) {
  return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const auto& planned) {
    return planned.action == action && planned.subject == subject;
  });
}

class ServicePlanner {
 public:
  ServicePlanner(Session& session,
                 const ApplyRequest& request,
                 const state::Generation& present,
                 const std::vector<std::string>& modules_after,
                 PreparedApply& prepared,
                 const Activity& activity)
      : session_(session),
        request_(request),
        present_(present),
        modules_after_(modules_after),
        prepared_(prepared),
        wanted_(prepared.comparison.wanted),
        activity_(activity),
        models_(models(session)) {}

  void plan() {
    for (const lockfile::Service& service : wanted_.services)
      add(service);
    faults_.throw_if_errors(_("a service cannot be as the file says"));
    if (wanted_.kind == lockfile::Document::Kind::Lock || request_.prune == lockfile::Prune::Yes)
      undeploy_others();
    const bool runs = std::any_of(
        prepared_.plan.plan.actions.begin(),
        prepared_.plan.plan.actions.end(),
        [](const plan::PlannedAction& action) { return action.action == plan::Action::Deploy; });
    if (const std::string limits = session_.supervisor().limits(); runs && !limits.empty())
      prepared_.plan.notes.push_back(limits);
  }

 private:
  const state::ServiceInstance* existing(const std::string& id) const {
    return present_.find_service(id);
  }

  void fault(const lockfile::Service& service, std::string key, std::string message) {
    faults_.add({Severity::Error,
                 request_.file,
                 service.line,
                 0,
                 "services." + service.name + "." + key,
                 std::move(message),
                 ""});
  }

  // Of several that serve the format: the one it has, else the first by name.
  std::string choose_engine(const lockfile::Service& service, const std::string& format) const {
    if (!service.engine.empty())
      return service.engine;
    const state::ServiceInstance* before = existing(service.name);
    if (before != nullptr && contains(modules_after_, before->module))
      return before->module;
    for (const std::string& name : modules_after_) {
      const catalog::Manifest* manifest = session_.catalog(activity_).find(name);
      if (manifest != nullptr && serves(*manifest, format))
        return name;
    }
    return {};
  }

  struct Content {
    std::string digest, format;
  };

  // What the model is once the imports are done; nothing for an unknown one.
  std::optional<Content> content_of(const std::string& name) const {
    for (const ModelImport& model : prepared_.imports) {
      if (model.name == name)
        return Content{model.digest.to_string(), model.format};
    }
    for (const state::ModelRecord& model : models_) {
      if (model.name == name)
        return Content{model.digest.to_string(), model.format};
    }
    return std::nullopt;
  }

  bool is_imported(const std::string& name) const {
    return std::any_of(prepared_.imports.begin(), prepared_.imports.end(), [&](const auto& model) {
      return model.name == name;
    });
  }

  void add(const lockfile::Service& service) {
    const auto content = content_of(service.model);
    if (!service.model.empty() && !content) {
      fault(service,
            "model",
            fmt::format(fmt::runtime(_("no model {} in the library or in this file")),
                        service.model));
      return;
    }
    const std::string format = content ? content->format : "";
    const std::string engine = choose_engine(service, format);
    if (engine.empty() || !contains(modules_after_, engine)) {
      fault(service,
            "engine",
            engine.empty()
                ? fmt::format(fmt::runtime(_("no module of this file or machine serves {} models")),
                              format)
                : fmt::format(fmt::runtime(_("{} is neither installed nor named in this file")),
                              engine));
      return;
    }
    if (!check_engine(service, engine, format))
      return;

    state::ServiceInstance instance;
    const state::ServiceInstance* before = existing(service.name);
    if (before != nullptr)
      instance = *before;
    instance.id = service.name;
    instance.module = engine;
    instance.model = service.model;
    instance.model_digest = content ? content->digest : "";
    if (service.options)
      instance.options = *service.options;
    if (!set_host(service, instance))
      return;
    instance.port = choose_port(service, before);
    instance.data_directory = session_.layout().data(service.name).string();
    if (content && !is_imported(service.model))
      require_model_file(session_, service.model, instance.model_digest);
    // What is rendered follows from these fields; only they are compared.
    if (before != nullptr && *before == instance) {
      note_state(service);
      return;
    }
    deploy(std::move(instance));
    if (!service.running)  // it has to prove itself all the same
      prepared_.stop.push_back(service.name);
  }

  // An address of this machine alone is a matter of taste; who else may reach a service is said by
  // its options, which policies and authentication go with.
  bool set_host(const lockfile::Service& service, state::ServiceInstance& instance) {
    const bool is_local = service.host.empty() || service.host == "localhost" ||
                          service.host == "::1" || service.host.starts_with("127.");
    const auto network = instance.options.find("network");
    const bool is_exposed = network != instance.options.end() && network->second != "local";
    if (!is_local && !is_exposed) {
      fault(service,
            "host",
            _("others than this machine reach a service by its options: network: lan"));
      return false;
    }
    if (!service.host.empty())
      instance.host = service.host;
    return true;
  }

  bool check_engine(const lockfile::Service& service,
                    const std::string& engine,
                    const std::string& format) {
    const catalog::Manifest* manifest = session_.catalog(activity_).find(engine);
    if (manifest == nullptr)
      return true;  // installed, gone from the catalog: what runs goes on
    if (!service.model.empty() && !serves(*manifest, format)) {
      fault(service,
            "engine",
            fmt::format(fmt::runtime(_("{} does not serve {} models")), engine, format));
      return false;
    }
    bool sound = true;
    for (const auto& [option, text] :
         option_faults(*manifest, service.options.value_or(std::map<std::string, std::string>()))) {
      fault(service, "options." + option, text);
      sound = false;
    }
    return sound;
  }

  std::uint16_t choose_port(const lockfile::Service& service,
                            const state::ServiceInstance* before) {
    if (before != nullptr && (!service.port || *service.port == before->port))
      return before->port;
    // Of services that stay where they are, and of those this file has given one.
    std::vector<state::PortLease> leases = given_;
    bool ours = false;
    for (const state::ServiceInstance& other : present_.services) {
      const lockfile::Service* named = wanted_.find_service(other.id);
      const bool moves = named != nullptr && named->port && *named->port != other.port;
      const bool goes = leaves(other);
      if (!moves && !goes && other.id != service.name)
        leases.push_back({other.port, other.id});
      ours = ours || (service.port && other.port == *service.port);
    }
    for (const lockfile::Service& other : wanted_.services) {
      if (other.port && other.name != service.name)
        leases.push_back({*other.port, other.name});
    }
    if (!service.port) {
      const auto port =
          service::choose_port(static_cast<std::uint16_t>(session_.config().integer("ports.first")),
                               static_cast<std::uint16_t>(session_.config().integer("ports.last")),
                               leases);
      given_.push_back({port, service.name});
      return port;
    }
    for (const state::PortLease& lease : leases) {
      if (lease.port == *service.port)
        throw Error(
            ErrorKind::Busy,
            fmt::format(
                fmt::runtime(_("port {} belongs to the service {}")), lease.port, lease.owner),
            service.name)
            .hint(_("give one of them another port in the file"));
    }
    if (!ours && !platform::port_is_free(*service.port))
      throw Error(
          ErrorKind::Busy,
          fmt::format(fmt::runtime(_("port {} is in use by another program")), *service.port),
          service.name)
          .hint(_("end that program, or give the service another port in the file"));
    return *service.port;
  }

  bool leaves(const state::ServiceInstance& service) const {
    const bool prunes =
        wanted_.kind == lockfile::Document::Kind::Lock || request_.prune == lockfile::Prune::Yes;
    return (prunes && wanted_.find_service(service.id) == nullptr) ||
           !contains(modules_after_, service.module);
  }

  void deploy(state::ServiceInstance instance) {
    plan::Plan& plan = prepared_.plan.plan;
    // What comes with its module anyhow comes as the file says.
    plan.actions.erase(std::remove_if(plan.actions.begin(),
                                      plan.actions.end(),
                                      [&](const plan::PlannedAction& planned) {
                                        return planned.action == plan::Action::Deploy &&
                                               planned.subject == instance.id;
                                      }),
                       plan.actions.end());
    plan::PlannedAction action;
    action.action = plan::Action::Deploy;
    action.subject = instance.id;
    action.why =
        instance.model.empty()
            ? fmt::format(fmt::runtime(_("runs {}")), instance.module)
            : fmt::format(fmt::runtime(_("serves {} with {}")), instance.model, instance.module);
    action.requires_modules = {instance.module};
    const auto change = std::find_if(plan.actions.begin(), plan.actions.end(), [&](const auto& a) {
      return plan::brings_module(a.action) && a.subject == instance.module;
    });
    if (change != plan.actions.end()) {
      // Its paths are known once the module is staged: the transaction renders it then.
      action.version = change->version;
      action.variant = change->variant;
      action.mode = change->mode;
    } else {
      const state::InstalledModule& module = *present_.find(instance.module);
      action.version = module.version;
      action.variant = module.variant;
      action.mode = module.mode;
      instance = rebuild_service(session_, instance, module, activity_);
    }
    action.service = std::move(instance);
    prepared_.plan.plan.actions.push_back(std::move(action));
  }

  void note_state(const lockfile::Service& service) {
    for (const ServiceView& view : services(session_, {service.name})) {
      const bool up = view.wished_running && (view.status.state == service::RunState::Running ||
                                              view.status.state == service::RunState::Starting);
      if (service.running && !up)
        prepared_.start.push_back(service.name);
      else if (!service.running && view.wished_running)
        prepared_.stop.push_back(service.name);
    }
  }

  void undeploy_others() {
    plan::Plan& plan = prepared_.plan.plan;
    std::vector<plan::PlannedAction> first;
    for (const state::ServiceInstance& service : present_.services) {
      if (!leaves(service) || names_subject(plan, service.id, plan::Action::Undeploy))
        continue;
      for (plan::PlannedAction& action : plan::make_undeploy_plan(present_, service.id).actions) {
        action.why = _("not in the file");
        first.push_back(std::move(action));
      }
    }
    plan.actions.insert(plan.actions.begin(),
                        std::make_move_iterator(first.begin()),
                        std::make_move_iterator(first.end()));
  }

  Session& session_;
  const ApplyRequest& request_;
  const state::Generation& present_;
  const std::vector<std::string>& modules_after_;
  PreparedApply& prepared_;
  const lockfile::Document& wanted_;
  const Activity& activity_;
  std::vector<state::ModelRecord> models_;
  std::vector<state::PortLease> given_;
  Diagnostics faults_;
};

}  // namespace

void plan_services(Session& session,
                   const ApplyRequest& request,
                   const state::Generation& present,
                   const std::vector<std::string>& modules_after,
                   PreparedApply& prepared,
                   const Activity& activity) {
  ServicePlanner(session, request, present, modules_after, prepared, activity).plan();
}

}  // namespace las::app
