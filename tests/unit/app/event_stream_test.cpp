// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"

#include "las/app/chat.hpp"

using las::app::EventStreamParser;

namespace {

std::vector<std::string> parse(const std::vector<std::string>& pieces) {
  std::vector<std::string> events;
  EventStreamParser parser([&](std::string_view data) { events.emplace_back(data); });
  for (const std::string& piece : pieces)
    parser.feed(piece);
  return events;
}

}  // namespace

TEST_CASE("events come out whole, however the bytes are cut", "[app]") {
  const std::string stream = "data: {\"a\":1}\n\ndata: [DONE]\r\n\r\n";
  const std::vector<std::string> expected = {"{\"a\":1}", "[DONE]"};
  CHECK(parse({stream}) == expected);
  std::vector<std::string> bytes;
  for (const char c : stream)
    bytes.emplace_back(1, c);
  CHECK(parse(bytes) == expected);
}

TEST_CASE("several data lines are one event, joined by line feeds", "[app]") {
  CHECK(parse({"data: one\ndata:two\n\n"}) == std::vector<std::string>{"one\ntwo"});
}

TEST_CASE("comments, names and ids carry no data", "[app]") {
  CHECK(parse({": keep-alive\n\nevent: x\nid: 3\n\ndata: y\n\n"}) == std::vector<std::string>{"y"});
}

TEST_CASE("an event that was not ended is not an event", "[app]") {
  CHECK(parse({"data: half"}).empty());
  CHECK(parse({"data: half\n"}).empty());
}
