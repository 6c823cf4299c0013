// SPDX-License-Identifier: Apache-2.0
#include "pip.hpp"

#include "stand_ins.hpp"
#include "support/catch.hpp"

using namespace las;
using namespace las::source;
using las::test::error_of;

namespace {

const std::string kHash = " --hash=sha256:" + std::string(64, 'a');

}  // namespace

TEST_CASE("a lock is sorted and keeps extras, markers and several hashes", "[source]") {
  CHECK(render_lock({"b==2.0" + kHash,
                     "A.b_c[x,y]==1!1.0+cpu ; python_version < '3.12'" + kHash + kHash}) ==
        "A.b_c[x,y]==1!1.0+cpu ; python_version < '3.12'" + kHash + kHash + "\nb==2.0" + kHash +
            "\n");
}

TEST_CASE("a requirement that could lead pip away from the lock is refused", "[source]") {
  const auto refusal = [](const std::string& line) {
    const Error error = error_of([&] { render_lock({"ok==1" + kHash, line}); });
    CHECK(error.kind() == ErrorKind::InvalidData);
    return error.message();
  };
  CHECK(refusal("a>=1" + kHash) == "a python requirement is not name==version");
  CHECK(refusal("a @ http://host/a.whl" + kHash) == "a python requirement is not name==version");
  CHECK(refusal("./a.whl" + kHash) == "a python requirement is not name==version");
  CHECK(refusal("-e a==1" + kHash) == "a python requirement is not name==version");
  CHECK(refusal("--index-url=http://host/ --x==1" + kHash) ==
        "a python requirement is not name==version");
  CHECK(refusal("a==1.*" + kHash) == "a python requirement is not name==version");
  CHECK(refusal("a==1") == "a python requirement has no hash");
  CHECK(refusal("a==1 --hash=md5:" + std::string(32, 'a')) ==
        "a python requirement has an option other than a strong hash");
  CHECK(refusal("a==1 --hash=sha256:abc") ==
        "a python requirement has an option other than a strong hash");
  CHECK(refusal("a==1" + kHash + " --index-url http://host/") ==
        "a python requirement has an option other than a strong hash");
  CHECK(refusal("a==1" + kHash + "\n--index-url http://host/") ==
        "a python requirement is not one line");
  CHECK(refusal("a==${VERSION}" + kHash) == "a python requirement is not one line");
  CHECK(error_of([] { render_lock({}); }).message() == "a python source has no requirements");
}

TEST_CASE("a requirement is named without its hashes", "[source]") {
  CHECK(requirement_name("a==1 ; x" + kHash) == "a==1");
  CHECK(requires_project("Setup_Tools[x]==1" + kHash, "setup-tools"));
  CHECK(requires_project("pip==23.1", "pip"));
  CHECK_FALSE(requires_project("pip-tools==7", "pip"));
}

TEST_CASE("pip's failures are told apart by what can be done next", "[source]") {
  const auto failure = [](std::string_view output) {
    return pip_failure(output, "pip failed", "a==1");
  };
  const Error offline = failure(
      "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('x')': "
      "/simple/a/\nERROR: Could not find a version that satisfies the requirement a==1 (from "
      "versions: none)\nERROR: No matching distribution found for a==1\n");
  CHECK(offline.kind() == ErrorKind::Network);
  CHECK(
      offline.cause() ==
      "Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('x')': /simple/a/");

  const Error missing = failure("ERROR: No matching distribution found for a==1\n");
  CHECK(missing.kind() == ErrorKind::NotFound);
  CHECK(missing.cause() == "No matching distribution found for a==1");

  const Error forged = failure(
      "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. Read timed out\n");
  CHECK(forged.kind() == ErrorKind::Integrity);
  CHECK(forged.cause() == "pip was given bytes that do not match the lock");

  CHECK(failure("ERROR: HTTP error 503 while getting http://host/a.whl\n").kind() ==
        ErrorKind::Network);
  CHECK(failure("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on "
                "device\n")
            .kind() == ErrorKind::NoSpace);
  CHECK(failure("ERROR: something else\n").kind() == ErrorKind::Io);
}
