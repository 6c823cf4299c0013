// SPDX-License-Identifier: Apache-2.0
#include "fetch_bench.hpp"
#include "support/catch.hpp"

#include <thread>

using las::ByteSize;
using las::ErrorKind;
using las::fetch::Artifact;
using las::platform::digest_of;
using las::test::Answer;
using Strings = std::vector<std::string>;

namespace {

const std::string kBody = sample_bytes(200000);
const las::Digest kDigest = digest_of(kBody);
const std::string kPartial = "partial-" + kDigest.hex();

Answer versioned(const std::string& body, const std::string& etag) {
  Answer answer = answer_with(body);
  answer.headers["ETag"] = etag;
  return answer;
}

/// Starts a download of `artifact` and interrupts it when the server has sent 120000 bytes.
void interrupt_download(FetchBench& bench, const Artifact& artifact) {
  bench.reporter.on_event = [&](const las::Event& event) {
    const auto* progress = std::get_if<las::event::Progress>(&event);
    if (progress == nullptr)
      return;
    bench.clock->advance(std::chrono::milliseconds(100));
    if (progress->done == 120000)
      bench.cancellation.request(2);
  };
  const auto error = bench.failure(artifact);
  REQUIRE(error.kind() == ErrorKind::Interrupted);
  bench.cancellation.request(0);
  bench.reporter.on_event = nullptr;
}

Answer held_at_120000(Answer answer) {
  answer.hold_after = 120000;
  return answer;
}

}  // namespace

TEST_CASE("An interrupted download goes on in a later run", "[fetch]") {
  FetchBench bench;
  const Artifact artifact = bench.artifact({bench.server.url("/foo")}, kDigest);
  bench.server.serve_once("/foo", held_at_120000(versioned(kBody, "\"v1\"")));
  bench.server.serve("/foo", versioned(kBody, "\"v1\""));
  interrupt_download(bench, artifact);
  CHECK(bench.cache_content() == Strings{kPartial, kPartial + ".json"});
  CHECK(bench.files->read_file(bench.cache / (kPartial + ".json")) ==
        "{\"url\":\"" + bench.server.url("/foo") +
            "\",\"etag\":\"\\\"v1\\\"\",\"last_modified\":\"\",\"size\":200000}\n");
  const std::size_t earlier = bench.work().size();

  const auto fetched = bench.fetch(artifact);

  CHECK((FetchBench::content_of(fetched.path) == kBody));
  CHECK(bench.cache_content() == Strings{"sha256-" + kDigest.hex()});
  const auto requests = bench.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].header("range") == "bytes=120000-");
  CHECK(requests[1].header("if-range") == "\"v1\"");
  CHECK(bench.work().at(earlier + 1) == "progress fetch:foo.tar.gz 120000/200000");
}

TEST_CASE("An unpinned download goes on if its source has not changed", "[fetch]") {
  FetchBench bench;
  const Artifact artifact = bench.artifact({bench.server.url("/foo")});
  bench.server.serve_once("/foo", held_at_120000(versioned(kBody, "\"v1\"")));
  bench.server.serve("/foo", versioned(kBody, "\"v1\""));
  interrupt_download(bench, artifact);
  CHECK(bench.fetch(artifact).digest == kDigest);
  CHECK(bench.server.requests().at(1).header("range") == "bytes=120000-");
}

TEST_CASE("A source that has changed is downloaded as a whole", "[fetch]") {
  FetchBench bench;
  const Artifact artifact = bench.artifact({bench.server.url("/foo")});
  bench.server.serve_once("/foo", held_at_120000(versioned(sample_bytes(200000, 9), "\"v1\"")));
  bench.server.serve("/foo", versioned(kBody, "\"v2\""));
  interrupt_download(bench, artifact);
  CHECK(bench.fetch(artifact).digest == kDigest);
  CHECK(bench.server.requests().size() == 2);
}

TEST_CASE("A server without ranges sends the whole again", "[fetch]") {
  FetchBench bench;
  const Artifact artifact = bench.artifact({bench.server.url("/foo")}, kDigest);
  Answer plain = versioned(kBody, "\"v1\"");
  plain.ranges = false;
  bench.server.serve_once("/foo", held_at_120000(plain));
  bench.server.serve("/foo", plain);
  interrupt_download(bench, artifact);
  CHECK((FetchBench::content_of(bench.fetch(artifact).path) == kBody));
}

