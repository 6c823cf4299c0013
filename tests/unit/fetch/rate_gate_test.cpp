// SPDX-License-Identifier: Apache-2.0
#include "rate_gate.hpp"

#include "support/catch.hpp"
#include "support/manual_clock.hpp"

using las::fetch::RateGate;
using std::chrono::milliseconds;

TEST_CASE("A rate gate shuts once its credit is used, and opens when the debt is paid", "[fetch]") {
  las::test::ManualClock clock;
  RateGate gate(1000, clock);  // one byte per millisecond, 100 saved
  CHECK(gate.admit(100));
  CHECK_FALSE(gate.admit(1));
  clock.advance(milliseconds(1));
  CHECK(gate.admit(51));  // into debt
  CHECK_FALSE(gate.admit(1));
  CHECK(gate.wait_time() == milliseconds(51));
  clock.advance(milliseconds(50));
  CHECK_FALSE(gate.admit(1));
  clock.advance(milliseconds(1));
  CHECK(gate.wait_time() == milliseconds(0));
  CHECK(gate.admit(1));
}

TEST_CASE("A rate gate saves credit for a tenth of a second only", "[fetch]") {
  las::test::ManualClock clock;
  RateGate gate(1000, clock);
  clock.advance(milliseconds(60000));
  CHECK(gate.admit(100));
  CHECK_FALSE(gate.admit(1));
}
