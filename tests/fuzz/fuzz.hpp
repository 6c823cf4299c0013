// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What a fuzz target defines. The first is libFuzzer's entry point: it may return only 0, and
/// aborts (or throws) on a finding.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// Honest inputs to start from.
std::vector<std::string> fuzz_seeds();
