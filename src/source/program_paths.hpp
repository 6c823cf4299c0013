// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Where the programs that sources call are looked for.
namespace las::source {

/// Of what changes the system. Not the user's: maintainer scripts need the sbin folders, which a
/// user's PATH may lack.
inline constexpr const char* kAdministratorPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Of interpreters and their tools.
inline constexpr const char* kSystemPath = "/usr/local/bin:/usr/bin:/bin";

}  // namespace las::source
