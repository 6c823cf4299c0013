// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

namespace las::app {

namespace {

std::optional<catalog::Mode> preferred_mode(const Config& config) {
  const std::string wish = config.text("modules.mode");
  for (const catalog::Mode mode : {catalog::Mode::Native, catalog::Mode::Container}) {
    if (wish == catalog::to_string(mode))
      return mode;
  }
  return std::nullopt;
}

}  // namespace

resolve::World world_of(Session& session,
                        const state::Generation& present,
                        const Activity& activity) {
  return {session.catalog(activity),
          session.profile(activity),
          session.verdict(activity),
          present,
          preferred_mode(session.config())};
}

}  // namespace las::app
