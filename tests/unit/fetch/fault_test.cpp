// SPDX-License-Identifier: Apache-2.0
#include "fetch_bench.hpp"
#include "support/catch.hpp"

using las::ByteSize;
using las::ErrorKind;
using las::fetch::Artifact;
using las::platform::digest_of;
using las::test::Answer;
using std::chrono::milliseconds;
using Strings = std::vector<std::string>;

namespace {

/// A port on which nobody listens: it belonged to a server that is gone.
std::string refused_url() {
  const las::test::HttpStandIn gone;
  return gone.url("/foo");
}

}  // namespace

TEST_CASE("A server's passing fault is waited out", "[fetch]") {
  FetchBench bench;
  bench.server.serve_once("/foo", answer_with("", 500));
  bench.server.serve_once("/foo", answer_with("", 503));
  bench.server.serve("/foo", "content");
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}));
  CHECK(FetchBench::content_of(fetched.path) == "content");
  CHECK(bench.server.requests().size() == 3);
  CHECK(bench.waited() >= milliseconds(1500));
  CHECK(bench.waited() <= milliseconds(2250));
  CHECK(bench.warnings().empty());
}

TEST_CASE("A server that names a time is given it", "[fetch]") {
  FetchBench bench;
  Answer busy = answer_with("", 429);
  busy.headers["Retry-After"] = "7";
  bench.server.serve_once("/foo", busy);
  bench.server.serve("/foo", "content");
  bench.fetch(bench.artifact({bench.server.url("/foo")}));
  CHECK(bench.waited() == milliseconds(7000));
}

TEST_CASE("A server that wants very long patience is left", "[fetch]") {
  FetchBench bench;
  Answer busy = answer_with("", 429);
  busy.headers["Retry-After"] = "3600";
  bench.server.serve("/foo", busy);
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}));
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(bench.waited() == milliseconds(0));
  CHECK(bench.server.requests().size() == 1);
}

TEST_CASE("Attempts at one URL are counted", "[fetch]") {
  FetchBench bench;
  bench.options.attempts = 2;
  bench.server.serve("/foo", answer_with("", 500));
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}));
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.cause() == bench.server.url("/foo") + ": the server answered 500");
  CHECK(bench.server.requests().size() == 2);
}

TEST_CASE("A broken connection goes on where it broke", "[fetch]") {
  FetchBench bench;
  const std::string body = sample_bytes(50000);
  Answer broken = answer_with(body);
  broken.headers["ETag"] = "\"v1\"";
  bench.server.serve("/foo", broken);
  broken.truncate_after = 20000;
  bench.server.serve_once("/foo", broken);
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}));
  CHECK((FetchBench::content_of(fetched.path) == body));
  const auto requests = bench.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].header("range") == "bytes=20000-");
  CHECK(requests[1].header("if-range") == "\"v1\"");
}

TEST_CASE("A connection may break as often as it brings something new", "[fetch]") {
  FetchBench bench;
  bench.options.attempts = 2;
  const std::string body = sample_bytes(8 << 20);
  Answer broken = answer_with(body);
  broken.headers["ETag"] = "\"v1\"";
  bench.server.serve("/foo", broken);
  broken.truncate_after = 2 << 20;
  for (int i = 0; i < 3; ++i)
    bench.server.serve_once("/foo", broken);
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}, digest_of(body)));
  CHECK(fetched.size == ByteSize(8 << 20));
  CHECK(bench.server.requests().size() == 4);
}

TEST_CASE("A connection closed without a word is tried again", "[fetch]") {
  FetchBench bench;
  Answer silent;
  silent.reset = true;
  bench.server.serve_once("/foo", silent);
  bench.server.serve("/foo", "content");
  bench.fetch(bench.artifact({bench.server.url("/foo")}));
  CHECK(bench.server.requests().size() == 2);
}

TEST_CASE("Without Content-Length a short body is a broken connection", "[fetch]") {
  FetchBench bench;
  Answer broken = answer_with("content");
  broken.length = false;
  broken.truncate_after = 4;
  bench.server.serve("/foo", broken);
  Artifact artifact = bench.artifact({bench.server.url("/foo")}, digest_of("content"));
  artifact.size = ByteSize(7);
  bench.options.attempts = 1;
  const auto error = bench.failure(artifact);
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.cause() == bench.server.url("/foo") + ": ended after 4 of 7 bytes");
}

