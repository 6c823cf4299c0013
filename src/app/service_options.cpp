// SPDX-License-Identifier: Apache-2.0
#include "las/app/service_options.hpp"

#include "installed_manifest.hpp"
#include "planning.hpp"

#include "las/app/serve.hpp"
#include "las/app/services.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/net.hpp"
#include "las/service/unit.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace las::app {

namespace {

constexpr const char* kPort = "port";

std::uint16_t parse_port(const std::string& text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || port == 0)
    throw Error(ErrorKind::Usage, _("not a port"), text).hint(_("a port is from 1 to 65535"));
  return port;
}

void set_port(Session& session, const std::string& text, state::ServiceInstance& instance) {
  const std::uint16_t port = parse_port(text);
  if (port == instance.port)
    return;
  std::string owner;
  session.store().read([&](const state::ReadTransaction& transaction) {
    for (const state::PortLease& lease : transaction.ports()) {
      if (lease.port == port)
        owner = lease.owner;
    }
  });
  if (owner.empty() && !platform::port_is_free(port))
    owner = service::port_owner(session.files(), port);
  if (!owner.empty())
    throw Error(
        ErrorKind::Busy, fmt::format(fmt::runtime(_("port {} is taken")), port), instance.id)
        .cause(owner)
        .hint(_("choose another port"));
  instance.port = port;
}

void check(const catalog::Manifest& manifest, const state::ServiceInstance& instance) {
  for (const auto& [name, fault] : option_faults(manifest, instance.options))
    throw Error(ErrorKind::Usage, fault, instance.id + "." + name)
        .hint(fmt::format("las config list {}", instance.id));
}

state::ServiceInstance changed(Session& session,
                               const state::ServiceInstance& before,
                               const OptionChanges& changes) {
  state::ServiceInstance wanted = before;
  for (const auto& [name, value] : changes) {
    if (name == kPort) {
      if (!value)
        throw Error(ErrorKind::Usage, _("a service always has a port"), before.id);
      set_port(session, *value, wanted);
    } else if (value) {
      wanted.options[name] = *value;
    } else {
      wanted.options.erase(name);
    }
  }
  return wanted;
}

std::string described(const OptionChanges& changes) {
  std::string text;
  for (const auto& [name, value] : changes) {
    if (!text.empty())
      text += ", ";
    text += value ? fmt::format("{} = {}", name, *value)
                  : fmt::format(fmt::runtime(_("{} as it comes")), name);
  }
  return text;
}

// What all drop-ins of the service's unit say.
std::string own_settings(Session& session, const state::ServiceInstance& instance) {
  const auto folder = session.layout().units / (service::unit_name(instance.id) + ".d");
  std::string all;
  if (!session.files().exists(folder))
    return all;
  for (const std::string& name : session.files().list_directory(folder))
    all += name + "\n" + session.files().try_read(folder / name).value_or("") + "\n";
  return all;
}

}  // namespace

std::vector<ServiceOption> service_options(Session& session,
                                           const std::string& service,
                                           const Activity& activity) {
  std::vector<ServiceOption> all;
  const state::Generation present = current_generation(session);
  for (const state::ServiceInstance& instance : present.services) {
    if (!service.empty() && instance.id != service)
      continue;
    all.push_back({instance.id + "." + kPort,
                   std::to_string(instance.port),
                   {},
                   _("the port it is reached at"),
                   false});
    std::vector<catalog::Option> options;
    const state::InstalledModule* module = present.find(instance.module);
    if (module != nullptr)
      if (auto manifest = find_installed_manifest(session, *module, activity))
        options = std::move(manifest->options);
    options.insert(options.end(), common_service_options().begin(), common_service_options().end());
    for (const catalog::Option& option : options) {
      const auto found = instance.options.find(option.name);
      const bool set = found != instance.options.end();
      all.push_back({instance.id + "." + option.name,
                     set ? found->second : option.default_value,
                     option.default_value,
                     option.description,
                     set});
    }
  }
  return all;
}

std::optional<OptionKey> parse_option_key(Session& session, const std::string& key) {
  // Names of services may hold dots, and so may those of options.
  for (const state::ServiceInstance& instance : current_generation(session).services) {
    if (key.starts_with(instance.id + ".") && key.size() > instance.id.size() + 1)
      return OptionKey{instance.id, key.substr(instance.id.size() + 1)};
  }
  return std::nullopt;
}

PreparedPlan prepare_configure(Session& session,
                               const std::vector<std::string>& services,
                               const OptionChanges& changes,
                               const Activity& activity) {
  const state::Generation present = current_generation(session);
  PreparedPlan prepared;
  prepared.base_generation = present.number;
  prepared.plan.world = present.world;
  for (const std::string& id : services) {
    const state::ServiceInstance* before = present.find_service(id);
    const state::InstalledModule* module =
        before == nullptr ? nullptr : present.find(before->module);
    if (module == nullptr)
      throw Error(ErrorKind::NotFound, _("no such service"), id)
          .hint(_("see the services with: las status"));
    state::ServiceInstance wanted = changed(session, *before, changes);
    if (wanted == *before)
      continue;
    check(installed_manifest(session, *module, activity), wanted);
    wanted = rebuild_service(session, wanted, *module, activity);
    for (plan::PlannedAction& action : plan::make_deploy_plan(present, wanted).actions) {
      action.why = described(changes);
      prepared.plan.actions.push_back(std::move(action));
    }
  }
  return prepared;
}

std::string service_secret(Session& session, const std::string& service) {
  const state::ServiceInstance instance = services(session, {service}).front().instance;
  if (instance.secrets.empty())
    throw Error(ErrorKind::NotFound, _("this service has no password"), service);
  return service::secret_word(session.files(), session.layout().secrets(instance.id));
}

bool edit_service(Session& session, const std::string& service) {
  const state::ServiceInstance instance = services(session, {service}).front().instance;
  if (session.supervisor().name() != "systemd")
    throw Error(ErrorKind::Unsatisfiable, _("only systemd has units to edit"), service)
        .hint(fmt::format("las config list {}", service));
  platform::Command command;
  command.argv = {"systemctl"};
  if (session.layout().scope == platform::Scope::User)
    command.argv.emplace_back("--user");
  command.argv.emplace_back("edit");
  command.argv.push_back(service::unit_name(instance.id));
  command.environment = session.environment().variables;
  const std::string before = own_settings(session, instance);
  if (const int status = session.processes().run_attached(command); status != 0)
    throw Error(ErrorKind::Io, _("systemctl edit failed"), service)
        .cause(fmt::format(fmt::runtime(_("exit status {}")), status));
  return own_settings(session, instance) != before;
}

}  // namespace las::app
