// SPDX-License-Identifier: Apache-2.0
#include "fetch_bench.hpp"
#include "support/catch.hpp"

#include <thread>

using las::ByteSize;
using las::Error;
using las::ErrorKind;
using las::fetch::Request;
using las::fetch::Response;
using las::test::Answer;
using Headers = std::map<std::string, std::string>;

namespace {

struct ExchangeBench : FetchBench {
  ExchangeBench() : curl(las::fetch::make_curl_fetcher(*files, options)) {}

  Request request(const std::string& target) const {
    Request request;
    request.url = server.url(target);
    return request;
  }

  Error failure(const Request& request) {
    try {
      curl->exchange(request, activity);
    } catch (const Error& error) {
      return error;
    }
    throw std::logic_error("the exchange succeeded");
  }

  std::unique_ptr<las::fetch::Fetcher> curl;
};

}  // namespace

TEST_CASE("An exchange gives status, headers and body", "[fetch]") {
  ExchangeBench bench;
  Answer answer = answer_with("{\"ready\":true}", 201);
  answer.headers = {{"Content-Type", "application/json"}};
  bench.server.serve("/api?x=1", answer);
  const Response response = bench.curl->exchange(bench.request("/api?x=1"), bench.activity);
  CHECK(response.status == 201);
  CHECK(response.body == "{\"ready\":true}");
  CHECK(response.headers == Headers{{"connection", "close"},
                                    {"content-length", "14"},
                                    {"content-type", "application/json"}});
}

TEST_CASE("Any HTTP status is an answer", "[fetch]") {
  ExchangeBench bench;
  for (const int status : {204, 404, 416, 500}) {
    bench.server.serve("/api", answer_with(status == 204 ? "" : "why", status));
    const Response response = bench.curl->exchange(bench.request("/api"), bench.activity);
    CHECK(response.status == status);
    CHECK(response.body == (status == 204 ? "" : "why"));
  }
}

TEST_CASE("An exchange sends its method, headers and body", "[fetch]") {
  ExchangeBench bench;
  bench.server.serve("/api", "done");
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    Request request = bench.request("/api");
    request.method = method;
    request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    request.body = std::string("{\"a\":\0}", 7);
    CHECK(bench.curl->exchange(request, bench.activity).body == "done");
    const auto seen = bench.server.requests().back();
    CHECK(seen.method == method);
    CHECK(seen.header("content-type") == "application/json");
    CHECK(seen.headers.contains("x-empty"));
    CHECK(seen.body == request.body);
  }
}

TEST_CASE("HEAD brings headers without a body", "[fetch]") {
  ExchangeBench bench;
  bench.server.serve("/api", "content");
  Request request = bench.request("/api");
  request.method = "HEAD";
  const Response response = bench.curl->exchange(request, bench.activity);
  CHECK(response.status == 200);
  CHECK(response.headers.at("content-length") == "7");
  CHECK(response.body.empty());
}

TEST_CASE("A header cannot smuggle in another", "[fetch]") {
  ExchangeBench bench;
  Request request = bench.request("/api");
  request.headers = {{"X-Name", "a\r\nX-Other: b"}};
  const auto error = bench.failure(request);
  CHECK(error.kind() == ErrorKind::InvalidData);
  CHECK(std::string(error.what()) == "a request header must not contain line breaks: X-Name");
  CHECK(bench.server.requests().empty());
}

TEST_CASE("Another host is not told the credentials", "[fetch]") {
  ExchangeBench bench;
  const las::test::HttpStandIn elsewhere;
  Answer moved = answer_with("", 307);
  moved.headers["Location"] = elsewhere.url("/api");
  bench.server.serve("/api", moved);
  Request request = bench.request("/api");
  request.headers = {{"Authorization", "Bearer s3cret"}, {"Accept", "text/plain"}};
  CHECK(bench.curl->exchange(request, bench.activity).status == 404);
  const auto seen = elsewhere.requests("/api");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].header("accept") == "text/plain");
  CHECK(seen[0].header("authorization").empty());
  CHECK(bench.server.requests().at(0).header("authorization") == "Bearer s3cret");
}

