// SPDX-License-Identifier: Apache-2.0
// What can be known to fail is refused before anything is begun.
#include "run_state.hpp"

#include "las/base/i18n.hpp"
#include "las/platform/net.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace las::transaction {

namespace fs = std::filesystem;

namespace {

// What each file system has to take, by its device.
class SpaceNeeded {
 public:
  explicit SpaceNeeded(const platform::FileSystem& files) : files_(files) {}

  void add(const fs::path& place, ByteSize bytes) {
    if (bytes == ByteSize())
      return;
    const fs::path existing = platform::nearest_existing(files_, place);
    const auto status = files_.status(existing);
    Need& need = needs_[status ? status->device : 0];
    need.bytes += bytes;
    if (need.place.empty())
      need.place = existing;
  }

  void check() const {
    for (const auto& [device, need] : needs_) {
      const ByteSize free = files_.free_space(need.place);
      if (need.bytes > free)
        throw Error(ErrorKind::NoSpace,
                    fmt::format(fmt::runtime(_("not enough free space: {} needed, {} free")),
                                need.bytes.to_string(),
                                free.to_string()),
                    need.place.string())
            .hint(_("free some space (las gc, las clean), or put the state elsewhere with --root"));
    }
  }

 private:
  struct Need {
    fs::path place;
    ByteSize bytes;
  };

  const platform::FileSystem& files_;
  std::map<std::uint64_t, Need> needs_;
};

void check_space(const Surroundings& world,
                 const plan::Plan& plan,
                 const std::vector<state::DataMove>& moves) {
  SpaceNeeded needed(world.files);
  for (const plan::PlannedAction& action : plan.actions) {
    if (!plan::brings_module(action.action))
      continue;
    // Packed and unpacked lie side by side until the archive is collected, and the old payload
    // stays for the way back.
    const ByteSize packed = action.download_size.value_or(ByteSize());
    needed.add(world.layout.downloads(), packed);
    needed.add(world.layout.store(), action.installed_size.value_or(packed));
  }
  // As if nothing could be shared: whether it can is known only by doing it.
  for (const state::DataMove& move : moves) {
    if (move.kind == state::DataMove::Kind::Copy)
      needed.add(fs::path(move.snapshot.path).parent_path(), move.snapshot.size);
  }
  needed.check();
}

void check_permissions(const Surroundings& world,
                       const state::Generation& present,
                       const plan::Plan& plan) {
  std::vector<fs::path> places = {world.layout.store(), world.layout.generations()};
  if (std::any_of(plan.actions.begin(), plan.actions.end(), [](const auto& action) {
        return plan::brings_module(action.action);
      }))
    places.push_back(world.layout.downloads());
  const bool touches_services =
      !present.services.empty() ||
      std::any_of(plan.actions.begin(), plan.actions.end(), [](const auto& action) {
        return action.action == plan::Action::Deploy;
      });
  if (touches_services && world.supervisor.name() == "systemd")
    places.push_back(world.layout.units);
  for (const fs::path& place : places) {
    const std::string why = world.files.not_writable(place);
    if (!why.empty())
      throw Error(ErrorKind::Permission, _("las may not write there"), place.string()).cause(why);
  }
}

// A port on which somebody else listens would be found out only after everything was fetched.
void check_ports(const Surroundings& world,
                 const state::Generation& present,
                 const plan::Plan& plan) {
  for (const plan::PlannedAction& action : plan.actions) {
    if (action.action != plan::Action::Deploy || !action.service || action.service->port == 0)
      continue;
    const state::ServiceInstance* before = present.find_service(action.subject);
    if (before != nullptr && before->port == action.service->port)
      continue;  // its own
    std::string owner;
    world.store.read([&](const state::ReadTransaction& state) {
      for (const state::PortLease& lease : state.ports()) {
        if (lease.port == action.service->port && lease.owner != action.subject)
          owner = lease.owner;
      }
    });
    const bool leaves = std::any_of(plan.actions.begin(), plan.actions.end(), [&](const auto& one) {
      return one.action == plan::Action::Undeploy && one.subject == owner;
    });
    if (leaves || (owner.empty() && platform::port_is_free(action.service->port)))
      continue;
    throw Error(ErrorKind::Busy,
                fmt::format(fmt::runtime(_("port {} is taken")), action.service->port),
                action.subject)
        .cause(owner.empty() ? std::string(_("something that is not las's listens there"))
                             : fmt::format(fmt::runtime(_("it belongs to {}")), owner))
        .hint(_("choose another with --port, or see who it is: ss -ltnp"));
  }
}

// Every service that will be there, with what its release makes of its data.
std::vector<DataWish> data_wishes(const state::Generation& present, const plan::Plan& plan) {
  // What matters of a release: its version and the format of its data.
  using Coming = std::pair<std::string, std::string>;
  std::map<std::string, Coming> modules;
  for (const state::InstalledModule& module : present.modules)
    modules[module.name] = {module.version, module.data_format};
  std::map<std::string, const state::ServiceInstance*> services;
  for (const state::ServiceInstance& service : present.services)
    services[service.id] = &service;
  for (const plan::PlannedAction& action : plan.actions) {
    if (plan::brings_module(action.action))
      modules[action.subject] = {action.version, action.data_format};
    else if (action.action == plan::Action::Undeploy)
      services.erase(action.subject);
    else if (action.action == plan::Action::Deploy && action.service)
      services[action.subject] = &*action.service;
  }
  std::vector<DataWish> wishes;
  for (const auto& [id, service] : services) {
    if (const auto module = modules.find(service->module); module != modules.end())
      wishes.push_back({id,
                        service->module,
                        module->second.first,
                        module->second.second,
                        service->data_directory});
  }
  return wishes;
}

}  // namespace

std::vector<state::DataMove> data_moves(const Surroundings& world,
                                        const state::Generation& present,
                                        const plan::Plan& plan) {
  return due_data_moves(world, present, data_wishes(present, plan));
}

std::vector<state::DataMove> data_moves(const Surroundings& world,
                                        const state::Generation& present,
                                        const state::Generation& target) {
  return due_data_moves(world, present, data_wishes(target));
}

std::vector<state::DataMove> preflight(const Surroundings& world,
                                       const state::Generation& present,
                                       const plan::Plan& plan) {
  check_permissions(world, present, plan);
  check_ports(world, present, plan);
  std::vector<state::DataMove> moves = data_moves(world, present, plan);
  check_space(world, plan, moves);
  return moves;
}

}  // namespace las::transaction
