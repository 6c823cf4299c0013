// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/model/gguf.hpp"

#include <filesystem>
#include <string_view>

namespace las::model {

/// What a file is by its first bytes, for somebody who thought it was a model: the cause ("it looks
/// like an HTML page") and what to do about it.
struct Looks {
  std::string cause, hint;
};

Looks looks_like(std::string_view first_bytes);

/// The metadata of a model that can be served by itself. InvalidData for a file of another format,
/// and for GGUF files that are only a part of a model (a shard, an adapter, a vocabulary).
GgufFile read_model_file(const std::filesystem::path& path);

}  // namespace las::model
