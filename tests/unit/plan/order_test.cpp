// SPDX-License-Identifier: Apache-2.0
#include "las/plan/order.hpp"

#include "support/catch.hpp"

#include <fmt/format.h>

using las::plan::dependency_order;
using Names = std::vector<std::string>;

TEST_CASE("what is needed comes first, equals by name", "[plan]") {
  CHECK(dependency_order(
            {{"app", {"lib", "db"}}, {"db", {}}, {"lib", {"zbase"}}, {"zbase", {}}, {"a", {}}}) ==
        Names{"a", "db", "zbase", "lib", "app"});
}

TEST_CASE("needs outside the set, doubled or of oneself change nothing", "[plan]") {
  CHECK(dependency_order({{"b", {"b", "a", "a", "elsewhere"}}, {"a", {}}}) == Names{"a", "b"});
}

TEST_CASE("a circle is entered at its first name", "[plan]") {
  CHECK(dependency_order({{"c", {"a"}}, {"a", {"b"}}, {"b", {"c"}}}) == Names{"a", "c", "b"});
}

TEST_CASE("a chain of 100,000 is ordered without recursion", "[plan]") {
  std::map<std::string, Names> needs;
  for (int i = 0; i < 100000; ++i)
    needs[fmt::format("m{:06}", i)] = {fmt::format("m{:06}", i + 1)};
  const Names order = dependency_order(needs);
  REQUIRE(order.size() == 100000);
  CHECK(order.front() == "m099999");
  CHECK(order.back() == "m000000");
}
