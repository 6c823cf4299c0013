// SPDX-License-Identifier: Apache-2.0
#include "fetch_bench.hpp"
#include "support/catch.hpp"

using las::ByteSize;
using las::Digest;
using las::ErrorKind;
using las::fetch::Artifact;
using las::platform::digest_of;
using las::platform::FileSystem;
using las::test::Answer;
using Strings = std::vector<std::string>;

TEST_CASE("A download lands in the cache under its digest", "[fetch]") {
  FetchBench bench;
  const std::string body = sample_bytes(300000);
  const Digest digest = digest_of(body);
  bench.server.serve("/foo", body);

  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}, digest));

  CHECK(fetched.path == bench.cache / ("sha256-" + digest.hex()));
  CHECK(fetched.digest == digest);
  CHECK(fetched.size == ByteSize(300000));
  CHECK(fetched.url == bench.server.url("/foo"));
  CHECK((FetchBench::content_of(fetched.path) == body));
  CHECK(bench.cache_content() == Strings{"sha256-" + digest.hex()});
  const auto requests = bench.server.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].method == "GET");
  CHECK(requests[0].header("user-agent") == "las");
  CHECK(requests[0].header("range").empty());
}

TEST_CASE("A SHA-512 digest is proved with SHA-512", "[fetch]") {
  FetchBench bench;
  las::platform::Hasher hasher("sha512");
  hasher.update(std::string_view("content"));
  const Digest digest = hasher.finish();
  bench.server.serve("/foo", "content");
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}, digest));
  CHECK(fetched.digest == digest);
  CHECK(fetched.path.filename() == "sha512-" + digest.hex());
}

TEST_CASE("The digest of an unpinned download is computed", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "content");
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}));
  CHECK(fetched.digest == digest_of("content"));
  CHECK(bench.cache_content() == Strings{"sha256-" + digest_of("content").hex()});
  // It may have changed since: the cache cannot answer for it.
  bench.server.serve("/foo", "content 2");
  CHECK(bench.fetch(bench.artifact({bench.server.url("/foo")})).digest == digest_of("content 2"));
}

TEST_CASE("An empty file is a download like any other", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "");
  const auto fetched = bench.fetch(bench.artifact({bench.server.url("/foo")}, Digest()));
  CHECK(fetched.size == ByteSize(0));
  CHECK(FetchBench::content_of(fetched.path).empty());
}

TEST_CASE("What is in the cache is not asked for again", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "content");
  Artifact artifact = bench.artifact({bench.server.url("/foo")}, digest_of("content"));
  artifact.size = ByteSize(7);
  bench.fetch(artifact);
  const auto again = bench.fetch(artifact);
  artifact.size.reset();
  const auto without_size = bench.fetch(artifact);
  CHECK(again.url.empty());
  CHECK(again.size == ByteSize(7));
  CHECK(without_size.url.empty());
  CHECK(bench.server.requests().size() == 1);
}

TEST_CASE("A damaged file in the cache is downloaded again", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "content");
  Artifact artifact = bench.artifact({bench.server.url("/foo")}, digest_of("content"));
  artifact.size = ByteSize(7);
  const auto path = bench.fetch(artifact).path;
  bench.files->replace_file(path, "cont");
  CHECK(FetchBench::content_of(bench.fetch(artifact).path) == "content");
  CHECK(bench.warnings() == Strings{path.string() + " is damaged and is downloaded again"});
}

TEST_CASE("A file on disk is a source", "[fetch]") {
  FetchBench bench;
  const std::string body = sample_bytes(100000);
  bench.files->replace_file(bench.temp / "a file", body);
  const std::string url = "file://" + (bench.temp / "a%20file").string();
  const auto fetched = bench.fetch(bench.artifact({url}, digest_of(body)));
  CHECK((FetchBench::content_of(fetched.path) == body));
  CHECK(fetched.url == url);

  bench.files->replace_file(bench.temp / "empty", "");
  CHECK(bench.fetch(bench.artifact({"file://" + (bench.temp / "empty").string()})).digest ==
        Digest());
}

TEST_CASE("Several artifacts come in the order in which they were asked for", "[fetch]") {
  FetchBench bench;
  std::vector<Artifact> artifacts;
  for (int i = 0; i < 9; ++i) {
    const std::string target = "/" + std::to_string(i);
    bench.server.serve(target, "content " + std::to_string(i));
    Artifact artifact = bench.artifact({bench.server.url(target)});
    artifact.id = target;
    artifacts.push_back(artifact);
  }
  const auto fetched = bench.fetch(artifacts);
  REQUIRE(fetched.size() == 9);
  for (std::size_t i = 0; i < 9; ++i)
    CHECK(FetchBench::content_of(fetched[i].path) == "content " + std::to_string(i));
  CHECK(bench.fetch(std::vector<Artifact>{}).empty());
}

