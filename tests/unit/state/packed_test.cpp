// SPDX-License-Identifier: Apache-2.0
#include "full_records.hpp"
#include "record_packed.hpp"
#include "support/catch.hpp"

#include "las/base/error.hpp"

using namespace las;
using namespace las::state;
using namespace las::test;

namespace {

OperationRecord unpacked(const std::string& bytes) {
  OperationRecord record;
  record_packed::decode(
      bytes, [] { return std::string("table/key"); }, record);
  return record;
}

/// The cause of the CorruptState, "" if there is none.
std::string fault_of(const std::string& bytes) {
  try {
    unpacked(bytes);
    return "";
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::CorruptState);
    return error.what();
  }
}

OperationRecord small() {
  OperationRecord operation;
  operation.id = "ab";
  operation.generation_before = 300;
  operation.changes = {"c"};
  operation.steps = {{"d", -2}};
  operation.sudo_user = "e";
  return operation;
}

// Never to be read otherwise: what lies in states was written so.
const std::string kSmall = std::string("\x01\x18", 2) + "\x02" + "ab" + std::string(6, '\0') +
                           "\xac\x02" + std::string(1, '\0') + "\x01\x01" + "c" + "\x01" + "e" +
                           "\x01\x03\x01" + "d" + "\x03" + std::string(2, '\0');

// Without the last two fields.
std::string small_of_earlier_las() {
  std::string bytes = kSmall.substr(0, kSmall.size() - 2);
  bytes[1] = static_cast<char>(bytes[1] - 2);
  return bytes;
}

}  // namespace

TEST_CASE("a packed record is read as it was written", "[state]") {
  for (const OperationRecord& record : {full_operation("id"), OperationRecord{}, small()})
    CHECK(unpacked(record_packed::encode(record)) == record);
}

TEST_CASE("a record read in the place of another keeps nothing of it", "[state]") {
  for (const std::string& bytes : {kSmall, small_of_earlier_las(), record_json::encode(small())}) {
    OperationRecord record = full_operation("id");
    record_packed::decode(
        bytes, [] { return std::string("table/key"); }, record);
    CHECK(record == small());
  }
}

TEST_CASE("the bytes of a packed record stay what they are", "[state]") {
  CHECK(record_packed::encode(small()) == kSmall);
  CHECK(unpacked(kSmall) == small());
}

TEST_CASE("a record in JSON is read where a packed one is expected", "[state]") {
  CHECK(unpacked(record_json::encode(full_operation("id"))) == full_operation("id"));
}

TEST_CASE("what an earlier las did not write is its default, and what a later one adds is left out",
          "[state]") {
  CHECK(unpacked(small_of_earlier_las()) == small());

  std::string later = kSmall + "xyz";
  later[1] = static_cast<char>(later[1] + 3);
  CHECK(unpacked(later) == small());
}

TEST_CASE("numbers keep their value from end to end of their range", "[state]") {
  for (const std::uint64_t number : {std::uint64_t{0},
                                     std::uint64_t{127},
                                     std::uint64_t{128},
                                     std::numeric_limits<std::uint64_t>::max()}) {
    OperationRecord record;
    record.generation_after = number;
    CHECK(unpacked(record_packed::encode(record)) == record);
  }
  for (const std::int64_t number : {std::int64_t{-1},
                                    std::int64_t{63},
                                    std::int64_t{-64},
                                    std::int64_t{64},
                                    std::numeric_limits<std::int64_t>::min(),
                                    std::numeric_limits<std::int64_t>::max()}) {
    OperationRecord record;
    record.steps = {{"x", number}};
    CHECK(unpacked(record_packed::encode(record)) == record);
  }
}

TEST_CASE("a packed record that is cut short anywhere is corrupt, and says which", "[state]") {
  const std::string whole = record_packed::encode(full_operation("id"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    INFO(size);
    CHECK(fault_of(whole.substr(0, size)).find("table/key") != std::string::npos);
  }
  CHECK(fault_of(whole + "x").find("bytes are left over") != std::string::npos);
}

TEST_CASE("a packed record with any byte changed is read or refused, nothing else", "[state]") {
  const std::string whole = record_packed::encode(full_operation("id"));
  std::size_t refused = 0;
  for (std::size_t at = 1; at < whole.size(); ++at) {
    for (const char value : {'\x00', '\x7f', '\x80', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = value;
      refused += fault_of(damaged).empty() ? 0U : 1U;
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("packed text that is not UTF-8 is stored with replacement characters", "[state]") {
  OperationRecord record;
  record.command = "las install \xff";
  record.error = "d\xc3\xa9j\xc3\xa0";
  const OperationRecord read = unpacked(record_packed::encode(record));
  CHECK(read.command == "las install \xef\xbf\xbd");
  CHECK(read.error == record.error);
}
