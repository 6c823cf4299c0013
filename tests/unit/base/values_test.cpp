// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include "las/base/activity.hpp"
#include "las/base/byte_size.hpp"
#include "las/base/diagnostics.hpp"
#include "las/base/digest.hpp"
#include "las/base/error.hpp"
#include "las/base/text.hpp"

#include <cerrno>

using namespace las;

TEST_CASE("Byte sizes are read with the units people write", "[base]") {
  CHECK(ByteSize::parse("16GB") == ByteSize::gib(16));
  CHECK(ByteSize::parse(" 16 GiB ") == ByteSize::gib(16));
  CHECK(ByteSize::parse("512m") == ByteSize::mib(512));
  CHECK(ByteSize::parse("1.5G") == ByteSize::mib(1536));
  CHECK(ByteSize::parse("1024") == ByteSize(1024));
  CHECK(ByteSize::parse("7b") == ByteSize(7));
}

TEST_CASE("Byte sizes that are none are refused", "[base]") {
  for (const char* text : {"", "GB", "-1GB", "1XB", "1.2.3G", "1 2", "99999999999999TB", "1e3"}) {
    INFO(text);
    CHECK_FALSE(ByteSize::parse(text));
  }
}

TEST_CASE("Adding byte sizes saturates instead of wrapping", "[base]") {
  CHECK(ByteSize(UINT64_MAX) + ByteSize(1) == ByteSize(UINT64_MAX));
}

TEST_CASE("Byte sizes print in binary units", "[base]") {
  CHECK(ByteSize(0).to_string() == "0 B");
  CHECK(ByteSize(1536).to_string() == "1.5 KiB");
  CHECK(ByteSize::gib(24).to_string() == "24.0 GiB");
}

TEST_CASE("A digest is well formed or does not exist", "[base]") {
  const std::string hex(64, 'a');
  CHECK(Digest::parse(hex)->to_string() == "sha256:" + hex);
  CHECK(Digest::parse("sha256:" + std::string(64, 'A'))->hex() == hex);
  CHECK(Digest::parse("sha512:" + std::string(128, '0')));
  for (const std::string& text : {std::string(),
                                  std::string("sha256:"),
                                  "md5:" + hex,
                                  hex + "a",
                                  "sha256:" + std::string(64, 'g'),
                                  "sha256:../../" + std::string(58, 'a'),
                                  "sha512:" + hex})
    CHECK_FALSE(Digest::parse(text));
}

TEST_CASE("Names that could leave a folder or break a unit name are refused", "[base]") {
  for (const char* name : {"a", "llama.cpp", "tiny-model.q4_0", "c++", "0day"})
    CHECK(text::is_name(name));
  for (const char* name :
       {"", ".hidden", "-x", "a/b", "a..b", "..", "A", "a b", "a%i", "\xC3\xA4"}) {
    INFO(name);
    CHECK_FALSE(text::is_name(name));
  }
  CHECK_FALSE(text::is_name(std::string(65, 'a')));
}

TEST_CASE("Templates expand known placeholders and refuse unknown ones", "[base]") {
  CHECK(text::expand("--port={port} {{literal}}", {{"port", "80"}}) == "--port=80 {literal}");
  CHECK_THROWS_AS(text::expand("{nothing}", {}), Error);
  CHECK_THROWS_AS(text::expand("{open", {{"open", "x"}}), Error);
}

TEST_CASE("A typing slip finds its name, a different word does not", "[base]") {
  const std::vector<std::string> names = {"install", "remove", "rollback", "llama.cpp"};
  CHECK(nearest_name("instal", names) == "install");
  CHECK(nearest_name("isntall", names) == "install");
  CHECK(nearest_name("llama", names) == "llama.cpp");
  CHECK(nearest_name("zzz", names).empty());
  CHECK(nearest_name("", names).empty());
}

TEST_CASE("Errors carry message, subject, cause, context and hint", "[base]") {
  const Error error =
      Error(ErrorKind::Io, "could not write", "/x").cause("disk on fire").hint("run");
  CHECK(std::string(error.what()) == "could not write: /x: disk on fire");
  CHECK(error.hint() == "run");
  try {
    with_context([] { return std::string("while testing"); },
                 [] { throw Error(ErrorKind::Busy, "busy"); });
    FAIL("nothing was thrown");
  } catch (const Error& caught) {
    CHECK(caught.kind() == ErrorKind::Busy);
    CHECK(caught.contexts() == std::vector<std::string>{"while testing"});
  }
}

TEST_CASE("System errors become the kind a caller can act on", "[base]") {
  CHECK(system_error(ENOSPC, "x").kind() == ErrorKind::NoSpace);
  CHECK(system_error(EACCES, "x").kind() == ErrorKind::Permission);
  CHECK(system_error(EROFS, "x").kind() == ErrorKind::Permission);
  CHECK(system_error(ENOENT, "x").kind() == ErrorKind::NotFound);
  CHECK(system_error(EIO, "x").kind() == ErrorKind::Io);
}

TEST_CASE("Diagnostics become one error that lists every fault", "[base]") {
  Diagnostics diagnostics;
  diagnostics.add({Severity::Warning, "f.yaml", 1, 2, "a", "odd", ""});
  CHECK_NOTHROW(diagnostics.throw_if_errors("faults"));
  diagnostics.add({Severity::Error, "f.yaml", 3, 4, "b.c", "wrong", "did you mean 'd'?"});
  try {
    diagnostics.throw_if_errors("faults");
    FAIL("nothing was thrown");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::InvalidData);
    CHECK(error.contexts() ==
          std::vector<std::string>{"f.yaml:1:2: warning: a: odd",
                                   "f.yaml:3:4: error: b.c: wrong (did you mean 'd'?)"});
  }
}

TEST_CASE("A cancelled activity stops at the next look", "[base]") {
  Cancellation cancellation;
  CHECK_NOTHROW(cancellation.throw_if_requested());
  cancellation.request(15);
  CHECK(cancellation.signal_number() == 15);
  CHECK_THROWS_AS(cancellation.throw_if_requested(), Error);
}
