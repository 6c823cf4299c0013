// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Names within the copy of a registry; see las/registry/copy.hpp.
namespace las::registry {

/// The catalog passes over what begins with a dot.
inline constexpr const char* kIndexFolder = ".index";
/// A snapshot in the making.
inline constexpr const char* kStagingFolder = ".staging";
/// A damaged snapshot on its way out.
inline constexpr const char* kAsideFolder = ".aside";

}  // namespace las::registry
