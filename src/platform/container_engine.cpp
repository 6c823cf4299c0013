// SPDX-License-Identifier: Apache-2.0
#include "las/platform/container_engine.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::platform {

namespace {

namespace fs = std::filesystem;
using Words = ContainerEngine::Words;

/// Source: podman-run(1) and its kin; 3.4 to 5.x.
class Podman final : public ContainerEngine {
 public:
  std::string name() const override { return "podman"; }

  std::string unit_environment() const override { return "PODMAN_SYSTEMD_UNIT=%n"; }

  // The digest of its own: one that came from an archive has no other.
  Words describe_image(const std::string& reference) const override {
    return {"image",
            "inspect",
            "--format",
            "{{.Id}} {{.Digest}}{{range .RepoDigests}} {{.}}{{end}}",
            "--",
            reference};
  }

  Words load_image(const fs::path& archive) const override {
    return {"pull", "-q", "oci-archive:" + archive.string()};
  }

  Words remove_image(const std::string& id, const std::string& reference) const override {
    return {"rmi", id.empty() ? reference : id};
  }

  std::string mount(const ContainerMount& mount) const override {
    return fmt::format(
        "--volume={}:{}:{}", mount.from.string(), mount.to, mount.writable ? "rw,U" : "ro");
  }

  Words as_its_users(Words command) const override {
    command.insert(command.begin(), "unshare");
    return command;
  }

  std::string temporary(const std::string& folder) const override {
    return fmt::format("--tmpfs={}:rw,nosuid,nodev,mode=1777", folder);
  }

  // conmon stays in the unit's control group, and with it all limits and walls of the unit hold.
  // What the program says is the unit's own output, which 3.4 cannot do: there conmon tells the
  // journal, which takes that for the unit's as well.
  Words service_options(bool by_unit, const Version& version) const override {
    const bool can_pass = version.empty() || version >= Version("4.0");
    Words words;
    if (by_unit)
      words = {"--detach", "--sdnotify=conmon", "--cgroups=split"};
    const char* const log = can_pass ? "passthrough" : by_unit ? "journald" : "none";
    words.insert(words.end(), {"--rm", "--replace", fmt::format("--log-driver={}", log)});
    return words;
  }

  Words image_of(const std::string& container) const override {
    return {"container", "inspect", "--format", "{{.ImageName}}", container};
  }

  Words stop(const std::string& container, std::int64_t seconds) const override {
    return {"stop", "--ignore", "--time", std::to_string(seconds), container};
  }

  Words remove(const std::string& container) const override {
    return {"rm", "--force", "--ignore", container};
  }

  std::string usual_network() const override { return "10.88.0.0/16"; }
};

/// Source: docs.docker.com, and tried with 20.10, the oldest that is in use: it knows neither
/// --sdnotify nor --cgroups, --replace, --ignore, or `U` of volumes.
class Docker final : public ContainerEngine {
 public:
  std::string name() const override { return "docker"; }

  std::string daemon_unit() const override { return "docker.service"; }

  // Behind the walls it cannot see root's, and would say so at each call.
  std::string unit_environment() const override { return "DOCKER_CONFIG=/nonexistent"; }

  Words describe_image(const std::string& reference) const override {
    return {"image",
            "inspect",
            "--format",
            "{{.Id}}{{range .RepoDigests}} {{.}}{{end}}",
            "--",
            reference};
  }

  // Newer ones do, and forget the digest.
  bool takes_oci_archives() const override { return false; }

  Words load_image(const fs::path& archive) const override {
    return {"load", "-q", "-i", archive.string()};
  }

  // By its id an image that has two names is not removed.
  Words remove_image(const std::string& id, const std::string& reference) const override {
    return {"rmi", reference.empty() ? id : reference};
  }

  bool gives_data_away() const override { return false; }

  // --volume would make a folder that is not there.
  std::string mount(const ContainerMount& mount) const override {
    return fmt::format("--mount=type=bind,source={},target={}{}",
                       mount.from.string(),
                       mount.to,
                       mount.writable ? "" : ",readonly");
  }

  // Without "exec" it is noexec, whatever else is said.
  std::string temporary(const std::string& folder) const override {
    return fmt::format("--tmpfs={}:rw,nosuid,nodev,exec,mode=1777", folder);
  }

  // The program's words come to the unit by the client; to keep them a second time is nobody's
  // wish.
  Words service_options(bool, const Version&) const override {
    return {"--rm", "--log-driver=none"};
  }

  Words image_of(const std::string& container) const override {
    return {"container", "inspect", "--format", "{{.Config.Image}}", container};
  }

  // The long form of -t has changed its name.
  Words stop(const std::string& container, std::int64_t seconds) const override {
    return {"stop", "-t", std::to_string(seconds), container};
  }

  Words remove(const std::string& container) const override { return {"rm", "-f", container}; }

  std::string usual_network() const override { return "172.17.0.0/16"; }

  Words ask_network() const override {
    return {
        "network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}", "bridge"};
  }

  Words ask_cgroup_driver() const override { return {"info", "--format", "{{.CgroupDriver}}"}; }
};

}  // namespace

const std::vector<const ContainerEngine*>& container_engines() {
  static const Podman podman;
  static const Docker docker;
  static const std::vector<const ContainerEngine*> kEngines{&podman, &docker};
  return kEngines;
}

const ContainerEngine& container_engine(std::string_view name) {
  const auto& all = container_engines();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto* one) { return one->name() == name; });
  if (found == all.end())
    throw Error(ErrorKind::CorruptState, _("no container engine of this name"), std::string(name));
  return **found;
}

}  // namespace las::platform
