// SPDX-License-Identifier: Apache-2.0
#include "las/model/gguf.hpp"

#include "gguf_writer.hpp"
#include "support/catch.hpp"
#include "support/temp_directory.hpp"
#include "tensor_types.hpp"

#include "las/base/error.hpp"

#include <limits>

using namespace las;
using namespace las::model;
using namespace las::test;
using Type = GgufType;

namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

class Reading {
 public:
  GgufFile read(const std::string& bytes) const { return read_gguf(write_file(path(), bytes)); }

  GgufFile read(const GgufWriter& writer) const { return read(writer.bytes()); }

  /// The cause of the InvalidData that the bytes give, "" when they are read.
  std::string fault(const std::string& bytes) const {
    try {
      read(bytes);
      return "";
    } catch (const Error& error) {
      CHECK(to_string(error.kind()) == "invalid-data");
      CHECK(error.message() == "not a sound GGUF file");
      CHECK(error.subject() == path().string());
      return error.cause();
    }
  }

  std::string fault(const GgufWriter& writer) const { return fault(writer.bytes()); }

 private:
  std::filesystem::path path() const { return temp_ / "model.gguf"; }

  TempDirectory temp_;
};

/// A header of 24 bytes and then `rest`.
std::string with_header(std::uint64_t tensors, std::uint64_t keys, const std::string& rest) {
  return "GGUF" + bytes_of(std::uint32_t{3}) + bytes_of(tensors) + bytes_of(keys) + rest;
}

}  // namespace

TEST_CASE("every kind of value is read with its value", "[model]") {
  GgufWriter writer;
  writer.raw("u8", Type::U8, bytes_of(std::uint8_t{255}))
      .raw("i8", Type::I8, bytes_of(std::int8_t{-128}))
      .raw("u16", Type::U16, bytes_of(std::uint16_t{65535}))
      .raw("i16", Type::I16, bytes_of(std::int16_t{-2}))
      .raw("u32", Type::U32, bytes_of(std::uint32_t{4294967295}))
      .raw("i32", Type::I32, bytes_of(std::int32_t{-3}))
      .raw("f32", Type::F32, bytes_of(0.5F))
      .raw("true", Type::Bool, bytes_of(std::uint8_t{1}))
      .raw("false", Type::Bool, bytes_of(std::uint8_t{0}))
      .text("text", "grüße")
      .text("empty", "")
      .raw("u64", Type::U64, bytes_of(kHuge))
      .raw("i64", Type::I64, bytes_of(std::numeric_limits<std::int64_t>::min()))
      .raw("f64", Type::F64, bytes_of(-1.25))
      .array("heads", Type::I32, 2, bytes_of(std::int32_t{-1}) + bytes_of(std::int32_t{7}))
      .array("flags", Type::Bool, 2, std::string("\x01\x00", 2))
      .array("wide", Type::U64, 1, bytes_of(kHuge))
      .array("none", Type::U32, 0, "")
      .array("tokens", Type::String, 2, gguf_string("a") + gguf_string(""))
      .array("scores", Type::F32, 1, bytes_of(1.0F))
      .array("types", Type::U8, 4097, std::string(4097, '\1'));
  const GgufFile file = Reading().read(writer);
  const std::map<std::string, GgufValue> expected = {
      {"u8", std::uint64_t{255}},
      {"i8", std::int64_t{-128}},
      {"u16", std::uint64_t{65535}},
      {"i16", std::int64_t{-2}},
      {"u32", std::uint64_t{4294967295}},
      {"i32", std::int64_t{-3}},
      {"f32", 0.5},
      {"true", true},
      {"false", false},
      {"text", std::string("grüße")},
      {"empty", std::string()},
      {"u64", kHuge},
      {"i64", std::numeric_limits<std::int64_t>::min()},
      {"f64", -1.25},
      {"heads", std::vector<std::int64_t>{-1, 7}},
      {"flags", std::vector<std::int64_t>{1, 0}},
      {"wide", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()}},
      {"none", std::vector<std::int64_t>{}},
      {"tokens#count", std::uint64_t{2}},
      {"scores#count", std::uint64_t{1}},
      {"types#count", std::uint64_t{4097}},
  };
  CHECK(file.metadata == expected);
  CHECK(file.text("text") == "grüße");
  CHECK(file.text("u8") == std::nullopt);
  CHECK(file.number("u16") == 65535);
  CHECK(file.number("i16") == std::nullopt);
  CHECK(file.number("text") == std::nullopt);
  CHECK(file.number("absent") == std::nullopt);
  CHECK(file.architecture().empty());
  CHECK(file.quantization().empty());
}