TEST_CASE("Downloads run side by side, but not more than allowed", "[fetch]") {
  FetchBench bench;
  bench.options.parallel = 2;
  std::vector<Artifact> artifacts;
  for (int i = 0; i < 5; ++i) {
    const std::string target = "/" + std::to_string(i);
    Answer answer = answer_with("content " + std::to_string(i));
    answer.hold_after = 3;
    bench.server.serve(target, answer);
    Artifact artifact = bench.artifact({bench.server.url(target)});
    artifact.id = target;
    artifacts.push_back(artifact);
  }
  bool both_held = false;
  std::thread releaser([&] {
    both_held = bench.server.wait_until_held(2);
    bench.server.release();
  });
  bench.fetch(artifacts);
  releaser.join();
  CHECK(both_held);

  int running = 0, most = 0;
  for (const std::string& line : bench.work()) {
    running += line.starts_with("started") ? 1 : line.starts_with("finished") ? -1 : 0;
    most = std::max(most, running);
  }
  CHECK(most == 2);
  CHECK(running == 0);
}

TEST_CASE("The same content is asked for only once", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", "content");
  Artifact one = bench.artifact({bench.server.url("/foo")}, digest_of("content"));
  Artifact two = bench.artifact({bench.server.url("/bar")}, digest_of("content"));
  const auto fetched = bench.fetch({one, two});
  REQUIRE(fetched.size() == 2);
  CHECK(fetched[0].path == fetched[1].path);
  CHECK(bench.server.requests().size() == 1);
}

TEST_CASE("Progress goes from nothing to all, and not for every packet", "[fetch]") {
  FetchBench bench;
  bench.server.serve("/foo", sample_bytes(1000000));
  Artifact artifact = bench.artifact({bench.server.url("/foo")});
  artifact.size = ByteSize(1000000);
  bench.fetch(artifact);
  CHECK(bench.work() ==
        Strings{"started fetch:foo.tar.gz 'Downloading foo 1.2 (foo.tar.gz)' 1000000",
                "progress fetch:foo.tar.gz 0/1000000",
                "progress fetch:foo.tar.gz 1000000/1000000",
                "finished fetch:foo.tar.gz ok"});
}

TEST_CASE("Progress is told again once time has passed", "[fetch]") {
  FetchBench bench;
  bench.reporter.on_event = [&](const las::Event& event) {
    if (std::holds_alternative<las::event::Progress>(event))
      bench.clock->advance(std::chrono::milliseconds(100));
  };
  bench.server.serve("/foo", sample_bytes(1000000));
  bench.fetch(bench.artifact({bench.server.url("/foo")}));
  CHECK(bench.work().size() > 10);
}

TEST_CASE("The environment's proxy is asked", "[fetch]") {
  FetchBench bench;
  bench.server.serve("http://far.example.invalid/foo", "through the proxy");
  ::setenv("http_proxy", bench.server.url("").c_str(), 1);
  const auto fetched = bench.fetch(bench.artifact({"http://far.example.invalid/foo"}));
  ::unsetenv("http_proxy");
  CHECK(FetchBench::content_of(fetched.path) == "through the proxy");
}

TEST_CASE("A rate limit holds all downloads back", "[fetch]") {
  FetchBench bench;
  bench.options.rate_limit = ByteSize::kib(100);
  std::vector<Artifact> artifacts;
  for (unsigned i = 0; i < 2; ++i) {
    const std::string target = "/" + std::to_string(i);
    bench.server.serve(target, sample_bytes(500 * 1024, i));
    artifacts.push_back(bench.artifact({bench.server.url(target)}));
  }
  const auto fetched = bench.fetch(artifacts);
  CHECK((FetchBench::content_of(fetched[0].path) == sample_bytes(500 * 1024, 0)));
  CHECK((FetchBench::content_of(fetched[1].path) == sample_bytes(500 * 1024, 1)));
  // 1000 KiB at 100 KiB/s; the first tenth of a second is free, and so is the last piece.
  CHECK(bench.waited() >= std::chrono::milliseconds(9500));
  CHECK(bench.waited() <= std::chrono::milliseconds(10500));
}

TEST_CASE("An artifact without addresses cannot be had", "[fetch]") {
  FetchBench bench;
  const auto error = bench.failure(bench.artifact({}, digest_of("content")));
  CHECK(error.kind() == ErrorKind::NotFound);
  CHECK(std::string(error.what()) == "there is no address to download from: foo 1.2 (foo.tar.gz)");
}