TEST_CASE("A too long answer is refused", "[fetch]") {
  ExchangeBench bench;
  bench.server.serve("/api", sample_bytes(2000));
  Request request = bench.request("/api");
  request.body_limit = ByteSize::kib(1);
  const auto error = bench.failure(request);
  CHECK(error.kind() == ErrorKind::InvalidData);
  CHECK(error.message() == "the server's answer is too long");
  CHECK(error.subject() == request.url);
}

TEST_CASE("No answer is a network error that says why", "[fetch]") {
  ExchangeBench bench;
  Answer silent;
  silent.reset = true;
  bench.server.serve("/api", silent);
  const auto error = bench.failure(bench.request("/api"));
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(std::string(error.what()) ==
        "no answer: " + bench.server.url("/api") + ": Empty reply from server");
}

TEST_CASE("An exchange ends when its time is over", "[fetch]") {
  ExchangeBench bench;
  Answer stalled = answer_with("content");
  stalled.hold_after = 0;
  bench.server.serve("/api", stalled);
  Request request = bench.request("/api");
  request.timeout = std::chrono::milliseconds(50);
  const auto error = bench.failure(request);
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.cause().find("timed out") != std::string::npos);
}

TEST_CASE("An exchange obeys a stop", "[fetch]") {
  ExchangeBench bench;
  Answer stalled = answer_with("content");
  stalled.hold_after = 0;
  bench.server.serve("/api", stalled);
  std::thread user([&] {
    bench.server.wait_until_held();
    bench.cancellation.request(2);
  });
  const auto error = bench.failure(bench.request("/api"));
  user.join();
  CHECK(error.kind() == ErrorKind::Interrupted);
}

TEST_CASE("An exchange is for http only", "[fetch]") {
  ExchangeBench bench;
  Request request;
  request.url = "file:///etc/hostname";
  const auto error = bench.failure(request);
  CHECK(error.kind() == ErrorKind::InvalidData);
  CHECK(std::string(error.what()) == "this is not an http or https address: file:///etc/hostname");
}

TEST_CASE("A stream is handed over while it is still running", "[fetch]") {
  ExchangeBench bench;
  Answer events = answer_with("data: 1\n\ndata: 2\n\n");
  events.length = false;
  events.hold_after = 9;
  bench.server.serve("/events", events);
  std::string seen;
  const Response response = bench.curl->stream(
      bench.request("/events"),
      [&](std::string_view data) {
        seen += data;
        if (seen == "data: 1\n\n")
          bench.server.release();  // the rest is only sent once the first part was handed over
        return true;
      },
      bench.activity);
  CHECK(response.status == 200);
  CHECK(response.body.empty());
  CHECK(seen == events.body);
}

TEST_CASE("A stream ends when its reader has had enough", "[fetch]") {
  ExchangeBench bench;
  Answer endless = answer_with("data: 1\n\n");
  endless.endless = true;
  bench.server.serve("/events", endless);
  const Response response = bench.curl->stream(
      bench.request("/events"), [](std::string_view) { return false; }, bench.activity);
  CHECK(response.status == 200);
}

TEST_CASE("An error of a stream's reader comes through", "[fetch]") {
  ExchangeBench bench;
  bench.server.serve("/events", "data: 1\n\n");
  const auto broken_reader = [](std::string_view) -> bool {
    throw Error(ErrorKind::InvalidData, "not understood");
  };
  CHECK_THROWS_AS(bench.curl->stream(bench.request("/events"), broken_reader, bench.activity),
                  Error);
}

TEST_CASE("The body of a failed stream is collected", "[fetch]") {
  ExchangeBench bench;
  bench.server.serve("/events", answer_with("{\"error\":\"busy\"}", 503));
  bool called = false;
  const Response response = bench.curl->stream(
      bench.request("/events"), [&](std::string_view) { return called = true; }, bench.activity);
  CHECK(response.status == 503);
  CHECK(response.body == "{\"error\":\"busy\"}");
  CHECK_FALSE(called);
}
