// SPDX-License-Identifier: Apache-2.0
#include "containers.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/service/unit.hpp"
#include "las/source/source.hpp"

#include <set>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = "/etc/las";
constexpr const char* kSecrets = "/run/secrets";
constexpr const char* kModel = "/model";
constexpr int kTasks = 4096;

class Options {
 public:
  void add(const std::string& name, const std::string& value) {
    words_.push_back(fmt::format("--{}={}", name, value));
  }

  void add(const std::string& name) { words_.push_back("--" + name); }

  void append(std::string words) { words_.push_back(std::move(words)); }

  std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

void add_walls(const platform::ContainerEngine& engine,
               const catalog::ContainerTemplate& run,
               Options& options) {
  options.add("init");
  options.add("read-only");
  options.add("cap-drop", "all");
  for (const std::string& capability : run.capabilities)
    options.add("cap-add", capability);
  options.add("security-opt", "no-new-privileges");
  options.add("tmpfs", "/tmp:rw,nosuid,nodev,noexec,size=64m,mode=1777");
  for (const std::string& folder : run.temporary)
    options.append(engine.temporary(folder));
}

using Controllers = std::optional<std::set<std::string>>;

bool has(const Controllers& controllers, const char* controller) {
  return !controllers || controllers->contains(controller);
}

void require(const Controllers& controllers,
             const char* controller,
             const state::ServiceInstance& instance) {
  if (!has(controllers, controller))
    throw Error(ErrorKind::Unsatisfiable,
                fmt::format(fmt::runtime(_("a limit of it needs the controller '{}', which systemd "
                                           "does not hand on to users")),
                            controller),
                instance.id)
        .hint(_("sudo systemctl edit user@.service, and write there: [Service] Delegate=cpu cpuset "
                "io memory pids"));
}

// In the unit as well; here they hold also where the unit's do not reach the container (control
// groups of version 1).
void add_limits(const state::ServiceInstance& instance,
                unsigned cores,
                const Controllers& controllers,
                Options& options) {
  constexpr double kPercent = 100;
  const state::ServiceLimits& limits = instance.limits;
  if (limits.memory) {
    require(controllers, "memory", instance);
    options.add("memory", fmt::format("{}b", limits.memory->bytes()));
    options.add("memory-swap", fmt::format("{}b", limits.memory->bytes()));
  }
  if (limits.cpu_percent != 0 && (cores == 0 || limits.cpu_percent <= std::int64_t{100} * cores)) {
    require(controllers, "cpu", instance);
    options.add("cpus", fmt::format("{:.2f}", static_cast<double>(limits.cpu_percent) / kPercent));
  }
  if (!limits.cpus.empty()) {
    require(controllers, "cpuset", instance);
    options.add("cpuset-cpus", limits.cpus);
  }
  if (!limits.numa_nodes.empty()) {
    require(controllers, "cpuset", instance);
    options.add("cpuset-mems", limits.numa_nodes);
  }
  if (limits.tasks != 0)
    require(controllers, "pids", instance);
  if (has(controllers, "pids"))
    options.add("pids-limit", std::to_string(limits.tasks == 0 ? kTasks : limits.tasks));
}

// What a user's manager was given, and hands on. Source: systemd.resource-control(5), Delegate=.
Controllers controllers_of_user(Session& session, const platform::ContainerEngine& engine) {
  if (!session.files().exists("/sys/fs/cgroup/cgroup.controllers"))
    throw Error(ErrorKind::Unsatisfiable,
                fmt::format(fmt::runtime(_("without root {} needs control groups of version 2")),
                            engine.name()))
        .hint(_("boot with systemd.unified_cgroup_hierarchy=1, or do without --user"));
  const auto names = session.files().try_read(
      fmt::format("/sys/fs/cgroup/user.slice/user-{0}.slice/user@{0}.service/cgroup.controllers",
                  session.environment().uid));
  if (!names)
    return std::nullopt;
  const auto words = text::split(text::trim(*names), ' ');
  return std::set<std::string>(words.begin(), words.end());
}

// By the name that the engine's specifications give it, or by its files alone.
void add_gpus(const std::vector<state::GrantedGpu>& gpus, Options& options) {
  std::set<std::string> devices;
  std::set<std::int64_t> groups;
  for (const state::GrantedGpu& gpu : gpus) {
    if (!gpu.cdi.empty()) {
      devices.insert(gpu.cdi);
      continue;
    }
    devices.insert(gpu.nodes.begin(), gpu.nodes.end());
    groups.insert(gpu.groups.begin(), gpu.groups.end());
  }
  for (const std::string& device : devices)
    options.add("device", device);
  for (const std::int64_t group : groups)
    options.add("group-add", std::to_string(group));
}

}  // namespace

InstalledImage image_of(const state::InstalledModule& module) {
  for (const state::ExternalChange& change : module.external) {
    if (change.kind == "image")
      return {platform::container_engine(source::image_engine(change.wanted)),
              source::image_to_run(change.wanted)};
  }
  throw Error(ErrorKind::CorruptState, _("no record says where its image is"), module.name)
      .hint(fmt::format("las install --reinstall {}", module.name));
}

