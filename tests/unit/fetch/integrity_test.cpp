// SPDX-License-Identifier: Apache-2.0
#include "fetch_bench.hpp"
#include "support/catch.hpp"

using las::ByteSize;
using las::ErrorKind;
using las::fetch::Artifact;
using las::platform::digest_of;
using las::test::Answer;
using Strings = std::vector<std::string>;

TEST_CASE("Wrong content is never kept", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "tampered");
  const auto error =
      bench.failure(bench.artifact({bench.server.url("/foo")}, digest_of("content")));
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.message() == "downloaded content is not what it should be");
  CHECK(error.subject() == "foo 1.2 (foo.tar.gz)");
  CHECK(error.cause() == bench.server.url("/foo") + ": wrong digest: expected " +
                             digest_of("content").to_string() + ", got " +
                             digest_of("tampered").to_string());
  CHECK(bench.cache_content().empty());
  CHECK(bench.server.requests().size() == 1);
}

TEST_CASE("A mirror with the right content helps out, with a warning", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/a", "tampered");
  bench.server.serve("/b", "content");
  const auto fetched = bench.fetch(
      bench.artifact({bench.server.url("/a"), bench.server.url("/b")}, digest_of("content")));
  CHECK(FetchBench::content_of(fetched.path) == "content");
  CHECK(bench.warnings() ==
        Strings{"foo 1.2 (foo.tar.gz): " + bench.server.url("/a") +
                " delivered wrong content (wrong digest: expected " +
                digest_of("content").to_string() + ", got " + digest_of("tampered").to_string() +
                "); trying the next source"});
}

TEST_CASE("Sources of which some are wrong and some away are a network fault", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/wrong", "tampered");
  const std::string wrong = bench.server.url("/wrong"), away = bench.server.url("/away");
  for (const auto& urls : {std::vector{wrong, away}, std::vector{away, wrong}}) {
    const auto error = bench.failure(bench.artifact(urls, digest_of("content")));
    CHECK(error.kind() == ErrorKind::Network);
    CHECK(error.cause().find(wrong + ": wrong digest") != std::string::npos);
    CHECK(error.cause().find(away + ": the server answered 404") != std::string::npos);
  }
}

TEST_CASE("A download announced as too large is not begun", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "content");
  Artifact artifact = bench.artifact({bench.server.url("/foo")}, digest_of("content"));
  artifact.size = ByteSize(6);
  const auto error = bench.failure(artifact);
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.cause() == bench.server.url("/foo") + ": too large: 7 bytes, expected at most 6");
  CHECK(bench.cache_content().empty());
}

TEST_CASE("A body that never ends is cut off at the expected size", "[fetch]") {
  FetchBench bench;
  Answer endless = answer_with(sample_bytes(4096));
  endless.endless = true;
  bench.server.serve("/foo", endless);
  Artifact artifact = bench.artifact({bench.server.url("/foo")});
  artifact.size = ByteSize(100000);
  const auto error = bench.failure(artifact);
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.cause() == bench.server.url("/foo") + ": too large: more than 100000 bytes");
  CHECK(bench.cache_content().empty());
}

TEST_CASE("A body of unknown size is cut off at the cap", "[fetch]") {
  FetchBench bench;
  bench.options.unknown_size_cap = ByteSize::kib(64);
  Answer endless = answer_with(sample_bytes(4096));
  endless.endless = true;
  bench.server.serve("/foo", endless);
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}));
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.cause() == bench.server.url("/foo") + ": too large: more than 65536 bytes");
}

TEST_CASE("An unpinned download must at least have the expected size", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "content");
  Artifact artifact = bench.artifact({bench.server.url("/foo")});
  artifact.size = ByteSize(8);
  const auto error = bench.failure(artifact);
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.cause() == bench.server.url("/foo") + ": wrong size: expected 8 bytes, got 7");
}
