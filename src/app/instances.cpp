// SPDX-License-Identifier: Apache-2.0
// From a manifest's template to a service that can run.
#include "instances.hpp"

#include "containers.hpp"
#include "gpus.hpp"
#include "image_user.hpp"
#include "installed_manifest.hpp"
#include "numa_nodes.hpp"

#include "las/app/serve.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/net.hpp"
#include "las/service/unit.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

using Values = std::map<std::string, std::string>;

constexpr const char* kEverywhere = "0.0.0.0";

fs::path payload_of(Session& session, const state::InstalledModule& module) {
  return module.store_name.empty() ? fs::path() : session.layout().store() / module.store_name;
}

fs::path model_path_of(Session& session, const state::ServiceInstance& instance) {
  const auto digest = Digest::parse(instance.model_digest);
  if (instance.model_digest.empty() || !digest)
    return {};
  return session.layout().model_blob(*digest);
}

// Where the configuration files of the current generation lie. The same for every generation, so
// that a service whose files did not change has the command that it had.
fs::path config_directory(Session& session, const state::ServiceInstance& instance) {
  return session.layout().current() / "services" / instance.id;
}

bool has_systemd(Session& session) {
  return session.supervisor().name() == "systemd";
}

// Where the service finds its secret.
fs::path secret_path(Session& session,
                     const state::ServiceInstance& instance,
                     const std::string& name) {
  if (has_systemd(session) && session.layout().scope == platform::Scope::System)
    return service::credential_path(instance.id, name);
  return session.layout().secrets(instance.id) / name;
}

// Everything a template may name.
Values placeholders(Session& session,
                    const state::ServiceInstance& instance,
                    const state::InstalledModule& module,
                    const catalog::Manifest& manifest) {
  Values values = {
      {"payload", payload_of(session, module).string()},
      {"data", instance.data_directory},
      {"config", config_directory(session, instance).string()},
      {"port", std::to_string(instance.own_port())},
      // Behind its socket it is nobody's but this machine's.
      {"host", instance.on_demand ? "127.0.0.1" : instance.host},
      {"model.path", model_path_of(session, instance).string()},
      {"model.name", instance.model},
  };
  for (const auto& [name, path] : module.executables)
    values["exe." + name] = path;
  for (const catalog::Option& option : manifest.options)
    values["option." + option.name] = option.default_value;
  for (const auto& [name, value] : instance.options)
    values["option." + name] = value;
  for (const auto& [name, text] : manifest.service->secrets)
    values["secret." + name] = secret_path(session, instance, name).string();
  return values;
}

std::vector<std::string> expand_all(const std::vector<std::string>& words, const Values& values) {
  std::vector<std::string> all;
  for (const std::string& word : words)
    all.push_back(text::expand(word, values));
  return all;
}

// For programs that look for GPUs beyond the files that are open to them, and where no file is shut
// (in user scope): CUDA's own variable. "No GPU" is said to it only where somebody said so.
void add_gpu_variables(state::ServiceInstance& instance) {
  constexpr const char* kVisible = "CUDA_VISIBLE_DEVICES";
  std::vector<std::string> ids;
  for (const state::GrantedGpu& gpu : instance.gpus) {
    if (gpu.vendor == hardware::to_string(hardware::GpuVendor::Nvidia))
      ids.push_back(gpu.id);
  }
  const auto option = instance.options.find("gpu");
  const bool none = option != instance.options.end() && option->second == "none";
  if (!ids.empty() || none)
    instance.environment.emplace(kVisible, text::join(ids, ","));
}

// What it is told, and how it is asked, wherever it runs.
void fill_shared(const catalog::ServiceTemplate& service,
                 const Values& values,
                 state::ServiceInstance& instance) {
  instance.config.clear();
  for (const catalog::ConfigFile& file : service.config)
    instance.config[file.name] = text::expand(file.text, values);
  Values with_word = values;
  with_word["word"] = "{word}";  // filled in when the check is run, and nowhere kept
  instance.health.environment.clear();
  for (const auto& [name, value] : service.health.environment)
    instance.health.environment[name] = text::expand(value, with_word);
}

