// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include "las/base/error.hpp"
#include "las/fetch/fetch.hpp"

using las::fetch::find_checksum;

namespace {

const std::string kOne(64, '1'), kTwo(64, '2'), kLong(128, 'a');

std::string found(std::string_view document, std::string_view format, std::string_view name) {
  const auto digest = find_checksum(document, format, name);
  return digest ? digest->to_string() : "nothing";
}

}  // namespace

TEST_CASE("A sums document gives the digest of the named file", "[fetch]") {
  const std::string document =
      kOne + "  foo.tar.gz\n" + kTwo + " *bar.zip\r\n" + kLong + "  baz.tar\n";
  CHECK(found(document, "sums", "foo.tar.gz") == "sha256:" + kOne);
  CHECK(found(document, "sums", "bar.zip") == "sha256:" + kTwo);
  CHECK(found(document, "sums", "baz.tar") == "sha512:" + kLong);
  CHECK(found(document, "sums", "foo") == "nothing");
  CHECK(found("", "sums", "foo") == "nothing");
  CHECK(found("<html>not found</html>", "sums", "foo") == "nothing");
}

TEST_CASE("BSD sums lines are understood", "[fetch]") {
  CHECK(found("SHA256 (foo (1).tar) = " + kOne + "\n", "sums", "foo (1).tar") == "sha256:" + kOne);
  CHECK(found("SHA512 (foo) = " + kLong + "\n", "sums", "foo") == "sha512:" + kLong);
  CHECK(found("MD5 (foo) = " + std::string(32, '1') + "\n", "sums", "foo") == "nothing");
}

TEST_CASE("A document of bare digits belongs to whatever file was asked for", "[fetch]") {
  CHECK(found(kOne + "\n", "sums", "foo.tar.gz") == "sha256:" + kOne);
}

TEST_CASE("A sums document may name files with folders, unless that is ambiguous", "[fetch]") {
  CHECK(found(kOne + "  ./dist/foo\n", "sums", "foo") == "sha256:" + kOne);
  CHECK(found(kOne + "  mac/foo\n" + kTwo + "  linux/foo\n", "sums", "foo") == "nothing");
  CHECK(found(kOne + "  mac/foo\n" + kTwo + "  foo\n", "sums", "foo") == "sha256:" + kTwo);
  CHECK(found(kOne + "  mac/foo\n" + kTwo + "  linux/foo\n", "sums", "mac/foo") ==
        "sha256:" + kOne);
}

TEST_CASE("Contradicting digests for one file give none", "[fetch]") {
  CHECK(found(kOne + "  foo\n" + kTwo + "  foo\n", "sums", "foo") == "nothing");
  CHECK(found(kOne + "  foo\n" + kOne + "  foo\n", "sums", "foo") == "sha256:" + kOne);
  CHECK(found(kLong + "  foo\n" + kOne + "  foo\n", "sums", "foo") == "sha256:" + kOne);
}

TEST_CASE("A release document gives the digest of the named asset", "[fetch]") {
  const std::string document = R"({"tag_name": "v1", "assets": [
    {"name": "foo.tar.gz", "digest": "sha256:)" +
                               kOne + R"("},
    {"name": "old.tar.gz", "digest": null},
    {"name": "odd.tar.gz", "digest": "md5:00"}, 7]})";
  CHECK(found(document, "release-assets", "foo.tar.gz") == "sha256:" + kOne);
  CHECK(found(document, "release-assets", "old.tar.gz") == "nothing");
  CHECK(found(document, "release-assets", "odd.tar.gz") == "nothing");
  CHECK(found("{}", "release-assets", "foo.tar.gz") == "nothing");
  CHECK(found("not json", "release-assets", "foo.tar.gz") == "nothing");
}

TEST_CASE("An unknown checksum format is refused by name", "[fetch]") {
  try {
    find_checksum("", "crc", "foo");
    FAIL("no error");
  } catch (const las::Error& error) {
    CHECK(error.kind() == las::ErrorKind::InvalidData);
    CHECK(std::string(error.what()) == "this checksum document format is not known: crc");
  }
}
