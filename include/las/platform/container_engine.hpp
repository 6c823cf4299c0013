// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/version.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace las::platform {

/// A file or folder of the machine in a container.
struct ContainerMount {
  std::filesystem::path from;
  std::string to;
  bool writable = false;
};

/// A program that runs containers, as it is spoken to. Pure: it makes the words after the program's
/// name and starts nothing. What las asks of containers beyond this all engines take in the same
/// words.
class ContainerEngine {
 public:
  using Words = std::vector<std::string>;

  ContainerEngine() = default;
  ContainerEngine(const ContainerEngine&) = delete;
  ContainerEngine& operator=(const ContainerEngine&) = delete;
  virtual ~ContainerEngine() = default;

  /// Of its program, and in records: "podman".
  virtual std::string name() const = 0;

  /// The unit of the daemon whose children all its containers are; "" where they are children of
  /// whoever runs them. With a daemon a unit's limits and walls do not reach the container, but
  /// those of a slice do that the container is put into.
  virtual std::string daemon_unit() const { return {}; }

  /// What a unit has to set for the engine: "NAME=VALUE", as systemd reads it.
  virtual std::string unit_environment() const = 0;

  /// Prints the id of an image that is there, and all digests that it is known by, bare or after
  /// "NAME@".
  virtual Words describe_image(const std::string& reference) const = 0;

  /// Whether it takes OCI archives and knows their images by digest. If not, it takes docker's own
  /// and knows their images by the name in there and by their id alone.
  virtual bool takes_oci_archives() const { return true; }

  virtual Words load_image(const std::filesystem::path& archive) const = 0;
  virtual Words remove_image(const std::string& id, const std::string& reference) const = 0;

  /// Whether what it mounts writable is made its user's own by the engine. If not, las does it.
  virtual bool gives_data_away() const { return true; }

  /// The words that run `command` as whoever owns what its containers' users wrote, for one who is
  /// not root: to him those files belong to strangers. Empty for an engine that only root runs.
  virtual Words as_its_users(Words /*command*/) const { return {}; }

  /// The option of `run` for it.
  virtual std::string mount(const ContainerMount& mount) const = 0;
  /// The option of `run` for a folder in memory, which programs may be run from.
  virtual std::string temporary(const std::string& folder) const = 0;
  /// Further options of `run`: of a service that a unit watches, or that nobody does. `version` is
  /// that of the engine here, or empty where that is not known.
  virtual Words service_options(bool by_unit, const Version& version) const = 0;

  /// Prints what the container's image was called when it was started.
  virtual Words image_of(const std::string& container) const = 0;
  /// Both do nothing, and may fail, where the container is gone.
  virtual Words stop(const std::string& container, std::int64_t seconds) const = 0;
  virtual Words remove(const std::string& container) const = 0;

  /// The addresses of its usual network, as far as that can be known without asking.
  virtual std::string usual_network() const = 0;

  /// Prints them; empty for an engine that is not asked.
  virtual Words ask_network() const { return {}; }

  /// Prints who makes its control groups: "systemd" or "cgroupfs"; empty for one without a daemon.
  virtual Words ask_cgroup_driver() const { return {}; }
};

/// All that las knows, those first that it prefers.
const std::vector<const ContainerEngine*>& container_engines();

/// CorruptState for a name that is none of them.
const ContainerEngine& container_engine(std::string_view name);

}  // namespace las::platform