void fill_native(Session& session,
                 const catalog::ServiceTemplate& service,
                 Values values,
                 state::ServiceInstance& instance) {
  fill_shared(service, values, instance);
  instance.container.reset();
  instance.health.command = expand_all(service.health.command, values);
  instance.argv = expand_all(service.command, values);
  if (instance.network != "local") {
    for (std::string& word : expand_all(service.auth_command, values))
      instance.argv.push_back(std::move(word));
  }
  instance.environment.clear();
  for (const auto& [name, value] : service.environment)
    instance.environment[name] = text::expand(value, values);
  add_gpu_variables(instance);
  instance.prepare.clear();
  // They see the file itself (see service::is_read_by_preparation()).
  for (const auto& [name, text] : service.secrets)
    values["secret." + name] = (session.layout().secrets(instance.id) / name).string();
  for (const catalog::Preparation& preparation : service.prepare) {
    state::PreparedPath path;
    path.makes = (fs::path(instance.data_directory) / preparation.makes).string();
    values["making"] = path.makes + ".new";
    path.command = expand_all(preparation.command, values);
    instance.prepare.push_back(std::move(path));
  }
}

// Not those that las itself may run on, which are fewer below taskset(1): a limit would be lost.
unsigned cores_of_the_machine() {
  const long count = ::sysconf(_SC_NPROCESSORS_CONF);
  return count > 0 ? static_cast<unsigned>(count) : 0;
}

// The whole command of the engine, for whoever watches the container: systemd, by the unit, or
// nobody.
std::vector<std::string> engine_command(Session& session,
                                        const platform::ContainerEngine& engine,
                                        const Version& version,
                                        const std::string& service_id,
                                        const state::ContainerRun& run) {
  const auto program = session.processes().find_program(
      run.engine, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  std::vector<std::string> argv{program ? program->string() : "/usr/bin/" + run.engine, "run"};
  for (std::string& option : engine.service_options(has_systemd(session), version))
    argv.push_back(std::move(option));
  if (const std::string group = control_group(run.cgroup_driver, service_id); !group.empty())
    argv.push_back("--cgroup-parent=" + group);
  argv.insert(argv.end(), run.options.begin(), run.options.end());
  argv.push_back(run.image);
  argv.insert(argv.end(), run.command.begin(), run.command.end());
  return argv;
}

void fill_container(Session& session,
                    const state::InstalledModule& module,
                    const catalog::ServiceTemplate& service,
                    Values values,
                    state::ServiceInstance& instance,
                    const Activity& activity) {
  if (!service.container)
    throw Error(
        ErrorKind::Unsatisfiable, _("the manifest does not say how its image is run"), module.name);
  const auto [engine, image] = image_of(module);
  // Without a unit nothing would remove what the engine's client, once killed, leaves running.
  if (!engine.daemon_unit().empty() && !has_systemd(session))
    throw Error(ErrorKind::Unsatisfiable,
                fmt::format(fmt::runtime(_("services in {} need systemd")), engine.name()),
                module.name)
        .hint("las config set containers.engine podman");
  ContainerPlaces places;
  places.model = model_path_of(session, instance);
  places.config = config_directory(session, instance);
  places.secrets = session.layout().secrets(instance.id);
  for (const auto& [name, value] : container_placeholders(instance, *service.container, places))
    values[name] = value;
  fill_shared(service, values, instance);
  const ContainerSurroundings around = look_around(session, engine, activity);
  instance.container = container_run(engine,
                                     instance,
                                     *service.container,
                                     places,
                                     values,
                                     image,
                                     cores_of_the_machine(),
                                     around.controllers);
  instance.container->user = image_user(session, engine, image, activity);
  instance.container->network = around.network;
  instance.container->cgroup_driver = around.cgroup_driver;
  instance.argv = engine_command(
      session, engine, engine_version(session, engine, activity), instance.id, *instance.container);
  instance.environment.clear();
  instance.prepare.clear();
  // The programs that a native check runs are not in the image; that it listens can always be seen.
  instance.health.command = expand_all(service.container->check, values);
  if (instance.health_kind == "exec" && instance.health.command.empty())
    instance.health_kind = "tcp";
}

std::string_view kind_of(catalog::HealthCheck::Kind kind) {
  switch (kind) {
    case catalog::HealthCheck::Kind::Http:
      return "http";
    case catalog::HealthCheck::Kind::Tcp:
      return "tcp";
    case catalog::HealthCheck::Kind::Exec:
      return "exec";
    case catalog::HealthCheck::Kind::None:
      break;
  }
  return "none";
}

void fill_health(const catalog::HealthCheck& health, state::ServiceInstance& instance) {
  instance.health_kind = kind_of(health.kind);
  instance.health_path = health.path;
  instance.start_period_s = health.start_period.count();
  instance.health.expect = health.expect;
  instance.health.interval_s =
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(health.interval).count());
  instance.health.timeout_ms = health.timeout.count();
  instance.health.retries = health.retries;
}

std::string option_of(const state::ServiceInstance& instance,
                      const std::string& name,
                      const std::string& otherwise) {
  const auto found = instance.options.find(name);
  return found == instance.options.end() ? otherwise : found->second;
}

