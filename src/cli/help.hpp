// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"

#include <string>

namespace las::cli {

/// Text of `las --help`.
std::string render_overview(const Parser& parser);
/// Text of `las COMMAND --help`.
std::string render_help(const CommandSpec& spec, const CLI::App& command, const CLI::App& root);
/// The manual page las(1) in man(7) roff, in English.
std::string render_manual(const Parser& parser);

}  // namespace las::cli
