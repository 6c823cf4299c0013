// SPDX-License-Identifier: Apache-2.0
#include "las/app/lock.hpp"

#include "planning.hpp"

#include "las/app/models.hpp"
#include "las/app/overrides.hpp"
#include "las/app/policies.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace las::app {

namespace {

std::vector<source::InputArtifact> inputs_of(const state::InstalledModule& module) {
  std::vector<source::InputArtifact> inputs;
  for (const state::InstalledArtifact& artifact : module.artifacts)
    inputs.push_back({artifact.from, artifact.digest});
  return inputs;
}

// What the catalog says of an installed module; members are nullptr where it says nothing.
struct Described {
  const catalog::Manifest* manifest = nullptr;
  const catalog::Variant* variant = nullptr;
  const catalog::Source* source = nullptr;
};

Described find_description(Session& session,
                           const state::InstalledModule& module,
                           const Activity& activity) {
  Described found;
  found.manifest = session.catalog(activity).find(module.name);
  const catalog::Release* release =
      found.manifest == nullptr ? nullptr : found.manifest->find_release(Version(module.version));
  if (release == nullptr)
    return found;
  for (const catalog::Variant& variant : release->variants) {
    if (variant.name == module.variant)
      found.variant = &variant;
  }
  const auto kind = session.sources().find(module.source);
  if (found.variant == nullptr || kind == session.sources().end())
    return found;
  for (const catalog::Source& source : found.variant->sources) {
    if (source.kind() != module.source || found.source != nullptr)
      continue;
    try {
      (void)kind->second->bound_to(source, inputs_of(module));
      found.source = &source;
    } catch (const Error&) {  // not the source that it came from
    }
  }
  return found;
}

void raise(std::optional<Version>& bound, const std::optional<Version>& least) {
  if (least && (!bound || *bound < *least))
    bound = least;
}

void add_needs(const catalog::HardwareNeeds& needs, lockfile::Machine& machine) {
  if (needs.gpu_vendor)
    machine.gpu_vendor = *needs.gpu_vendor;
  raise(machine.compute_capability_min, needs.compute_capability_min);
  raise(machine.driver_min, needs.driver_min);
  raise(machine.cuda_min, needs.cuda_min);
  raise(machine.glibc_min, needs.glibc_min);
  if (needs.vram_min && (!machine.vram_min || *machine.vram_min < *needs.vram_min))
    machine.vram_min = needs.vram_min;
  machine.cpu_features.insert(
      machine.cpu_features.end(), needs.cpu_features.begin(), needs.cpu_features.end());
}

template <typename Values>
void sort_unique(Values& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

lockfile::Provenance provenance(Session& session,
                                const state::InstalledModule& module,
                                const Described& described,
                                const Activity& activity) {
  lockfile::Provenance source;
  source.kind = module.source;
  source.artifacts = module.artifacts;
  for (const state::ExternalChange& change : module.external) {
    const auto kind = session.sources().find(change.kind);
    if (kind == session.sources().end())
      continue;
    for (const auto& [package, version] : kind->second->versions(change.wanted, activity))
      source.packages[package] = version;
  }
  // What the distribution delivers is told with its packages.
  if (!module.store_name.empty())
    source.delivered = module.delivered;
  if (described.source != nullptr) {
    if (const auto* python = std::get_if<catalog::PythonSource>(&described.source->how))
      source.requirements = python->requirements;
  }
  std::sort(source.requirements.begin(), source.requirements.end());
  return source;
}

void warn_of_loose_ends(const state::InstalledModule& module,
                        const Described& described,
                        const Activity& activity) {
  if (!module.store_name.empty() && module.artifacts.empty())
    activity.warn("lock",
                  fmt::format(fmt::runtime(_("{} was installed before las recorded what it is made "
                                             "of, so the lock cannot hold it to its bytes; get it "
                                             "anew with: las install --reinstall {}")),
                              module.name,
                              module.name));
  else if (described.source == nullptr)
    activity.warn(
        "lock",
        fmt::format(fmt::runtime(_("the catalog no longer describes {} {}, so the lock "
                                   "cannot say what it needs of a machine; bring it up to "
                                   "date with: las upgrade {}")),
                    module.name,
                    module.version,
                    module.name));
}

std::vector<lockfile::PolicyOverride> overrides_rested_on(Session& session,
                                                          const state::Generation& generation,
                                                          const Activity& activity) {
  std::vector<lockfile::PolicyOverride> rested_on;
  const std::vector<policy::Override> in_force = overrides_in_force(session);
  if (in_force.empty())
    return rested_on;
  std::set<std::string> capabilities;
  for (const state::InstalledModule& module : generation.modules)
    capabilities.insert({module.name, module.variant, module.mode});
  for (const std::string& capability : capabilities) {
    const std::string id = session.verdict(activity).decide(capability).override_id;
    for (const policy::Override& one : in_force) {
      if (!id.empty() && one.id == id)
        rested_on.push_back({capability, one.reason});
    }
  }
  return rested_on;
}

std::vector<lockfile::PolicyDocument> policies_in_force(Session& session) {
  std::vector<lockfile::PolicyDocument> documents;
  for (const policy::Document& document : policy_documents(session))
    documents.push_back({std::filesystem::path(document.file).filename().string(),
                         std::string(policy::to_string(document.layer)),
                         platform::digest_of(document.text)});
  std::sort(documents.begin(), documents.end(), [](const auto& a, const auto& b) {
    return std::tie(a.layer, a.name) < std::tie(b.layer, b.name);
  });
  return documents;
}

// The folders of this machine are no business of another's.
std::string portable(const std::string& source) {
  return source.starts_with('/') ? std::filesystem::path(source).filename().string() : source;
}

bool is_running(Session& session, const state::ServiceInstance& service, ServiceState which) {
  bool wished = true;
  session.store().read([&](const state::ReadTransaction& transaction) {
    if (const auto wish = transaction.service_wish(service.id))
      wished = wish->running;
  });
  if (!wished || which == ServiceState::AsWished)
    return wished;
  const service::RunState now = session.supervisor().status(service).state;
  return now == service::RunState::Running || now == service::RunState::Starting;
}

lockfile::Service service_of(Session& session,
                             const state::ServiceInstance& instance,
                             ServiceState which) {
  lockfile::Service service;
  service.name = instance.id;
  service.engine = instance.module;
  service.model = instance.model;
  service.model_digest = Digest::parse(instance.model_digest);
  service.host = instance.host;
  service.port = instance.port;
  service.options = instance.options;
  service.running = is_running(session, instance, which);
  return service;
}

void check_models(const lockfile::Document& lock) {
  for (const lockfile::Service& service : lock.services) {
    const lockfile::Model* model = lock.find_model(service.model);
    if (service.model.empty() || (model != nullptr && model->digest == service.model_digest))
      continue;
    throw Error(ErrorKind::CorruptState,
                _("the service serves a model that the library no longer has under its name"),
                service.name)
        .cause(service.model)
        .hint(
            fmt::format(fmt::runtime(_("serve what the library has: las serve {} --name {}; or "
                                       "take the model in again: las model import FILE --name {}")),
                        service.model,
                        service.name,
                        service.model));
  }
}

}  // namespace

lockfile::Document make_lock(Session& session, ServiceState services, const Activity& activity) {
  const state::Generation generation = current_generation(session);
  lockfile::Document lock;
  lock.kind = lockfile::Document::Kind::Lock;
  const auto& architecture = session.profile(activity).os.architecture;
  if (!architecture.is_known())
    throw Error(ErrorKind::Io, _("the architecture of this machine is unknown"))
        .cause(architecture.unknown);
  lock.machine.architecture = *architecture.value;
  for (const state::InstalledModule& installed : generation.modules) {
    const Described described = find_description(session, installed, activity);
    if (services == ServiceState::AsWished)
      warn_of_loose_ends(installed, described, activity);
    if (described.variant != nullptr) {
      add_needs(described.manifest->needs, lock.machine);
      add_needs(described.variant->needs, lock.machine);
    }
    if (described.source != nullptr)
      add_needs(described.source->needs, lock.machine);
    lockfile::Module module;
    module.name = installed.name;
    module.version = lockfile::exactly(installed.version);
    module.variant = installed.variant;
    module.mode = installed.mode;
    module.reason = installed.reason;
    module.source = provenance(session, installed, described, activity);
    lock.modules.push_back(std::move(module));
  }
  sort_unique(lock.machine.cpu_features);
  lock.policies = policies_in_force(session);
  lock.overrides = overrides_rested_on(session, generation, activity);
  lock.world = generation.world;
  for (const state::ModelRecord& record : models(session)) {
    lockfile::Model model;
    model.name = record.name;
    model.format = record.format;
    model.digest = record.digest;
    model.size = record.size;
    model.source = portable(record.source);
    lock.models.push_back(std::move(model));
  }
  for (const state::ServiceInstance& instance : generation.services)
    lock.services.push_back(service_of(session, instance, services));
  if (services == ServiceState::AsWished)
    check_models(lock);
  return lock;
}

}  // namespace las::app
