// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/digest.hpp"
#include "las/platform/environment.hpp"

#include <filesystem>
#include <string>

namespace las::platform {

enum class Scope { System, User };

/// Where everything of las lies. All paths are absolute host paths.
///
/// System scope with --root DIR puts the same tree below DIR (DIR/var/lib/las, DIR/etc/las ...);
/// services then run under the process supervisor, since the host's systemd does not look there.
/// User scope follows the XDG base directories.
struct Layout {
  Scope scope = Scope::System;
  std::filesystem::path root = "/";

  std::filesystem::path
      state;  ///< /var/lib/las: db/, store/, generations/, current, data/, models/, registries/
  std::filesystem::path cache;   ///< /var/cache/las: downloads by digest
  std::filesystem::path config;  ///< /etc/las: config.yaml, config.d/, policies.d/, manifests.d/
  std::filesystem::path logs;    ///< /var/log/las
  std::filesystem::path run;     ///< /run/las: lock, process supervisor records
  std::filesystem::path units;   ///< /etc/systemd/system or ~/.config/systemd/user

  std::filesystem::path database() const { return state / "db"; }

  std::filesystem::path store() const { return state / "store"; }

  std::filesystem::path staging() const { return state / "store" / ".staging"; }

  std::filesystem::path generations() const { return state / "generations"; }

  std::filesystem::path generation(unsigned long number) const {
    return generations() / std::to_string(number);
  }

  std::filesystem::path current() const { return state / "current"; }

  std::filesystem::path data(const std::string& module) const { return state / "data" / module; }

  /// Random words that las made for a service, one file each.
  std::filesystem::path secrets(const std::string& service) const {
    return state / "secrets" / service;
  }

  std::filesystem::path models() const { return state / "models"; }

  std::filesystem::path model_blob(const Digest& digest) const {
    return models() / "blobs" / (digest.algorithm() + "-" + digest.hex());
  }

  /// Copies of remote registries.
  std::filesystem::path registries() const { return state / "registries"; }

  std::filesystem::path downloads() const { return cache / "downloads"; }

  std::filesystem::path lock_file() const { return state / "lock"; }

  static Layout system(const std::filesystem::path& root);
  static Layout user(const Environment& environment);
};

}  // namespace las::platform