TEST_CASE("tensors are read with their sizes and the model described by them", "[model]") {
  const std::string bytes = small_model().bytes();
  const GgufFile file = Reading().read(bytes);
  CHECK(file.version == 3);
  CHECK(file.file_size == ByteSize(bytes.size()));
  CHECK(file.architecture() == "llama");
  CHECK(file.parameters == 32 * 4 + 8);
  CHECK(file.quantization() == "Q4_0");
  REQUIRE(file.tensors.size() == 2);
  CHECK(file.tensors[0].name == "token_embd.weight");
  CHECK(file.tensors[0].dimensions == std::vector<std::uint64_t>{32, 4});
  CHECK(file.tensors[0].type == 2);
  CHECK(file.tensors[0].offset == 0);
  CHECK(file.tensors[0].bytes == 72);
  CHECK(file.tensors[1].offset == 96);
  CHECK(file.tensors[1].bytes == 32);
  CHECK(Reading()
            .read([] {
              GgufWriter writer = small_model();
              writer.version = 2;
              return writer;
            }())
            .version == 2);
}

TEST_CASE("the quantization is the type with the most bytes, not that of the most tensors",
          "[model]") {
  GgufWriter writer;
  writer.tensor("a", {4}, 0, 16).tensor("b", {4}, 0, 16).tensor("c", {256, 2}, 12, 288);
  CHECK(Reading().read(writer).quantization() == "Q4_K");
}

TEST_CASE("a tensor type newer than this las keeps the metadata readable", "[model]") {
  GgufWriter writer = small_model();
  writer.tensor_at("future", {1024, 1024}, 99, 128);
  const GgufFile file = Reading().read(writer);
  CHECK(file.tensors.at(2).bytes == 0);
  CHECK(file.parameters == 32 * 4 + 8 + 1024 * 1024);
  CHECK(file.quantization() == "type 99");
}

TEST_CASE("the type table knows what ggml knows", "[model]") {
  struct Row {
    std::uint32_t id;
    std::string_view name;
    std::uint32_t block, bytes;
  };

  for (const Row& row : {Row{0, "F32", 1, 4},
                         Row{8, "Q8_0", 32, 34},
                         Row{14, "Q6_K", 256, 210},
                         Row{23, "IQ4_XS", 256, 136},
                         Row{30, "BF16", 1, 2},
                         Row{39, "MXFP4", 32, 17},
                         Row{42, "Q2_0", 64, 18}}) {
    const TensorType* type = find_tensor_type(row.id);
    REQUIRE(type != nullptr);
    CHECK(type->name == row.name);
    CHECK(type->block == row.block);
    CHECK(type->bytes == row.bytes);
  }
  int known = 0, removed = 0;
  for (std::uint32_t id = 0; id < 43; ++id) {
    known += find_tensor_type(id) != nullptr ? 1 : 0;
    removed += is_removed_tensor_type(id) ? 1 : 0;
    CHECK((find_tensor_type(id) != nullptr) != is_removed_tensor_type(id));
  }
  CHECK(known == 35);
  CHECK(removed == 8);
  CHECK(find_tensor_type(43) == nullptr);
}

TEST_CASE("a GGUF header that is none, or of another kind, is refused", "[model]") {
  const Reading reading;
  GgufWriter writer;
  writer.magic = "GGML";
  CHECK(reading.fault(writer) == "the magic number is missing at byte 0");
  writer.magic = "GGUF";
  writer.version = 1;
  CHECK(reading.fault(writer) == "version 1 is not supported, only 2 and 3 are at byte 4");
  writer.version = 4;
  CHECK(reading.fault(writer) == "version 4 is not supported, only 2 and 3 are at byte 4");
  writer.version = 0x03000000;
  CHECK(reading.fault(writer) ==
        "big-endian files are not supported: the version is byte-swapped at byte 4");
  CHECK(reading.fault("") == "truncated: magic needs 4 bytes, 0 are left at byte 0");
}

