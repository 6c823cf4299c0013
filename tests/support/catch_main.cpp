// SPDX-License-Identifier: Apache-2.0
// Catch2 v2 is one header with its own main; it is compiled here once. v3 brings a library.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
