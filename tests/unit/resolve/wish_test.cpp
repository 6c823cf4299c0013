// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "unit/resolve/builders.hpp"

#include "las/resolve/resolve.hpp"

using las::resolve::parse_wish;
using las::resolve::Wish;

TEST_CASE("a wish is a name, a name with a version or a name with a range", "[resolve]") {
  CHECK(parse_wish("engine") == Wish{"engine", {}, {}, {}});
  CHECK(parse_wish(" engine ") == Wish{"engine", {}, {}, {}});
  CHECK(parse_wish("engine=b11194") == Wish{"engine", builders::range("==b11194"), {}, {}});
  CHECK(parse_wish("engine@1.2") == Wish{"engine", builders::range("==1.2"), {}, {}});
  CHECK(parse_wish("engine@>=1.2,<2") == Wish{"engine", builders::range(">=1.2,<2"), {}, {}});
  CHECK(parse_wish("engine@^1.2") == Wish{"engine", builders::range(">=1.2,<2"), {}, {}});
}

TEST_CASE("what is no wish is refused with what a wish looks like", "[resolve]") {
  const auto message = [](const std::string& text) {
    try {
      parse_wish(text);
    } catch (const las::Error& error) {
      CHECK(error.kind() == las::ErrorKind::Usage);
      CHECK(error.hint() ==
            "write name, name=version or 'name@range', for example 'name@>=1.2,<2'");
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(message("") == "not a module name");
  CHECK(message("Engine") == "not a module name: Engine");
  CHECK(message("../engine") == "not a module name: ../engine");
  CHECK(message("engine>=1") == "not a module name: engine>=1");
  CHECK(message("engine=") == "not a version: engine=");
  CHECK(message("engine==1.2") == "not a version: engine==1.2");
  CHECK(message("engine=1.2 other") == "not a version: engine=1.2 other");
  CHECK(message("engine@") == "not a version range: engine@");
  CHECK(message("engine@>=1.2,oops=") == "not a version range: engine@>=1.2,oops=");
  CHECK(message("engine@>=1.2;rm") == "not a version range: engine@>=1.2;rm");
}