TEST_CASE("counts and lengths near 2^64 are refused before anything is allocated", "[model]") {
  const Reading reading;
  for (const std::uint64_t count :
       {kHuge, kHuge / 13, kHuge / 24, kHuge - 7, std::uint64_t{1} << 63}) {
    const std::string number = std::to_string(count), text = bytes_of(count);
    CHECK(reading.fault(with_header(count, 0, std::string(64, '\0'))) ==
          "the number of tensors is " + number + ", more than the file can hold at byte 8");
    CHECK(reading.fault(with_header(0, count, std::string(64, '\0'))) ==
          "the number of keys is " + number + ", more than the file can hold at byte 16");
    CHECK(reading.fault(with_header(0, 1, text + std::string(64, '\0'))) ==
          "truncated: key needs " + number + " bytes, 64 are left at byte 24");
    const auto value_of = [&](const std::string& value) {
      GgufWriter writer;
      return reading.fault(writer.raw("k", Type::String, value + std::string(16, 'x')));
    };
    CHECK(value_of(text) == "truncated: text needs " + number + " bytes, 16 are left at byte 37");
    for (const Type type : {Type::U8, Type::F64, Type::String}) {
      GgufWriter writer;
      CHECK(reading.fault(writer.array("k", type, count, std::string(16, 'x'))) ==
            "the array 'k' has " + number + " elements, more than the file can hold at byte 37");
    }
    GgufWriter element;
    CHECK(reading.fault(element.array("k", Type::String, 1, text + "x")) ==
          "truncated: array element needs " + number + " bytes, 1 are left at byte 57");
    CHECK(reading.fault(with_header(1, 0, text + std::string(64, '\0'))) ==
          "truncated: tensor name needs " + number + " bytes, 64 are left at byte 24");
  }
}

TEST_CASE("a count is refused as soon as the smallest such things would not fit", "[model]") {
  const Reading reading;
  const std::string rest(72, '\0');
  CHECK(reading.fault(with_header(4, 0, rest)) ==
        "the number of tensors is 4, more than the file can hold at byte 8");
  CHECK(reading.fault(with_header(0, 6, rest)) ==
        "the number of keys is 6, more than the file can hold at byte 16");
  for (const auto& [type, count] : {std::pair(Type::U8, 17),
                                    std::pair(Type::U16, 9),
                                    std::pair(Type::F32, 5),
                                    std::pair(Type::F64, 3),
                                    std::pair(Type::String, 3)}) {
    GgufWriter writer;
    writer.array("k", type, static_cast<std::uint64_t>(count), std::string(16, '\0'));
    CHECK(reading.fault(writer) == "the array 'k' has " + std::to_string(count) +
                                       " elements, more than the file can hold at byte 37");
  }
}

TEST_CASE("metadata that las would have to guess about is refused", "[model]") {
  const Reading reading;
  const auto fault = [&](auto&& build) {
    GgufWriter writer;
    build(writer);
    return reading.fault(writer);
  };
  CHECK(fault([](auto& w) { w.number("k", 1).number("k", 2); }) ==
        "the key 'k' comes twice at byte 41");
  CHECK(fault([](auto& w) { w.number("", 1); }) == "a key is empty at byte 24");
  CHECK(fault([](auto& w) { w.raw("k", Type{13}, "12345678"); }) ==
        "unknown value type 13 at byte 33");
  CHECK(fault([](auto& w) { w.raw("k", Type::Bool, "\x02"); }) ==
        "2 is neither true nor false at byte 37");
  CHECK(fault([](auto& w) { w.array("k", Type::Array, 1, std::string(32, '\0')); }) ==
        "the key 'k' is an array of arrays at byte 37");
  CHECK(fault([](auto& w) { w.array("k", Type{77}, 1, std::string(32, '\0')); }) ==
        "unknown value type 77 at byte 37");
  CHECK(fault([](auto& w) { w.number(std::string(65536, 'k'), 1); }) ==
        "key of 65536 bytes is longer than 65535 at byte 24");
  CHECK(fault([](auto& w) { w.number("a\x1b[31mb", 1).number("a\x1b[31mb", 1); }) ==
        "the key 'a?[31mb' comes twice at byte 47");
  CHECK(fault([](auto& w) {
          for (int i = 0; i < 5; ++i)
            w.text(std::to_string(i), std::string((std::size_t{16} << 20) - 1, 'x'));
        }) == "there is more metadata than any model needs at byte 67108968");
}

TEST_CASE("an alignment that is no alignment is refused", "[model]") {
  const Reading reading;
  const auto fault = [&](Type type, const std::string& value) {
    GgufWriter writer;
    return reading.fault(writer.raw("general.alignment", type, value));
  };
  const std::string expected = "general.alignment is not a power of two up to 1048576 at byte ";
  CHECK(fault(Type::U32, bytes_of(std::uint32_t{0})) == expected + "57");
  CHECK(fault(Type::U32, bytes_of(std::uint32_t{33})) == expected + "57");
  CHECK(fault(Type::U32, bytes_of(std::uint32_t{1} << 21)) == expected + "57");
  CHECK(fault(Type::U64, bytes_of(std::uint64_t{1} << 63)) == expected + "61");
  CHECK(fault(Type::I32, bytes_of(std::int32_t{-32})) == expected + "57");
  CHECK(fault(Type::String, gguf_string("32")) == expected + "63");

  GgufWriter writer;
  writer.alignment = 1024;
  writer.number("general.alignment", 1024).tensor("a", {2}, 0, 8).tensor("b", {2}, 0, 8);
  CHECK(reading.read(writer).tensors.at(1).offset == 1024);
}

