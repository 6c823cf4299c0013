// SPDX-License-Identifier: Apache-2.0
#include "gpus.hpp"

#include "containers.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/hardware/gpu_files.hpp"
#include "las/hardware/main_gpus.hpp"
#include "las/service/cdi.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

namespace las::app {

namespace {

using hardware::Gpu;

bool asks_for_gpu(const catalog::HardwareNeeds& needs) {
  return needs.gpu_vendor || needs.vram_min || needs.compute_capability_min || needs.driver_min ||
         needs.cuda_min || needs.multi_gpu;
}

std::string name_of(const Gpu& gpu) {
  const std::string id = gpu.uuid.value ? *gpu.uuid.value : gpu.pci_address.value.value_or("");
  return fmt::format("{} {}", gpu.name.value.value_or(_("a GPU")), id);
}

std::vector<ChosenGpu> all_gpus(const std::vector<Gpu>& gpus, const catalog::HardwareNeeds& needs) {
  std::vector<ChosenGpu> chosen;
  if (!needs.gpu_vendor) {
    for (const Gpu* gpu : hardware::main_gpus(gpus).gpus) {
      if (hardware::is_usable(*gpu))
        chosen.push_back({gpu, {}});
    }
    return chosen;
  }
  for (const Gpu& gpu : gpus) {
    if (hardware::is_usable(gpu) && hardware::to_string(gpu.vendor) == *needs.gpu_vendor)
      chosen.push_back({&gpu, {}});
  }
  return chosen;
}

std::string hint_of(const std::vector<Gpu>& gpus) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < gpus.size(); ++i)
    names.push_back(fmt::format("{}: {}", i, name_of(gpus[i])));
  return names.empty()
             ? _("this machine has none: las detect")
             : fmt::format(fmt::runtime(_("this machine has {}")), text::join(names, ", "));
}

ChosenGpu find_gpu(const std::vector<Gpu>& gpus, const std::string& word) {
  std::size_t place = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), place);
  if (parsed.ec == std::errc{} && parsed.ptr == word.data() + word.size() && place < gpus.size())
    return {&gpus[place], {}};
  const std::string wanted = text::lower(word);
  const auto is = [&](const hardware::Fact<std::string>& fact) {
    return fact.value && text::lower(*fact.value) == wanted;
  };
  for (const Gpu& gpu : gpus) {
    if (is(gpu.uuid) || is(gpu.pci_address))
      return {&gpu, {}};
    for (const hardware::MigInstance& part :
         gpu.mig_instances.value.value_or(std::vector<hardware::MigInstance>{})) {
      if (!part.uuid.empty() && text::lower(part.uuid) == wanted)
        return {&gpu, part.uuid};
    }
  }
  throw Error(ErrorKind::NotFound, _("no such GPU"), word).hint(hint_of(gpus));
}

// What container engines call the GPUs of a vendor.
std::string cdi_kind(const std::string& vendor) {
  return vendor + ".com/gpu";
}

// Specifications name GPUs by UUID or by their place among those of the vendor, as their generator
// was told.
std::vector<std::string> cdi_names(const std::vector<Gpu>& gpus, const ChosenGpu& chosen) {
  const std::string kind = cdi_kind(std::string(hardware::to_string(chosen.gpu->vendor)));
  std::vector<std::string> names;
  if (!chosen.part.empty())
    return {fmt::format("{}={}", kind, chosen.part)};
  if (chosen.gpu->uuid.value)
    names.push_back(fmt::format("{}={}", kind, *chosen.gpu->uuid.value));
  const auto place = std::count_if(gpus.data(), chosen.gpu, [&](const Gpu& other) {
    return other.vendor == chosen.gpu->vendor;
  });
  names.push_back(fmt::format("{}={}", kind, place));
  return names;
}

// "" where files will do: those of AMD and Intel GPUs need nothing else in the container, while
// NVIDIA's need the driver's libraries too.
std::string cdi_name(Session& session,
                     const std::vector<Gpu>& gpus,
                     const ChosenGpu& chosen,
                     const std::string& engine,
                     const Version& engine_version) {
  const auto devices = service::cdi_devices(session.files());
  for (const std::string& name : cdi_names(gpus, chosen)) {
    const auto device = std::find_if(
        devices.begin(), devices.end(), [&](const auto& one) { return one.name == name; });
    if (device == devices.end())
      continue;
    const std::string obstacle = service::cdi_obstacle(engine, engine_version, *device);
    if (obstacle.empty())
      return name;
    throw Error(ErrorKind::Unsatisfiable,
                _("the container engine cannot read how this GPU is given to containers"),
                name)
        .cause(obstacle)
        .hint(chosen.gpu->vendor == hardware::GpuVendor::Nvidia
                  ? _("take a newer engine, or have NVIDIA's container toolkit write an older "
                      "version: nvidia-ctk cdi generate --feature-flag "
                      "no-additional-gids-for-device-nodes")
                  : _("take a newer engine, or have the vendor's container toolkit write an older "
                      "version"));
  }
  if (chosen.gpu->vendor != hardware::GpuVendor::Nvidia)
    return {};
  throw Error(ErrorKind::Unsatisfiable,
              _("no CDI specification in /etc/cdi or /var/run/cdi names this GPU"),
              name_of(*chosen.gpu))
      .hint(_("have it written by NVIDIA's container toolkit: nvidia-ctk cdi generate "
              "--output=/etc/cdi/nvidia.yaml"));
}

