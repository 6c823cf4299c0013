// SPDX-License-Identifier: Apache-2.0
// Questions to the metadata of a GGUF file that was read.
#include "tensor_types.hpp"

#include "las/model/gguf.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::model {

namespace {

std::uint64_t elements_of(const GgufTensor& tensor) {
  std::uint64_t elements = 1;
  for (const std::uint64_t dimension : tensor.dimensions)
    elements *= dimension;
  return elements;
}

}  // namespace

std::optional<std::string> GgufFile::text(const std::string& key) const {
  const auto found = metadata.find(key);
  if (found == metadata.end() || !std::holds_alternative<std::string>(found->second))
    return std::nullopt;
  return std::get<std::string>(found->second);
}

std::optional<std::uint64_t> GgufFile::number(const std::string& key) const {
  const auto found = metadata.find(key);
  if (found == metadata.end())
    return std::nullopt;
  if (const auto* natural = std::get_if<std::uint64_t>(&found->second))
    return *natural;
  const auto* whole = std::get_if<std::int64_t>(&found->second);
  if (whole == nullptr || *whole < 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(*whole);
}

std::string GgufFile::architecture() const {
  return text("general.architecture").value_or("");
}

std::string GgufFile::quantization() const {
  std::map<std::uint32_t, std::uint64_t> known_bytes, unknown_elements;
  std::uint64_t known = 0, unknown = 0;
  for (const GgufTensor& tensor : tensors) {
    const std::uint64_t elements = elements_of(tensor);
    if (find_tensor_type(tensor.type) != nullptr) {
      known_bytes[tensor.type] += tensor.bytes;
      known += elements;
    } else {
      unknown_elements[tensor.type] += elements;
      unknown += elements;
    }
  }
  const auto commonest = [](const auto& types) {
    return std::max_element(types.begin(),
                            types.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  };
  // A type without a known size cannot be weighed in bytes, but must not vanish behind small
  // tensors of a known one.
  if (unknown > known)
    return fmt::format("type {}", commonest(unknown_elements));
  return known_bytes.empty() ? "" : std::string(find_tensor_type(commonest(known_bytes))->name);
}

}  // namespace las::model