TEST_CASE("Bytes that answer another range are not used", "[fetch]") {
  for (const char* range : {"bytes 0-199999/200000", "bytes 120000-199999/300000", "nonsense"}) {
    INFO(range);
    FetchBench bench;
    const Artifact artifact = bench.artifact({bench.server.url("/foo")}, kDigest);
    Answer confused = versioned(kBody, "\"v1\"");
    bench.server.serve_once("/foo", held_at_120000(confused));
    bench.server.serve("/foo", confused);
    interrupt_download(bench, artifact);
    confused.content_range = range;
    bench.server.serve_once("/foo", confused);
    CHECK((FetchBench::content_of(bench.fetch(artifact).path) == kBody));
    const auto requests = bench.server.requests();
    REQUIRE(requests.size() == 3);
    CHECK(requests[2].header("range").empty());
  }
}

TEST_CASE("A range that the server cannot satisfy makes it start over", "[fetch]") {
  FetchBench bench;
  const Artifact artifact = bench.artifact({bench.server.url("/foo")}, kDigest);
  bench.server.serve_once("/foo", held_at_120000(versioned(kBody, "\"v1\"")));
  bench.server.serve("/foo", versioned(kBody, "\"v1\""));
  interrupt_download(bench, artifact);
  bench.server.serve_once("/foo", answer_with("", 416));
  CHECK((FetchBench::content_of(bench.fetch(artifact).path) == kBody));
  CHECK(bench.server.requests().size() == 3);
}

TEST_CASE("A partial file spoilt on disk costs a download, not the result", "[fetch]") {
  FetchBench bench;
  const Artifact artifact = bench.artifact({bench.server.url("/foo")}, kDigest);
  bench.server.serve_once("/foo", held_at_120000(versioned(kBody, "\"v1\"")));
  bench.server.serve("/foo", versioned(kBody, "\"v1\""));
  interrupt_download(bench, artifact);
  bench.files->replace_file(bench.cache / kPartial, std::string(120000, '\0'));
  const auto fetched = bench.fetch(artifact);
  CHECK((FetchBench::content_of(fetched.path) == kBody));
  const auto requests = bench.server.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[1].header("range") == "bytes=120000-");
  CHECK(requests[2].header("range").empty());
  CHECK(bench.warnings().empty());
}

TEST_CASE("A partial file that is complete needs no server", "[fetch]") {
  FetchBench bench;
  bench.files->make_directories(bench.cache);
  bench.files->replace_file(bench.cache / kPartial, kBody);
  bench.files->replace_file(bench.cache / (kPartial + ".json"),
                            R"({"url":"http://a.invalid/foo","size":200000})");
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}, kDigest));
  CHECK((FetchBench::content_of(fetched.path) == kBody));
  CHECK(fetched.url.empty());
  CHECK(bench.server.requests().empty());
  CHECK(bench.cache_content() == Strings{"sha256-" + kDigest.hex()});
}

TEST_CASE("A mirror goes on with what another began", "[fetch]") {
  FetchBench bench;
  bench.options.attempts = 1;
  Answer broken = versioned(kBody, "\"a1\"");
  broken.truncate_after = 120000;
  bench.server.serve("/a", broken);
  bench.server.serve("/b", versioned(kBody, "\"b7\""));
  const auto fetched =
      bench.fetch(bench.artifact({bench.server.url("/a"), bench.server.url("/b")}, kDigest));
  CHECK((FetchBench::content_of(fetched.path) == kBody));
  const auto requests = bench.server.requests("/b");
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].header("range") == "bytes=120000-");
  CHECK(requests[0].header("if-range").empty());
}

TEST_CASE("A stop is obeyed while the server says nothing", "[fetch]") {
  FetchBench bench;
  Answer stalled = answer_with(kBody);
  stalled.hold_after = 0;
  bench.server.serve("/foo", stalled);
  std::thread user([&] {
    bench.server.wait_until_held();
    bench.cancellation.request(15);
  });
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}, kDigest));
  user.join();
  CHECK(error.kind() == ErrorKind::Interrupted);
  CHECK(bench.work().back() == "finished fetch:foo.tar.gz failed");
}

TEST_CASE("A stop is obeyed while waiting for a repeat", "[fetch]") {
  FetchBench bench;
  Answer busy = answer_with("", 503);
  busy.headers["Retry-After"] = "60";
  bench.server.serve_others([&](const las::test::SeenRequest&) {
    bench.cancellation.request(15);
    return busy;
  });
  const auto error = bench.failure(bench.artifact({bench.server.url("/foo")}, kDigest));
  CHECK(error.kind() == ErrorKind::Interrupted);
  CHECK(bench.waited() < std::chrono::seconds(60));
}
