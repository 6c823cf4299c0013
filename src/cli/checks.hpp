// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

/// What the value of an option must be. Each refuses with a sentence that names the value.
namespace las::cli {

/// Decimal digits only: the parser underneath would take "010" for eight and "1e3" for one.
CLI::Validator whole_number(long long least, long long most);

/// A finite number; "nan" compares with nothing and would pass a plain range.
CLI::Validator real_number(double least, double most);

/// An unset variable in a script gives an empty argument, which must not mean "not given".
CLI::Validator not_empty();

}  // namespace las::cli
