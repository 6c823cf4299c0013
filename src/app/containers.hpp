// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/catalog/manifest.hpp"
#include "las/state/records.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace las::app {

/// What of this machine a container is to see.
struct ContainerPlaces {
  std::filesystem::path config;   ///< folder of its configuration files; "" without
  std::filesystem::path secrets;  ///< folder of its secrets; "" without
  std::filesystem::path model;    ///< the model file; "" without
};

/// What the templates of a service mean within its container.
std::map<std::string, std::string> container_placeholders(const state::ServiceInstance& instance,
                                                          const catalog::ContainerTemplate& run,
                                                          const ContainerPlaces& places);

/// How the image is run: read-only, without capabilities and without new privileges, on a network
/// of its own of which only the service's port is reached. Source of the options: podman-run(1).
state::ContainerRun container_run(const state::ServiceInstance& instance,
                                  const catalog::ContainerTemplate& run,
                                  const ContainerPlaces& places,
                                  const std::map<std::string, std::string>& values,
                                  const std::string& image);

}  // namespace las::app
