// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include "las/app/service_options.hpp"

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

TEST_CASE("every service has options about its network, its start and its limits", "[app]") {
  CHECK(app::option_faults(manifest(),
                           {{"network", "lan"},
                            {"without-auth", "true"},
                            {"start", "on-demand"},
                            {"idle-seconds", "60"},
                            {"limits.memory", "1GB"},
                            {"limits.cpu_percent", "150"},
                            {"limits.tasks", "64"},
                            {"limits.io_weight", "50"},
                            {"limits.cpus", "0-3,8"},
                            {"limits.numa_nodes", "0,2-3"}})
            .empty());
  CHECK(app::option_faults(manifest(),
                           {{"network", "everybody"},
                            {"start", "later"},
                            {"idle-seconds", "soon"},
                            {"limits.memory", "much"},
                            {"limits.tasks", "many"}}) ==
        Texts{{"idle-seconds", "'soon' is not a whole number"},
              {"limits.memory", "'much' is not a size"},
              {"limits.tasks", "'many' is not a whole number"},
              {"network", "'everybody' is not one of local, lan, public"},
              {"start", "'later' is not one of always, on-demand"}});
}

TEST_CASE("a limit that no machine could keep is a fault", "[app]") {
  for (const auto& [name, value] : Texts{{"limits.memory", "0"},
                                         {"limits.cpu_percent", "-5"},
                                         {"limits.tasks", "0"},
                                         {"limits.io_weight", "10001"},
                                         {"limits.cpus", "0\nUser=root"},
                                         {"limits.numa_nodes", "all"},
                                         {"idle-seconds", "-1"}}) {
    INFO(name);
    CHECK(app::option_faults(manifest(), {{name, value}}).size() == 1);
  }
}