// Who may reach it. Nothing listens wider than on this machine unless somebody said so.
void fill_network(Session& session,
                  const catalog::ServiceTemplate& service,
                  state::ServiceInstance& instance,
                  const Activity& activity) {
  instance.network = option_of(instance, "network", "local");
  instance.asks_for_word =
      service.authenticates && (service.auth_command.empty() || instance.network != "local");
  if (instance.network == "local") {
    if (instance.host == kEverywhere)
      instance.host = "127.0.0.1";
    return;
  }
  for (const std::string& capability : network_capabilities(instance)) {
    const policy::Decision decision = session.verdict(activity).decide(capability);
    if (!decision.allowed)
      throw Error(
          ErrorKind::PolicyDenied, _("a policy keeps services to this machine"), instance.id)
          .cause(decision.denial)
          .hint(fmt::format("las policy explain {}", capability));
  }
  if (!service.authenticates && option_of(instance, "without-auth", "false") != "true")
    throw Error(ErrorKind::Usage,
                _("it asks nobody who they are: whoever reaches it could use it"),
                instance.id)
        .hint(fmt::format(
            fmt::runtime(_("if that is what you want: las expose {} --{} --without-auth")),
            instance.id,
            instance.network));
  instance.host = kEverywhere;
}

std::int64_t number_in(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void fill_activation(Session& session, state::ServiceInstance& instance) {
  if (option_of(instance, "start", "always") == "always") {
    instance.on_demand.reset();
    return;
  }
  if (!has_systemd(session))
    throw Error(
        ErrorKind::Unsatisfiable, _("only systemd can start a service on demand"), instance.id)
        .hint(fmt::format(fmt::runtime(_("start it by hand: las start {}")), instance.id));
  if (!instance.on_demand) {
    session.take_port(instance.port, instance.id);  // the one in front of its socket
    instance.on_demand = state::OnDemand{session.give_port(instance.id), 0};
  }
  instance.on_demand->idle_s = number_in(option_of(instance, "idle-seconds", "600"));
}

// The manifest's, unless the user said otherwise.
void fill_limits(Session& session,
                 const catalog::Limits& wanted,
                 state::ServiceInstance& instance) {
  state::ServiceLimits& limits = instance.limits;
  limits = {wanted.memory, wanted.cpu_percent, wanted.tasks, wanted.io_weight, wanted.cpus, {}};
  for (const auto& [name, value] : instance.options) {
    if (name == "limits.memory")
      limits.memory = ByteSize::parse(value);
    else if (name == "limits.cpu_percent")
      limits.cpu_percent = number_in(value);
    else if (name == "limits.tasks")
      limits.tasks = number_in(value);
    else if (name == "limits.io_weight")
      limits.io_weight = number_in(value);
    else if (name == "limits.cpus")
      limits.cpus = value;
    else if (name == "limits.numa_nodes")
      limits.numa_nodes = value;
  }
  if (limits.numa_nodes.empty())
    return;
  if (instance.options.contains("limits.cpus"))
    throw Error(ErrorKind::Usage,
                _("the cores of NUMA nodes and a list of cores exclude each other"),
                instance.id)
        .hint(
            fmt::format("las config unset {0}.limits.numa_nodes, las config unset {0}.limits.cpus",
                        instance.id));
  limits.cpus = cores_of_nodes(session.files(), limits.numa_nodes);
}

const catalog::ServiceTemplate* own_service(const catalog::Manifest* manifest) {
  if (manifest == nullptr || !manifest->service ||
      manifest->service->kind != catalog::ServiceTemplate::Kind::Service)
    return nullptr;
  return &*manifest->service;
}

// Services have the name of their module, so the needs of a module say which services it uses.
std::vector<std::string> services_used(Session& session,
                                       const state::InstalledModule& module,
                                       const Activity& activity) {
  std::vector<std::string> ids;
  for (const std::string& name : module.requires_modules) {
    if (own_service(session.catalog(activity).find(name)) != nullptr)
      ids.push_back(name);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Only systemd reads unit files, and only its layout can be described by one.
void fill_units(Session& session,
                const state::InstalledModule& module,
                const catalog::Manifest& manifest,
                state::ServiceInstance& instance) {
  instance.unit_text.clear();
  instance.more_units.clear();
  if (!has_systemd(session))
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
  if (!module.store_name.empty())
    input.readable.push_back(payload_of(session, module));
  if (const fs::path model = model_path_of(session, instance); !model.empty())
    input.readable.push_back(model);
  if (!instance.config.empty())
    input.config_directory = config_directory(session, instance);
  if (!instance.secrets.empty())
    input.secrets_directory = session.layout().secrets(instance.id);
  input.las_program = session.environment().executable;
  input.needs_open = manifest.service->needs_open;
  input.scope = session.layout().scope;
  instance.unit_text = service::render_unit(input);
  instance.more_units = service::render_more_units(input);
}

// The manifest's port, or, where that is taken, the first free one of the configured range.
std::uint16_t choose_own_port(Session& session,
                              const catalog::ServiceTemplate& service,
                              const std::string& id,
                              std::vector<std::string>& notes) {
  if (!service.port)
    return session.give_port(id);
  const std::vector<state::PortLease> leases = session.leases();
  const auto lease = std::find_if(
      leases.begin(), leases.end(), [&](const auto& one) { return one.port == *service.port; });
  if (lease == leases.end() && platform::port_is_free(*service.port)) {
    session.take_port(*service.port, id);
    return *service.port;
  }
  const std::string owner =
      lease != leases.end() ? lease->owner : service::port_owner(session.files(), *service.port);
  const std::uint16_t port = session.give_port(id);
  notes.push_back(fmt::format(
      fmt::runtime(_("port {} is taken by {}; {} gets port {}")), *service.port, owner, id, port));
  return port;
}

}  // namespace

std::vector<std::string> network_capabilities(const state::ServiceInstance& service) {
  if (service.network == "local")
    return {};
  if (service.network == "lan")
    return {"network.lan"};
  // The local network is a part of everybody.
  return {"network.lan", "network." + service.network};
}

state::ServiceInstance rebuild_service(Session& session,
                                       const state::ServiceInstance& old,
                                       const state::InstalledModule& module,
                                       const Activity& activity) {
  const catalog::Manifest manifest = installed_manifest(session, module, activity);
  if (!manifest.service)
    throw Error(ErrorKind::Unsatisfiable,
                _("the manifest of this module no longer describes a service"),
                manifest.name)
        .hint(_("stop and remove its services first"));
  const catalog::ServiceTemplate& service = *manifest.service;
  state::ServiceInstance instance = old;
  fill_network(session, service, instance, activity);
  fill_activation(session, instance);
  fill_health(service.health, instance);
  fill_limits(session, service.limits, instance);
  instance.stop_signal = service.stop_signal;
  instance.stop_timeout_s = service.stop_timeout.count();
  instance.api = service.api;
  instance.metrics = service.metrics;
  instance.secrets = service.secrets;
  instance.notifies = service.notify;
  instance.gpus = grant_gpus(session, instance, module, manifest, activity);
  with_context([&] { return "service of " + manifest.name; },
               [&] {
                 Values values = placeholders(session, instance, module, manifest);
                 if (module.mode == catalog::to_string(catalog::Mode::Container))
                   fill_container(session, module, service, std::move(values), instance, activity);
                 else
                   fill_native(session, service, std::move(values), instance);
               });
  instance.uses = services_used(session, module, activity);
  fill_units(session, module, manifest, instance);
  return instance;
}

void add_own_services(Session& session,
                      const state::Generation& present,
                      PreparedPlan& prepared,
                      const Activity& activity) {
  std::vector<plan::PlannedAction> deployments;
  for (const plan::PlannedAction& action : prepared.plan.actions) {
    if (!plan::brings_module(action.action) || present.find_service(action.subject) != nullptr)
      continue;
    const catalog::ServiceTemplate* service =
        own_service(session.catalog(activity).find(action.subject));
    if (service == nullptr)
      continue;
    state::ServiceInstance instance;
    instance.id = instance.module = action.subject;
    instance.port = choose_own_port(session, *service, instance.id, prepared.notes);
    instance.data_directory = session.layout().data(instance.id).string();
    plan::PlannedAction deploy;
    deploy.action = plan::Action::Deploy;
    deploy.subject = instance.id;
    deploy.version = action.version;
    deploy.variant = action.variant;
    deploy.mode = action.mode;
    deploy.why = fmt::format(fmt::runtime(_("runs {}")), instance.module);
    deploy.requires_modules = {instance.module};
    // Its paths are known once the module is staged: the transaction renders it then.
    deploy.service = std::move(instance);
    deployments.push_back(std::move(deploy));
  }
  if (deployments.empty())
    return;
  prepared.plan.actions.insert(prepared.plan.actions.end(),
                               std::make_move_iterator(deployments.begin()),
                               std::make_move_iterator(deployments.end()));
  if (const std::string limits = session.supervisor().limits(); !limits.empty())
    prepared.notes.push_back(limits);
}

}  // namespace las::app
