// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace las::model {

/// Metadata of a GGUF file (versions 2 and 3, little-endian). Source of the format: ggml's
/// docs/gguf.md. Foreign bytes: every count and length is checked against what is left of the file
/// before anything is allocated; a lying header is InvalidData, never a crash or a huge allocation.
struct GgufTensor {
  std::string name;
  std::vector<std::uint64_t> dimensions;
  std::uint32_t type = 0;
  std::uint64_t offset = 0, bytes = 0;  ///< bytes 0 when the type is not known to this las
};

using GgufValue =
    std::variant<std::uint64_t, std::int64_t, double, bool, std::string, std::vector<std::int64_t>>;

struct GgufFile {
  std::uint32_t version = 0;
  /// Scalars, strings and integer arrays; long arrays (tokens, scores) only by their length under
  /// "<key>#count".
  std::map<std::string, GgufValue> metadata;
  std::vector<GgufTensor> tensors;
  ByteSize file_size;
  std::uint64_t parameters = 0;  ///< sum of elements over tensors

  std::optional<std::string> text(const std::string& key) const;
  std::optional<std::uint64_t> number(const std::string& key) const;
  /// general.architecture
  std::string architecture() const;
  /// The commonest tensor type by bytes, in the field's spelling ("Q4_K", "F32"); computed from the
  /// tensor table, not from general.file_type, which is only a label.
  std::string quantization() const;
};

/// Throws InvalidData saying what is wrong and at which byte ("truncated: tensor data ends at …,
/// the file has …").
GgufFile read_gguf(const std::filesystem::path& path);

}  // namespace las::model
