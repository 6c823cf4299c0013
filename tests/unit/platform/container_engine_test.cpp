// SPDX-License-Identifier: Apache-2.0
#include "las/platform/container_engine.hpp"

#include "support/catch.hpp"

#include <algorithm>

using las::Version;

namespace {

std::string log_option(bool by_unit, const char* version) {
  const auto words = las::platform::container_engine("podman").service_options(
      by_unit, Version(std::string(version)));
  const auto found = std::find_if(words.begin(), words.end(), [](const std::string& word) {
    return word.starts_with("--log-driver=");
  });
  return found == words.end() ? "" : *found;
}

}  // namespace

TEST_CASE("what a container says goes to its unit, or where an older podman can have it go",
          "[platform]") {
  CHECK(log_option(true, "4.3.1") == "--log-driver=passthrough");
  CHECK(log_option(true, "") == "--log-driver=passthrough");
  CHECK(log_option(true, "3.4.4") == "--log-driver=journald");
  CHECK(log_option(false, "5.4.2") == "--log-driver=passthrough");
  // In the foreground, where it is las's to keep, the client shows it all the same.
  CHECK(log_option(false, "3.4.4") == "--log-driver=none");
}
