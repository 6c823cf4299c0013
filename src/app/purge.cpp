// SPDX-License-Identifier: Apache-2.0
#include "purge.hpp"

#include "las/service/overrides.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>
#include <map>

namespace las::app {

namespace fs = std::filesystem;

namespace {

struct Owner {
  std::string module, service;
};

// Who wrote into a folder last: the newest generation that has a service there. Services that were
// removed before are known from the generations they were in, or, once those are gone, from the
// record of their data.
std::map<fs::path, Owner> owners(const state::StateStore& store, const platform::Layout& layout) {
  std::map<fs::path, Owner> by_folder;
  store.read([&](const state::ReadTransaction& state) {
    by_folder.clear();
    for (const state::DataRecord& record : state.data())
      by_folder[layout.data(record.service).lexically_normal()] = {record.module, record.service};
    std::vector<std::uint64_t> numbers = state.generation_numbers();
    std::sort(numbers.begin(), numbers.end());
    const auto take = [&](const state::Generation& generation) {
      for (const state::ServiceInstance& service : generation.services) {
        if (!service.data_directory.empty())
          by_folder[fs::path(service.data_directory).lexically_normal()] = {service.module,
                                                                            service.id};
      }
    };
    for (const std::uint64_t number : numbers) {
      if (const auto generation = state.generation(number))
        take(*generation);
    }
    take(state.current());  // after a rollback it is not the newest
  });
  return by_folder;
}

// A record is never a reason to delete anything but a folder of las's own data.
bool is_data_folder(const fs::path& folder, const platform::Layout& layout) {
  return folder.parent_path() == (layout.state / "data").lexically_normal() &&
         !folder.filename().empty();
}

using Modules = std::vector<std::string>;

bool is_among(const Modules& modules, const std::string& module) {
  return std::find(modules.begin(), modules.end(), module) != modules.end();
}

// The services of these modules now or in a generation that is kept, or whose data are known; each
// with its module. One that another module has now is not theirs.
std::map<std::string, std::string> services_of(const state::StateStore& store,
                                               const Modules& modules,
                                               const state::Generation& present) {
  std::map<std::string, std::string> theirs;
  const auto take = [&](const std::string& service, const std::string& module) {
    if (is_among(modules, module))
      theirs[service] = module;
  };
  store.read([&](const state::ReadTransaction& state) {
    theirs.clear();
    for (const state::DataRecord& record : state.data())
      take(record.service, record.module);
    for (const std::uint64_t number : state.generation_numbers()) {
      const auto generation = state.generation(number);
      if (!generation)
        continue;
      for (const state::ServiceInstance& service : generation->services)
        take(service.id, service.module);
    }
  });
  for (const state::ServiceInstance& service : present.services) {
    if (!is_among(modules, service.module))
      theirs.erase(service.id);
  }
  return theirs;
}

// What users wrote for the units of these services, which las only ever reads.
void add_settings(Session& session,
                  const std::map<std::string, std::string>& services,
                  PreparedPlan& prepared) {
  for (const auto& [folder, service] :
       service::drop_in_folders(session.files(), session.layout().units)) {
    const auto owner = services.find(service);
    if (owner == services.end())
      continue;
    prepared.plan.purge.push_back(folder.string());
    prepared.purge.push_back({PreparedPlan::PurgeLine::What::Settings,
                              owner->second,
                              service,
                              folder,
                              platform::tree_size(session.files(), folder)});
  }
}

}  // namespace

void add_purge(Session& session,
               const Modules& modules,
               const state::Generation& present,
               PreparedPlan& prepared) {
  for (const auto& [folder, owner] : owners(session.store(), session.layout())) {
    if (!is_among(modules, owner.module) || !is_data_folder(folder, session.layout()) ||
        !session.files().exists(folder))
      continue;
    const bool in_use =
        std::any_of(present.services.begin(), present.services.end(), [&](const auto& service) {
          return service.module != owner.module &&
                 fs::path(service.data_directory).lexically_normal() == folder;
        });
    if (in_use)
      continue;
    prepared.plan.purge.push_back(folder.string());
    prepared.purge.push_back({PreparedPlan::PurgeLine::What::Data,
                              owner.module,
                              owner.service,
                              folder,
                              service::data_size(session.files(), folder)});
  }
  add_settings(session, services_of(session.store(), modules, present), prepared);
}

}  // namespace las::app
