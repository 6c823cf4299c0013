// SPDX-License-Identifier: Apache-2.0
// Writes GGUF bytes for tests, sound ones and others: nothing is checked.
#pragma once

#include <bit>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace las::test {

enum class GgufType : std::uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  Array,
  U64,
  I64,
  F64
};

/// A little-endian number, as it lies in the file.
template <typename Number>
std::string bytes_of(Number value) {
  if constexpr (std::is_same_v<Number, float>) {
    return bytes_of(std::bit_cast<std::uint32_t>(value));
  } else if constexpr (std::is_same_v<Number, double>) {
    return bytes_of(std::bit_cast<std::uint64_t>(value));
  } else {
    std::string out;
    for (std::size_t i = 0; i < sizeof value; ++i)
      out += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    return out;
  }
}

inline std::string gguf_string(const std::string& text) {
  return bytes_of(std::uint64_t{text.size()}) + text;
}

class GgufWriter {
 public:
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;                   ///< of the layout; the key must be added by raw()
  std::uint64_t more_keys = 0, more_tensors = 0;  ///< lies about the counts

  GgufWriter& raw(const std::string& key, GgufType type, const std::string& value) {
    keys_ += gguf_string(key) + bytes_of(static_cast<std::uint32_t>(type)) + value;
    ++key_count_;
    return *this;
  }

  GgufWriter& text(const std::string& key, const std::string& value) {
    return raw(key, GgufType::String, gguf_string(value));
  }

  GgufWriter& number(const std::string& key, std::uint32_t value) {
    return raw(key, GgufType::U32, bytes_of(value));
  }

  GgufWriter& array(const std::string& key,
                    GgufType element,
                    std::uint64_t count,
                    const std::string& elements) {
    return raw(key,
               GgufType::Array,
               bytes_of(static_cast<std::uint32_t>(element)) + bytes_of(count) + elements);
  }

  /// A tensor whose description is given as it is; no data are added for it.
  GgufWriter& tensor_at(const std::string& name,
                        const std::vector<std::uint64_t>& dimensions,
                        std::uint32_t type,
                        std::uint64_t offset) {
    tensors_ += gguf_string(name) + bytes_of(static_cast<std::uint32_t>(dimensions.size()));
    for (const std::uint64_t dimension : dimensions)
      tensors_ += bytes_of(dimension);
    tensors_ += bytes_of(type) + bytes_of(offset);
    ++tensor_count_;
    return *this;
  }

  /// A tensor after the ones before, with `size` bytes of data.
  GgufWriter& tensor(const std::string& name,
                     const std::vector<std::uint64_t>& dimensions,
                     std::uint32_t type,
                     std::uint64_t size) {
    data_.resize((data_.size() + alignment - 1) / alignment * alignment, '\0');
    tensor_at(name, dimensions, type, data_.size());
    data_ += std::string(size, 'w');
    return *this;
  }

  GgufWriter& data(std::uint64_t size) {
    data_ += std::string(size, 'w');
    return *this;
  }

  std::string bytes() const {
    std::string out = magic + bytes_of(version) + bytes_of(tensor_count_ + more_tensors) +
                      bytes_of(key_count_ + more_keys) + keys_ + tensors_;
    if (!data_.empty())
      out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
    return out + data_;
  }

 private:
  std::string keys_, tensors_, data_;
  std::uint64_t key_count_ = 0, tensor_count_ = 0;
};

/// A small sound model; `flavour` makes others of the same size.
inline GgufWriter small_model(const std::string& flavour = "a") {
  GgufWriter writer;
  writer.text("general.architecture", "llama")
      .text("general.name", "small " + flavour)
      .text("general.description", "random weights")
      .text("general.license", "apache-2.0")
      .number("llama.context_length", 512)
      .array("tokenizer.ggml.tokens", GgufType::String, 2, gguf_string("<s>") + gguf_string("a"))
      .tensor("token_embd.weight", {32, 4}, 2, 72)
      .tensor("output_norm.weight", {8}, 0, 32);
  return writer;
}

inline std::filesystem::path write_file(const std::filesystem::path& path,
                                        const std::string& bytes) {
  std::filesystem::remove(path);  // writing over a file makes some file systems flush it each time
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

}  // namespace las::test
