// SPDX-License-Identifier: Apache-2.0
#include "las/model/gguf.hpp"

#include "byte_source.hpp"
#include "tensor_types.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <unordered_set>

#include <fmt/format.h>

namespace las::model {

namespace {

// Bounds that no real file comes near. They keep a file that lies about its counts from taking
// memory that it does not itself occupy many times over.
constexpr std::uint64_t kMostKeys = 65536;
constexpr std::uint64_t kMostTensors = 262144;
constexpr std::uint64_t kLongestKey = 65535;
constexpr std::uint64_t kLongestText = std::uint64_t{16} << 20;
constexpr std::uint64_t kMostKept = std::uint64_t{64} << 20;
constexpr std::uint64_t kLongestTensorName = 63;
constexpr std::uint64_t kMostArrayElements = std::uint64_t{1} << 30;
/// Per-layer arrays are kept; token lists are not.
constexpr std::uint64_t kKeptArrayElements = 4096;
constexpr std::uint32_t kMostDimensions = 4;
constexpr std::uint64_t kLargestAlignment = std::uint64_t{1} << 20;
constexpr std::uint64_t kDefaultAlignment = 32;
// The smallest record of each kind on disk: empty key or name, one-byte value, no dimensions.
constexpr std::uint64_t kSmallestEntry = 8 + 4 + 1;
constexpr std::uint64_t kSmallestTensor = 8 + 4 + 4 + 8;

enum class Type : std::uint32_t {
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
  F64,
};

/// Bytes of one value on disk; for a string the least.
std::uint64_t size_of(Type type) {
  switch (type) {
    case Type::U8:
    case Type::I8:
    case Type::Bool:
      return 1;
    case Type::U16:
    case Type::I16:
      return 2;
    case Type::U32:
    case Type::I32:
    case Type::F32:
      return 4;
    default:
      return 8;
  }
}

bool is_whole(Type type) {
  return type != Type::F32 && type != Type::F64 && type != Type::String && type != Type::Array;
}

bool add_overflows(std::uint64_t a, std::uint64_t b, std::uint64_t& sum) {
  return __builtin_add_overflow(a, b, &sum);
}

bool multiply_overflows(std::uint64_t a, std::uint64_t b, std::uint64_t& product) {
  return __builtin_mul_overflow(a, b, &product);
}

class Parser {
 public:
  explicit Parser(const std::filesystem::path& path) : source_(path) {
    file_.file_size = ByteSize(source_.size());
  }

  GgufFile parse() {
    read_header();
    for (std::uint64_t i = 0; i < keys_; ++i)
      read_entry();
    read_alignment();
    for (std::uint64_t i = 0; i < tensors_; ++i)
      read_tensor();
    check_layout();
    return std::move(file_);
  }

 private:
  void read_header();
  void read_entry();
  GgufValue read_scalar(Type type);
  std::string read_string(std::uint64_t longest, const char* what);
  void keep(std::uint64_t bytes, std::uint64_t at);
  Type read_type();
  void read_array(const std::string& key);
  void store(std::string key, GgufValue value, std::uint64_t at);
  void read_alignment();
  void read_tensor();
  void measure(GgufTensor& tensor, std::uint64_t at);
  void check_layout() const;
  void check_end(const GgufTensor& tensor, std::uint64_t data_start) const;