TEST_CASE("The next source takes over, with a warning", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/b", "content");
  const auto fetched = bench.fetch(
      bench.artifact({bench.server.url("/a"), bench.server.url("/b")}, digest_of("content")));
  CHECK(fetched.url == bench.server.url("/b"));
  CHECK(bench.server.requests("/a").size() == 1);
  CHECK(bench.warnings() ==
        Strings{"foo 1.2 (foo.tar.gz): " + bench.server.url("/a") +
                " did not deliver (the server answered 404); trying the next source"});
}

TEST_CASE("Hosts that refuse or do not exist are not tried twice", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "content");
  const auto fetched = bench.fetch(
      bench.artifact({refused_url(), "http://no-such-host.invalid/foo", bench.server.url("/foo")}));
  CHECK(fetched.url == bench.server.url("/foo"));
  CHECK(bench.waited() == milliseconds(0));
  CHECK(bench.warnings().size() == 2);
}

TEST_CASE("When every source fails the error lists them all", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/b", answer_with("", 403));
  const auto error =
      bench.failure(bench.artifact({bench.server.url("/a"), bench.server.url("/b")}));
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.message() == "could not download");
  CHECK(error.subject() == "foo 1.2 (foo.tar.gz)");
  CHECK(error.cause() == bench.server.url("/a") + ": the server answered 404; " +
                             bench.server.url("/b") + ": the server answered 403");
  CHECK(error.hint() ==
        "check the network connection and the proxy settings, then try again; a download that has "
        "begun goes on where it stopped");
  CHECK(bench.work().back() == "finished fetch:foo.tar.gz failed: " + std::string(error.what()));
}

TEST_CASE("A stalled transfer is given up", "[fetch]") {
  FetchBench bench;
  bench.options.stall_timeout = std::chrono::seconds(1);
  bench.options.attempts = 1;
  Answer stalled = answer_with("content");
  stalled.hold_after = 3;
  bench.server.serve("/foo", stalled);
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}));
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.cause().find("Less than 1024 bytes/sec") != std::string::npos);
}

TEST_CASE("One artifact that cannot be had ends them all", "[fetch]") {
  FetchBench bench;
  Answer slow = answer_with("content");
  slow.hold_after = 3;
  bench.server.serve("/slow", slow);
  Artifact held = bench.artifact({bench.server.url("/slow")}, digest_of("content"));
  held.id = "slow";
  CHECK_THROWS_AS(bench.fetch({held, bench.artifact({bench.server.url("/missing")})}), las::Error);
  const auto& lines = bench.work();
  CHECK(std::find(lines.begin(), lines.end(), "finished fetch:slow failed") != lines.end());
}

TEST_CASE("Redirects are followed to the content", "[fetch]") {
  FetchBench bench;
  Answer moved = answer_with("moved\n", 302);
  moved.headers["Location"] = "/there";
  bench.server.serve("/foo", moved);
  Answer there = answer_with("content");
  there.headers["ETag"] = "\"v1\"";
  bench.server.serve("/there", there);
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}));
  CHECK(FetchBench::content_of(fetched.path) == "content");
  CHECK(fetched.url == bench.server.url("/foo"));
}

TEST_CASE("A redirect to a file of this machine is refused", "[fetch]") {
  FetchBench bench;
  bench.files->replace_file(bench.temp / "secret", "secret");
  Answer moved = answer_with("", 302);
  moved.headers["Location"] = "file://" + (bench.temp / "secret").string();
  bench.server.serve("/foo", moved);
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}));
  CHECK(error.kind() == ErrorKind::Network);
  CHECK(error.cause() == bench.server.url("/foo") + ": redirect to file://" +
                             (bench.temp / "secret").string() + " refused");
  CHECK(bench.server.requests().size() == 1);
}

TEST_CASE("A redirect in a circle ends", "[fetch]") {
  FetchBench bench;
  Answer moved = answer_with("", 302);
  moved.headers["Location"] = "/foo";
  bench.server.serve("/foo", moved);
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}));
  CHECK(error.cause() == bench.server.url("/foo") + ": too many redirects");
  CHECK(bench.server.requests().size() == 11);
}