// systemd gives a service those groups alone that have a name: systemd.exec(5).
void require_names(const platform::FileReader& files, const std::vector<std::int64_t>& groups) {
  std::set<std::string> named;
  for (const std::string& line : text::lines(files.try_read("/etc/group").value_or(""))) {
    constexpr std::size_t kNumber = 2;
    if (const auto fields = text::split(line, ':'); fields.size() > kNumber)
      named.insert(fields[kNumber]);
  }
  for (const std::int64_t group : groups) {
    if (!named.contains(std::to_string(group)))
      throw Error(ErrorKind::Unsatisfiable,
                  _("the files of a GPU belong to a group that has no name"),
                  std::to_string(group))
          .hint(fmt::format("sudo groupadd --system --gid {} gpu", group));
  }
}

}  // namespace

std::vector<ChosenGpu> choose_gpus(const std::vector<Gpu>& gpus,
                                   const std::string& wish,
                                   const catalog::HardwareNeeds& needs) {
  if (wish == "none" || (wish.empty() && !asks_for_gpu(needs)))
    return {};
  if (wish == "all" || wish.empty()) {
    auto chosen = all_gpus(gpus, needs);
    if (chosen.empty() && wish == "all")
      throw Error(ErrorKind::NotFound, _("no GPU that can be computed with")).hint(hint_of(gpus));
    return chosen;
  }
  std::vector<ChosenGpu> chosen;
  for (const std::string& part : text::split(wish, ',')) {
    const std::string word(text::trim(part));
    ChosenGpu found = find_gpu(gpus, word);
    if (!hardware::is_usable(*found.gpu))
      throw Error(ErrorKind::Unsatisfiable, _("this GPU cannot be computed with"), word)
          .cause(fmt::format(fmt::runtime(_("its driver: {}")),
                             found.gpu->driver_state.value.value_or("")))
          .hint("las doctor");
    const bool twice = std::any_of(chosen.begin(), chosen.end(), [&](const ChosenGpu& other) {
      return other.gpu == found.gpu && other.part == found.part;
    });
    if (twice)
      throw Error(ErrorKind::Usage, _("this GPU stands twice"), word);
    chosen.push_back(std::move(found));
  }
  return chosen;
}

catalog::HardwareNeeds variant_needs(const catalog::Manifest& manifest,
                                     const state::InstalledModule& module) {
  const catalog::Release* release = manifest.find_release(Version(module.version));
  if (release == nullptr)
    return {};
  for (const catalog::Variant& variant : release->variants) {
    if (variant.name == module.variant)
      return variant.needs;
  }
  return {};
}

std::vector<state::GrantedGpu> grant_gpus(Session& session,
                                          const state::ServiceInstance& instance,
                                          const state::InstalledModule& module,
                                          const catalog::Manifest& manifest,
                                          const Activity& activity) {
  const auto option = instance.options.find("gpu");
  const std::string wish = option == instance.options.end() ? "" : option->second;
  const catalog::HardwareNeeds needs = variant_needs(manifest, module);
  if (wish == "none" || (wish.empty() && !asks_for_gpu(needs)))
    return {};  // nothing of the machine needs to be looked at
  const hardware::HardwareProfile& profile = session.profile(activity);
  if (!profile.gpus.value) {
    if (wish.empty())
      return {};
    throw Error(ErrorKind::Unsatisfiable, _("the GPUs of this machine are not known"), instance.id)
        .cause(profile.gpus.unknown);
  }
  const bool is_contained = module.mode == catalog::to_string(catalog::Mode::Container);
  std::vector<state::GrantedGpu> granted;
  for (const ChosenGpu& chosen : choose_gpus(*profile.gpus.value, wish, needs)) {
    state::GrantedGpu gpu;
    gpu.vendor = hardware::to_string(chosen.gpu->vendor);
    gpu.id = !chosen.part.empty()     ? chosen.part
             : chosen.gpu->uuid.value ? *chosen.gpu->uuid.value
                                      : chosen.gpu->pci_address.value.value_or("");
    hardware::GpuFiles found = hardware::gpu_files(session.files(), *chosen.gpu);
    gpu.nodes = std::move(found.nodes);
    gpu.groups = std::move(found.groups);
    if (is_contained) {
      const platform::ContainerEngine& engine = image_of(module).engine;
      // Units bear a file that is not there yet; engines do not.
      std::erase_if(gpu.nodes,
                    [&](const std::string& node) { return !session.files().exists(node); });
      gpu.cdi = cdi_name(session,
                         *profile.gpus.value,
                         chosen,
                         engine.name(),
                         engine_version(session, engine, activity));
    } else if (session.layout().scope == platform::Scope::System &&
               session.supervisor().name() == "systemd") {
      require_names(session.files(), gpu.groups);
    }
    granted.push_back(std::move(gpu));
  }
  return granted;
}

}  // namespace las::app
