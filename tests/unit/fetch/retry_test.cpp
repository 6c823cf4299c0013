// SPDX-License-Identifier: Apache-2.0
#include "curl_library.hpp"
#include "support/catch.hpp"

#include "las/fetch/fetch.hpp"

using las::fetch::retry_delay;
using las::fetch::worth_retrying;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("Waiting before a repeat doubles from half a second and ends at thirty", "[fetch]") {
  CHECK(retry_delay(1, {}, 0) == milliseconds(500));
  CHECK(retry_delay(2, {}, 0) == milliseconds(1000));
  CHECK(retry_delay(3, {}, 0) == milliseconds(2000));
  CHECK(retry_delay(6, {}, 0) == milliseconds(16000));
  CHECK(retry_delay(7, {}, 0) == milliseconds(30000));
  CHECK(retry_delay(1000000, {}, 0.99) == milliseconds(30000));
}

TEST_CASE("Chance lengthens a wait by up to half", "[fetch]") {
  CHECK(retry_delay(1, {}, 0.5) == milliseconds(625));
  CHECK(retry_delay(2, {}, 0.99) == milliseconds(1495));
  CHECK(retry_delay(6, {}, 0.99) == milliseconds(23920));
}

TEST_CASE("A repeat never comes sooner than the server asked", "[fetch]") {
  CHECK(retry_delay(1, seconds(7), 0.5) == milliseconds(7000));
  CHECK(retry_delay(1, seconds(90), 0) == milliseconds(90000));
  CHECK(retry_delay(5, seconds(1), 0) == milliseconds(8000));
}

TEST_CASE("Only passing faults are worth another try at the same URL", "[fetch]") {
  CHECK(worth_retrying(429, CURLE_OK));
  CHECK(worth_retrying(500, CURLE_OK));
  CHECK(worth_retrying(503, CURLE_OK));
  CHECK(worth_retrying(0, CURLE_GOT_NOTHING));
  CHECK(worth_retrying(200, CURLE_PARTIAL_FILE));
  CHECK(worth_retrying(206, CURLE_RECV_ERROR));
  CHECK(worth_retrying(200, CURLE_OPERATION_TIMEDOUT));

  CHECK_FALSE(worth_retrying(400, CURLE_OK));
  CHECK_FALSE(worth_retrying(403, CURLE_OK));
  CHECK_FALSE(worth_retrying(404, CURLE_OK));
  CHECK_FALSE(worth_retrying(0, CURLE_COULDNT_RESOLVE_HOST));
  CHECK_FALSE(worth_retrying(0, CURLE_COULDNT_CONNECT));
  CHECK_FALSE(worth_retrying(0, CURLE_PEER_FAILED_VERIFICATION));
  CHECK_FALSE(worth_retrying(302, CURLE_UNSUPPORTED_PROTOCOL));
}
