// SPDX-License-Identifier: Apache-2.0
// share/schema/lock.schema.json against the parser.
#include "keys.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

using namespace las::lockfile;

namespace {

using Json = nlohmann::json;

Words sorted(Words words) {
  std::sort(words.begin(), words.end());
  return words;
}

Json definitions() {
  std::ifstream file(LAS_SOURCE_DIR "/share/schema/lock.schema.json");
  return Json::parse(file).at("$defs");
}

}  // namespace

TEST_CASE("the schema of locks has exactly the keys that the parser has", "[lockfile]") {
  Words objects, expected;
  const Json defs = definitions();
  for (const auto& [name, definition] : defs.items()) {
    INFO(name);
    objects.push_back(name);
    REQUIRE(kKeys.contains(name));
    Words keys;
    for (const auto& [key, value] : definition.at("properties").items())
      keys.push_back(key);
    CHECK(sorted(keys) == sorted(kKeys.at(name)));
    CHECK(definition.at("additionalProperties") == false);
    for (const Json& required : definition.at("required"))
      CHECK(std::find(keys.begin(), keys.end(), required.get<std::string>()) != keys.end());
  }
  for (const auto& [name, keys] : kKeys)
    expected.push_back(name);
  CHECK(sorted(objects) == sorted(expected));
}

TEST_CASE("the schema of locks has exactly the words that the parser has", "[lockfile]") {
  const Json defs = definitions();
  const auto words = [&](const char* object, const char* key) {
    return defs.at(object).at("properties").at(key).at("enum").get<Words>();
  };
  CHECK(words("module", "mode") == kModes);
  CHECK(words("wish", "mode") == kModes);
  CHECK(words("wished.module", "mode") == kModes);
  CHECK(words("module", "reason") == kReasons);
  CHECK(words("policy.document", "layer") == kLayers);
  CHECK(words("machine", "gpu_vendor") == kGpuVendors);
  CHECK(defs.at("lock").at("properties").at("kind").at("const") == kKinds.at(0));
  CHECK(defs.at("wishes").at("properties").at("kind").at("const") == kKinds.at(1));
}