  ByteSource source_;
  GgufFile file_;
  std::uint64_t keys_ = 0, tensors_ = 0, kept_ = 0;
  std::uint64_t alignment_ = kDefaultAlignment;
  std::unordered_set<std::string> tensor_names_;
};

void Parser::read_header() {
  if (source_.text(4, "magic") != "GGUF")
    throw source_.fault(0, _("the magic number is missing"));
  const auto version = source_.number<std::uint32_t>("version");
  if (version != 0 && (version & 0xffffU) == 0)
    throw source_.fault(4, _("big-endian files are not supported: the version is byte-swapped"));
  if (version != 2 && version != 3) {
    throw source_.fault(
        4, fmt::format(fmt::runtime(_("version {} is not supported, only 2 and 3 are")), version));
  }
  file_.version = version;
  const auto count = [this](const char* what, std::uint64_t smallest, std::uint64_t most) {
    const std::uint64_t at = source_.position();
    const auto value = source_.number<std::uint64_t>(what);
    if (value > most || value > source_.left() / smallest) {
      throw source_.fault(
          at,
          fmt::format(fmt::runtime(_("the {} is {}, more than the file can hold")), what, value));
    }
    return value;
  };
  tensors_ = count("number of tensors", kSmallestTensor, kMostTensors);
  keys_ = count("number of keys", kSmallestEntry, kMostKeys);
}

std::string Parser::read_string(std::uint64_t longest, const char* what) {
  const std::uint64_t at = source_.position();
  const auto length = source_.number<std::uint64_t>(what);
  if (length > source_.left()) {
    throw source_.fault(at,
                        fmt::format(fmt::runtime(_("truncated: {} needs {} bytes, {} are left")),
                                    what,
                                    length,
                                    source_.left()));
  }
  if (length > longest) {
    throw source_.fault(
        at,
        fmt::format(fmt::runtime(_("{} of {} bytes is longer than {}")), what, length, longest));
  }
  keep(length, at);
  return source_.text(length, what);
}

void Parser::keep(std::uint64_t bytes, std::uint64_t at) {
  kept_ += bytes;  // both are small: see kLongestText and kKeptArrayElements
  if (kept_ > kMostKept)
    throw source_.fault(at, _("there is more metadata than any model needs"));
}

Type Parser::read_type() {
  const std::uint64_t at = source_.position();
  const auto type = source_.number<std::uint32_t>("value type");
  if (type > static_cast<std::uint32_t>(Type::F64))
    throw source_.fault(at, fmt::format(fmt::runtime(_("unknown value type {}")), type));
  return static_cast<Type>(type);
}

GgufValue Parser::read_scalar(Type type) {
  const std::uint64_t at = source_.position();
  switch (type) {
    case Type::U8:
      return std::uint64_t{source_.number<std::uint8_t>("value")};
    case Type::U16:
      return std::uint64_t{source_.number<std::uint16_t>("value")};
    case Type::U32:
      return std::uint64_t{source_.number<std::uint32_t>("value")};
    case Type::U64:
      return source_.number<std::uint64_t>("value");
    case Type::I8:
      return std::int64_t{std::bit_cast<std::int8_t>(source_.number<std::uint8_t>("value"))};
    case Type::I16:
      return std::int64_t{std::bit_cast<std::int16_t>(source_.number<std::uint16_t>("value"))};
    case Type::I32:
      return std::int64_t{std::bit_cast<std::int32_t>(source_.number<std::uint32_t>("value"))};
    case Type::I64:
      return std::bit_cast<std::int64_t>(source_.number<std::uint64_t>("value"));
    case Type::F32:
      return double{std::bit_cast<float>(source_.number<std::uint32_t>("value"))};
    case Type::F64:
      return std::bit_cast<double>(source_.number<std::uint64_t>("value"));
    case Type::Bool: {
      const auto value = source_.number<std::uint8_t>("value");
      if (value > 1)
        throw source_.fault(at,
                            fmt::format(fmt::runtime(_("{} is neither true nor false")), value));
      return value == 1;
    }
    case Type::String:
    case Type::Array:
      break;
  }
  return read_string(kLongestText, "text");
}

void Parser::store(std::string key, GgufValue value, std::uint64_t at) {
  const auto [place, is_new] = file_.metadata.try_emplace(std::move(key), std::move(value));
  if (!is_new)
    throw source_.fault(
        at,
        fmt::format(fmt::runtime(_("the key '{}' comes twice")), text::printable(place->first)));
}

void Parser::read_entry() {
  const std::uint64_t at = source_.position();
  std::string key = read_string(kLongestKey, "key");
  if (key.empty())
    throw source_.fault(at, _("a key is empty"));
  const Type type = read_type();
  if (type == Type::Array)
    read_array(key);
  else
    store(std::move(key), read_scalar(type), at);
}

void Parser::read_array(const std::string& key) {
  const std::uint64_t at = source_.position();
  const Type type = read_type();
  if (type == Type::Array)
    throw source_.fault(
        at,
        fmt::format(fmt::runtime(_("the key '{}' is an array of arrays")), text::printable(key)));
  const auto count = source_.number<std::uint64_t>("array length");
  if (count > kMostArrayElements || count > source_.left() / size_of(type)) {
    throw source_.fault(at,
                        fmt::format(fmt::runtime(_("the array '{}' has {} elements, more than the "
                                                   "file can hold")),
                                    text::printable(key),
                                    count));
  }
  if (is_whole(type) && count <= kKeptArrayElements) {
    keep(count * sizeof(std::int64_t), at);
    std::vector<std::int64_t> values;
    values.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      const GgufValue value = read_scalar(type);
      if (const auto* natural = std::get_if<std::uint64_t>(&value)) {
        // An element beyond int64 is no size of a layer; the largest stands for it.
        constexpr auto kMost = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
        values.push_back(static_cast<std::int64_t>(std::min(*natural, kMost)));
      } else if (const auto* truth = std::get_if<bool>(&value)) {
        values.push_back(*truth ? 1 : 0);
      } else {
        values.push_back(std::get<std::int64_t>(value));
      }
    }
    store(key, std::move(values), at);
    return;
  }
  if (type == Type::String) {
    for (std::uint64_t i = 0; i < count; ++i)
      source_.skip(source_.number<std::uint64_t>("array element"), "array element");
  } else {
    source_.skip(count * size_of(type), "array");
  }
  store(key + "#count", count, at);
}

void Parser::read_alignment() {
  const auto found = file_.metadata.find("general.alignment");
  if (found == file_.metadata.end())
    return;
  const auto* value = std::get_if<std::uint64_t>(&found->second);
  if (value == nullptr || !std::has_single_bit(*value) || *value > kLargestAlignment) {
    throw source_.fault(source_.position(),
                        _("general.alignment is not a power of two up to 1048576"));
  }
  alignment_ = *value;
}

void Parser::read_tensor() {
  const std::uint64_t at = source_.position();
  GgufTensor tensor;
  tensor.name = read_string(kLongestTensorName, "tensor name");
  if (!tensor_names_.insert(tensor.name).second)
    throw source_.fault(
        at,
        fmt::format(fmt::runtime(_("the tensor '{}' comes twice")), text::printable(tensor.name)));
  const auto dimensions = source_.number<std::uint32_t>("number of dimensions");
  if (dimensions > kMostDimensions) {
    throw source_.fault(at,
                        fmt::format(fmt::runtime(_("the tensor '{}' has {} dimensions")),
                                    text::printable(tensor.name),
                                    dimensions));
  }
  for (std::uint32_t i = 0; i < dimensions; ++i)
    tensor.dimensions.push_back(source_.number<std::uint64_t>("dimension"));
  tensor.type = source_.number<std::uint32_t>("tensor type");
  tensor.offset = source_.number<std::uint64_t>("tensor offset");
  measure(tensor, at);
  file_.tensors.push_back(std::move(tensor));
}

/// Sets the tensor's size and adds its elements to the number of parameters.
void Parser::measure(GgufTensor& tensor, std::uint64_t at) {
  const auto fault = [&](const std::string& text) {
    return source_.fault(at, fmt::format(fmt::runtime(text), text::printable(tensor.name)));
  };
  std::uint64_t elements = 1;
  for (const std::uint64_t dimension : tensor.dimensions) {
    if (multiply_overflows(elements, dimension, elements) ||
        elements > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
      throw fault(_("the dimensions of the tensor '{}' are too large"));
  }
  if (add_overflows(file_.parameters, elements, file_.parameters))
    throw fault(_("the dimensions of the tensor '{}' are too large"));
  if (tensor.offset % alignment_ != 0)
    throw fault(_("the data of the tensor '{}' are not aligned"));
  if (is_removed_tensor_type(tensor.type))
    throw fault(_("the type of the tensor '{}' was removed from the format"));
  const TensorType* type = find_tensor_type(tensor.type);
  if (type == nullptr)
    return;  // newer than this las: what it measures is not known
  const std::uint64_t row = tensor.dimensions.empty() ? 1 : tensor.dimensions[0];
  if (row % type->block != 0 || (elements == 0 && type->block > 1))
    throw fault(_("the rows of the tensor '{}' are not whole blocks of its type"));
  if (multiply_overflows(elements / type->block, type->bytes, tensor.bytes))
    throw fault(_("the dimensions of the tensor '{}' are too large"));
}

void Parser::check_end(const GgufTensor& tensor, std::uint64_t data_start) const {
  std::uint64_t start = 0, end = 0;
  if (add_overflows(data_start, tensor.offset, start) || add_overflows(start, tensor.bytes, end))
    throw source_.fault(data_start,
                        fmt::format(fmt::runtime(_("the tensor '{}' lies beyond any file")),
                                    text::printable(tensor.name)));
  if (end > source_.size()) {
    throw source_.fault(start,
                        fmt::format(fmt::runtime(_("truncated: the tensor data end at {}, the file "
                                                   "has {} bytes: tensor '{}'")),
                                    end,
                                    source_.size(),
                                    text::printable(tensor.name)));
  }
}

void Parser::check_layout() const {
  const std::uint64_t header_end = source_.position();
  const std::uint64_t data_start = (header_end + alignment_ - 1) / alignment_ * alignment_;
  std::vector<const GgufTensor*> by_offset;
  by_offset.reserve(file_.tensors.size());
  for (const GgufTensor& tensor : file_.tensors)
    by_offset.push_back(&tensor);
  std::sort(by_offset.begin(), by_offset.end(), [](const GgufTensor* a, const GgufTensor* b) {
    return std::pair(a->offset, a->bytes) < std::pair(b->offset, b->bytes);
  });
  // The last one first: its end tells most about a broken download.
  for (auto tensor = by_offset.rbegin(); tensor != by_offset.rend(); ++tensor)
    check_end(**tensor, data_start);
  for (std::size_t i = 1; i < by_offset.size(); ++i) {
    if (by_offset[i - 1]->offset + by_offset[i - 1]->bytes > by_offset[i]->offset) {
      throw source_.fault(data_start + by_offset[i]->offset,
                          fmt::format(fmt::runtime(_("the tensors '{}' and '{}' overlap")),
                                      text::printable(by_offset[i - 1]->name),
                                      text::printable(by_offset[i]->name)));
    }
  }
}

}  // namespace

GgufFile read_gguf(const std::filesystem::path& path) {
  return Parser(path).parse();
}

}  // namespace las::model
