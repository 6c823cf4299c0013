// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"
#include "las/platform/container_engine.hpp"

#include <string>
#include <string_view>

namespace las::app {

/// The numbers of a user as an image names it ("cache", "999", "1000:users"), by the image's own
/// /etc/passwd and /etc/group: "999:999". "" for root, which is also who runs what names nobody.
/// Source: OCI Image Format Specification, "config.User"; group 0 where neither says one.
/// InvalidData for a name that these files do not have. Pure.
std::string resolve_image_user(std::string_view user,
                               std::string_view passwd,
                               std::string_view group);

/// state::ContainerRun::user of an image that the engine has. The image's files are asked for where
/// las has to give its data to that user. Io when the engine does not answer.
std::string image_user(Session& session,
                       const platform::ContainerEngine& engine,
                       const std::string& image,
                       const Activity& activity);

}  // namespace las::app
