// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include "las/app/doctor.hpp"

using namespace las;

namespace {

std::string redacted(const std::string& text) {
  platform::Environment environment;
  environment.user = "ann";
  environment.home = "/srv/people/ann";
  environment.host_name = "wolke7";
  return app::redact(text, environment);
}

}  // namespace

TEST_CASE("what tells whose machine a report is from is replaced", "[app]") {
  CHECK(redacted("ann on wolke7, in /srv/people/ann/x") == "USER on HOST, in HOME/x");
  CHECK(redacted("banner and wolke77 stay") == "banner and wolke77 stay");
  CHECK(redacted("/home/bob/models/a.gguf") == "/home/USER/models/a.gguf");
  CHECK(redacted("mail ann@example.org") == "mail MAIL");
}

TEST_CASE("credentials are replaced in whatever quotes they stand", "[app]") {
  CHECK(redacted("token: abc123") == "token: REDACTED");
  CHECK(redacted("'password': \"s3cr3t\"") == "'password': \"REDACTED\"");
  CHECK(redacted("{\"api_key\": \"x-y-z\", \"n\": 1}") == "{\"api_key\": \"REDACTED\", \"n\": 1}");
  CHECK(redacted("https://u:p@example.org/x") == "https://REDACTED@example.org/x");
  CHECK(redacted("Authorization: Bearer abc.def") == "Authorization: Bearer REDACTED");
}

TEST_CASE("addresses are replaced, and loopback and times of day are not", "[app]") {
  CHECK(redacted("10.1.2.3 and fd12:3456:789a::77 and fe80::1") ==
        "ADDRESS and ADDRESS and ADDRESS");
  CHECK(redacted("2001:db8:1:2:3:4:5:6") == "ADDRESS");
  CHECK(redacted("127.0.0.1:8080 ::1 14:59:51 2026-11-26T14:59:51Z") ==
        "127.0.0.1:8080 ::1 14:59:51 2026-11-26T14:59:51Z");
  CHECK(redacted("00:1a:2b:3c:4d:5e") == "MAC");
  CHECK(redacted("GPU-12345678-1234-1234-1234-123456789abc") == "GPU-UUID");
}
