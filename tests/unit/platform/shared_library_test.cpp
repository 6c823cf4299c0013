// SPDX-License-Identifier: Apache-2.0
#include "las/platform/shared_library.hpp"

#include "support/catch.hpp"
#include "support/error_of.hpp"

using las::platform::SharedLibrary;

TEST_CASE("the first library that opens gives its symbols", "[platform]") {
  const SharedLibrary library{"libdoes-not-exist.so.9", "libm.so.6"};
  double (*square_root)(double) = nullptr;
  library.load(square_root, "sqrt");
  REQUIRE(square_root != nullptr);
  CHECK(square_root(9.0) == 3.0);
}

TEST_CASE("a missing library is named with the loader's words", "[platform]") {
  const auto error = las::test::error_of([] {
    SharedLibrary{"libdoes-not-exist.so.9", "libnor-this.so.1"};
  });
  REQUIRE(error);
  CHECK(error->kind() == las::ErrorKind::NotFound);
  CHECK(std::string(error->what()) ==
        "cannot load a shared library: libdoes-not-exist.so.9: libdoes-not-exist.so.9: cannot open "
        "shared object file: No such file or directory");
}

TEST_CASE("a missing symbol is an error only when it is needed", "[platform]") {
  const SharedLibrary library{"libm.so.6"};
  CHECK(library.find_symbol("no_such_function") == nullptr);
  const auto error = las::test::error_of([&] { return library.symbol("no_such_function"); });
  REQUIRE(error);
  CHECK(error->kind() == las::ErrorKind::NotFound);
  CHECK(std::string(error->what()) == "the shared library is too old: libm.so.6: no_such_function");
}