Version engine_version(Session& session,
                       const platform::ContainerEngine& engine,
                       const Activity& activity) {
  const hardware::Tools& tools = session.profile(activity).tools;
  return (engine.name() == "docker" ? tools.docker : tools.podman).value.value_or(Version());
}

std::string ask_engine(Session& session,
                       const platform::ContainerEngine& engine,
                       std::vector<std::string> words,
                       const Activity& activity) {
  constexpr std::chrono::seconds kPatience{30};
  platform::Command command;
  command.argv = std::move(words);
  command.argv.insert(command.argv.begin(), engine.name());
  command.environment = session.environment().variables;
  const auto result = session.processes().run(command, activity, kPatience);
  if (!result.ok()) {
    Error error(ErrorKind::Io, _("the container engine does not answer"), engine.name());
    error.cause(std::string(text::trim(result.err)));
    if (const std::string daemon = engine.daemon_unit(); !daemon.empty())
      error.hint(fmt::format("systemctl status {}", daemon));
    throw error;
  }
  return std::string(text::trim(result.out));
}

ContainerSurroundings look_around(Session& session,
                                  const platform::ContainerEngine& engine,
                                  const Activity& activity) {
  const auto ask = [&](const std::vector<std::string>& words) {
    std::string said = ask_engine(session, engine, words, activity);
    if (said.empty())
      throw Error(ErrorKind::Io, _("the container engine does not answer"), engine.name());
    return said;
  };
  ContainerSurroundings found;
  const auto network = engine.ask_network();
  found.network = network.empty() ? engine.usual_network() : ask(network);
  if (const auto driver = engine.ask_cgroup_driver(); !driver.empty())
    found.cgroup_driver = ask(driver);
  if (session.layout().scope == platform::Scope::User && session.supervisor().name() == "systemd")
    found.controllers = controllers_of_user(session, engine);
  // A group with processes of its own has no groups below it there: cgroups(7).
  if (!found.cgroup_driver.empty() && found.cgroup_driver != "systemd" &&
      session.files().exists("/sys/fs/cgroup/cgroup.controllers"))
    throw Error(ErrorKind::Unsatisfiable,
                fmt::format(fmt::runtime(_("{} makes its control groups beside systemd, which "
                                           "control groups of version 2 do not allow")),
                            engine.name()))
        .hint(_("put \"exec-opts\": [\"native.cgroupdriver=systemd\"] into "
                "/etc/docker/daemon.json, and restart it"));
  return found;
}

std::string control_group(const std::string& cgroup_driver, const std::string& service_id) {
  if (cgroup_driver.empty())
    return {};
  const std::string slice = service::unit_name(service_id, service::UnitKind::Slice);
  if (cgroup_driver == "systemd")
    return slice;
  // The other one takes a path. systemd filters addresses for units, and not for slices, and what
  // this one makes is no unit: it has to lie in one.
  return fmt::format("/las.slice/{}/{}", slice, service::unit_name(service_id));
}

std::map<std::string, std::string> container_placeholders(const state::ServiceInstance& instance,
                                                          const catalog::ContainerTemplate& run,
                                                          const ContainerPlaces& places) {
  std::map<std::string, std::string> values = {
      {"data", run.data},
      {"config", kConfig},
      {"port", std::to_string(run.port)},
      {"host", "0.0.0.0"},  // of its own network; who reaches that is said by the published port
      {"model.path", places.model.empty() ? "" : kModel},
  };
  for (const auto& [name, text] : instance.secrets)
    values["secret." + name] = fmt::format("{}/{}", kSecrets, name);
  return values;
}

state::ContainerRun container_run(const platform::ContainerEngine& engine,
                                  const state::ServiceInstance& instance,
                                  const catalog::ContainerTemplate& run,
                                  const ContainerPlaces& places,
                                  const std::map<std::string, std::string>& values,
                                  const std::string& image,
                                  unsigned cores,
                                  const Controllers& controllers) {
  Options options;
  options.add("name", service::container_name(instance.id));
  options.add("pull", "never");
  add_walls(engine, run, options);
  add_limits(instance, cores, controllers, options);
  add_gpus(instance.gpus, options);
  options.add("stop-signal", instance.stop_signal);
  options.add("stop-timeout", std::to_string(instance.stop_timeout_s));
  const auto mount = [&](const fs::path& from, const std::string& to, bool writable) {
    options.append(engine.mount({from, to, writable}));
  };
  mount(instance.data_directory, run.data, true);
  if (!instance.config.empty())
    mount(places.config, kConfig, false);
  for (const auto& [name, text] : instance.secrets)
    mount(places.secrets / name, fmt::format("{}/{}", kSecrets, name), false);
  if (!places.model.empty())
    mount(places.model, kModel, false);
  const std::string host = instance.on_demand ? "127.0.0.1" : instance.host;
  options.add("publish", fmt::format("{}:{}:{}", host, instance.own_port(), run.port));
  for (const auto& [name, value] : run.environment)
    options.add("env", fmt::format("{}={}", name, text::expand(value, values)));
  state::ContainerRun result;
  result.engine = engine.name();
  result.image = image;
  result.options = options.take();
  for (const std::string& word : run.command)
    result.command.push_back(text::expand(word, values));
  return result;
}

}  // namespace las::app
