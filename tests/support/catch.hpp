// SPDX-License-Identifier: Apache-2.0
// Catch2 v2 (Debian 12, Ubuntu 22.04) and v3 (Ubuntu 24.04) under one include.
#pragma once
#ifdef LAS_CATCH2_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
