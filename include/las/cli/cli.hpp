// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace las::cli {

/// The streams of one run. Only this room writes to them.
struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false, out_is_terminal = false, err_is_terminal = false;
  std::function<int()> width;  ///< columns of the terminal behind `err` now
};

/// Parses `arguments` (without argv[0]), runs the command, and returns the exit status (las(1),
/// EXIT STATUS). Never throws: every Error ends here as text or JSON.
int run(const std::vector<std::string>& arguments,
        const app::Platform& platform,
        const Streams& streams,
        const Cancellation& cancellation);

/// The exit status for an error.
int exit_status(const Error& error, const Cancellation& cancellation);

}  // namespace las::cli
