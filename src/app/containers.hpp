// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/catalog/manifest.hpp"
#include "las/platform/container_engine.hpp"
#include "las/state/records.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace las::app {

/// What of this machine a container is to see.
struct ContainerPlaces {
  std::filesystem::path config;   ///< folder of its configuration files; "" without
  std::filesystem::path secrets;  ///< folder of its secrets; "" without
  std::filesystem::path model;    ///< the model file; "" without
};

/// The module's image and the engine that has it.
struct InstalledImage {
  const platform::ContainerEngine& engine;
  std::string name;  ///< as the engine is to run it
};

/// CorruptState where no record names one.
InstalledImage image_of(const state::InstalledModule& module);

/// Empty where that is not known.
Version engine_version(Session& session,
                       const platform::ContainerEngine& engine,
                       const Activity& activity);

/// What the engine prints, without the space around it. Io when it fails.
std::string ask_engine(Session& session,
                       const platform::ContainerEngine& engine,
                       std::vector<std::string> words,
                       const Activity& activity);

/// Of its engine, as it is set up here. Io when it does not answer, Unsatisfiable when no walls of
/// a service would hold.
struct ContainerSurroundings {
  std::string network;        ///< addresses of the network that containers are in: "10.88.0.0/16"
  std::string cgroup_driver;  ///< state::ContainerRun::cgroup_driver
  /// What limits can be set by here: "memory", "pids" ... Nothing: all of them.
  std::optional<std::set<std::string>> controllers;
};

ContainerSurroundings look_around(Session& session,
                                  const platform::ContainerEngine& engine,
                                  const Activity& activity);

/// The control group that the container of the service is to be put into, as the engine takes it:
/// one where the limits and the filter of the service's units hold. "" where it is its unit's by
/// itself.
std::string control_group(const std::string& cgroup_driver, const std::string& service_id);

/// What the templates of a service mean within its container.
std::map<std::string, std::string> container_placeholders(const state::ServiceInstance& instance,
                                                          const catalog::ContainerTemplate& run,
                                                          const ContainerPlaces& places);

/// How the image is run: read-only, without capabilities and without new privileges, on a network
/// of its own of which only the service's port is reached. Source of the options: podman-run(1).
/// `cores`: how many the machine has, 0 where not known; a limit of more is none, and some engines
/// refuse it. Unsatisfiable for a limit that none of the `controllers` (see ContainerSurroundings)
/// could keep.
state::ContainerRun container_run(const platform::ContainerEngine& engine,
                                  const state::ServiceInstance& instance,
                                  const catalog::ContainerTemplate& run,
                                  const ContainerPlaces& places,
                                  const std::map<std::string, std::string>& values,
                                  const std::string& image,
                                  unsigned cores,
                                  const std::optional<std::set<std::string>>& controllers);

}  // namespace las::app
