// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace las::model {

/// How a tensor type packs its elements: `block` elements take `bytes` bytes.
struct TensorType {
  std::uint32_t id;
  std::string_view name;
  std::uint32_t block, bytes;
};

/// The table of ggml (include/ggml.h, src/ggml-common.h), or nullptr.
const TensorType* find_tensor_type(std::uint32_t id);

/// Ids that ggml took out again; what their bytes meant is not defined any more.
bool is_removed_tensor_type(std::uint32_t id);

}  // namespace las::model
