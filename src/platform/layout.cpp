// SPDX-License-Identifier: Apache-2.0
#include "las/platform/layout.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

namespace las::platform {

namespace {

// The XDG specification says that a relative value is to be ignored.
std::filesystem::path base_directory(const Environment& environment,
                                     const std::string& variable,
                                     const std::filesystem::path& otherwise) {
  const auto value = environment.get(variable);
  if (value && std::filesystem::path(*value).is_absolute())
    return *value;
  return otherwise;
}

}  // namespace

Layout Layout::system(const std::filesystem::path& root) {
  Layout layout;
  layout.scope = Scope::System;
  layout.root = std::filesystem::absolute(root.empty() ? "/" : root).lexically_normal();
  // "/srv/x/" and "/srv/x" are one place, and unit texts and records should not differ for it.
  if (!layout.root.has_filename() && layout.root.has_relative_path())
    layout.root = layout.root.parent_path();
  layout.state = layout.root / "var/lib/las";
  layout.cache = layout.root / "var/cache/las";
  layout.config = layout.root / "etc/las";
  layout.logs = layout.root / "var/log/las";
  layout.run = layout.root / "run/las";
  layout.units = layout.root / "etc/systemd/system";
  return layout;
}

Layout Layout::user(const Environment& environment) {
  const std::filesystem::path home = environment.home;
  if (!home.is_absolute()) {
    throw Error(ErrorKind::NotFound, _("cannot find the home directory"), environment.user)
        .hint(_("set HOME to an absolute path"));
  }
  Layout layout;
  layout.scope = Scope::User;
  // Models, payloads and service data are a user's data; only the logs are mere state.
  layout.state = base_directory(environment, "XDG_DATA_HOME", home / ".local/share") / "las";
  layout.logs = base_directory(environment, "XDG_STATE_HOME", home / ".local/state") / "las/log";
  layout.cache = base_directory(environment, "XDG_CACHE_HOME", home / ".cache") / "las";
  const auto config = base_directory(environment, "XDG_CONFIG_HOME", home / ".config");
  layout.config = config / "las";
  layout.units = config / "systemd/user";
  // Without a login session there is no runtime directory; our own folder is private as well.
  const auto runtime = base_directory(environment, "XDG_RUNTIME_DIR", {});
  layout.run = runtime.empty() ? layout.state / "run" : runtime / "las";
  return layout;
}

}  // namespace las::platform
