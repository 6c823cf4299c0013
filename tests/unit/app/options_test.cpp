// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include "las/app/serve.hpp"

using namespace las;
using catalog::Option;
using Texts = std::map<std::string, std::string>;

namespace {

catalog::Manifest manifest() {
  catalog::Manifest engine;
  engine.name = "engine";
  engine.options = {{Option::Type::Text, "alias", "", "", {}},
                    {Option::Type::Integer, "context", "", "2048", {}},
                    {Option::Type::Boolean, "embeddings", "", "false", {}},
                    {Option::Type::Size, "cache", "", "1GiB", {}},
                    {Option::Type::Choice, "kv", "", "f16", {"f16", "q8_0"}}};
  return engine;
}

}  // namespace

TEST_CASE("options of the right type have no fault", "[app]") {
  CHECK(app::option_faults(manifest(), {}).empty());
  CHECK(app::option_faults(manifest(),
                           {{"alias", "any thing"},
                            {"context", "-4096"},
                            {"embeddings", "true"},
                            {"cache", "512MiB"},
                            {"kv", "q8_0"}})
            .empty());
}

TEST_CASE("each option that cannot be says why", "[app]") {
  CHECK(app::option_faults(manifest(),
                           {{"context", "4k"},
                            {"embeddings", "yes"},
                            {"cache", "much"},
                            {"kv", "q4"},
                            {"contxt", "1"},
                            {"zebra", "1"}}) ==
        Texts{{"cache", "'much' is not a size"},
              {"context", "'4k' is not a whole number"},
              {"contxt", "engine has no such option; did you mean 'context'?"},
              {"embeddings", "'yes' is neither true nor false"},
              {"kv", "'q4' is not one of f16, q8_0"},
              {"zebra", "engine has no such option"}});
}