TEST_CASE("tensors that lie about themselves are refused", "[model]") {
  const Reading reading;
  const auto fault = [&](auto&& build) {
    GgufWriter writer;
    build(writer);
    return reading.fault(writer);
  };
  const auto one =
      [&](std::vector<std::uint64_t> dimensions, std::uint32_t type, std::uint64_t offset) {
        return fault([&](auto& w) { w.tensor_at("t", dimensions, type, offset).data(64); });
      };
  CHECK(one({1, 1, 1, 1, 1}, 0, 0) == "the tensor 't' has 5 dimensions at byte 24");
  CHECK(one({std::uint64_t{1} << 32, std::uint64_t{1} << 32}, 0, 0) ==
        "the dimensions of the tensor 't' are too large at byte 24");
  CHECK(one({kHuge}, 0, 0) == "the dimensions of the tensor 't' are too large at byte 24");
  CHECK(one({std::uint64_t{1} << 62}, 0, 0) ==
        "the dimensions of the tensor 't' are too large at byte 24");
  CHECK(one({16}, 2, 0) ==
        "the rows of the tensor 't' are not whole blocks of its type at byte 24");
  CHECK(one({0}, 2, 0) == "the rows of the tensor 't' are not whole blocks of its type at byte 24");
  CHECK(one({4}, 4, 0) == "the type of the tensor 't' was removed from the format at byte 24");
  CHECK(one({4}, 0, 8) == "the data of the tensor 't' are not aligned at byte 24");
  CHECK(one({4}, 0, kHuge - 31) == "the tensor 't' lies beyond any file at byte 64");
  CHECK(
      one({4}, 0, kHuge - 95) ==
      "truncated: the tensor data end at 18446744073709551600, the file has 128 bytes: tensor 't' "
      "at byte 18446744073709551584");
  CHECK(one({17}, 0, 0) ==
        "truncated: the tensor data end at 132, the file has 128 bytes: tensor 't' at byte 64");
  CHECK(one({4}, 99, 96) ==
        "truncated: the tensor data end at 160, the file has 128 bytes: tensor 't' at byte 160");
  CHECK(one({16}, 0, 0).empty());
  CHECK(one({}, 0, 0).empty());
  CHECK(one({0}, 0, 0).empty());
  CHECK(fault([](auto& w) { w.tensor("t", {4}, 0, 16).tensor("t", {4}, 0, 16); }) ==
        "the tensor 't' comes twice at byte 57");
  CHECK(fault([](auto& w) { w.tensor(std::string(64, 'n'), {4}, 0, 16); }) ==
        "tensor name of 64 bytes is longer than 63 at byte 24");
  CHECK(fault([](auto& w) { w.tensor_at("b", {9}, 0, 0).tensor_at("a", {4}, 0, 32).data(64); }) ==
        "the tensors 'b' and 'a' overlap at byte 128");
  CHECK(fault([](auto& w) { w.tensor_at("a", {4}, 0, 0).tensor_at("b", {4}, 0, 0).data(64); }) ==
        "the tensors 'a' and 'b' overlap at byte 96");
}

TEST_CASE("a file that was cut anywhere is InvalidData and never anything else", "[model]") {
  const Reading reading;
  const std::string whole = small_model().bytes();
  REQUIRE(reading.fault(whole).empty());
  for (std::size_t size = 0; size < whole.size(); size += 7)
    CHECK_THAT(reading.fault(whole.substr(0, size)), Catch::Matchers::Contains("at byte "));
  CHECK_THAT(reading.fault(whole.substr(0, whole.size() - 1)),
             Catch::Matchers::StartsWith("truncated: "));
}

TEST_CASE("a file with any byte changed is read or is InvalidData", "[model]") {
  const Reading reading;
  const std::string whole = small_model().bytes();
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char value : {'\x00', '\x01', '\x7f', '\x80', '\xff'}) {
      std::string changed = whole;
      changed[at] = value;
      refused += reading.fault(changed).empty() ? 0 : 1;
    }
  }
  CHECK(refused > 500);
}

TEST_CASE("what cannot be a GGUF file is told apart from what is not there", "[model]") {
  const TempDirectory temp;
  CHECK_THROWS_WITH(read_gguf(temp / "absent.gguf"),
                    "could not read the model file: " + (temp / "absent.gguf").string() +
                        ": No such file or directory");
  CHECK_THROWS_WITH(read_gguf(temp.path()), "not a regular file: " + temp.path().string());
}
