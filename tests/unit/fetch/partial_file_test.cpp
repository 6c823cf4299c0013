// SPDX-License-Identifier: Apache-2.0
#include "partial_file.hpp"

#include "fetch_bench.hpp"
#include "support/catch.hpp"

using las::fetch::PartialFile;
using las::fetch::PartialRecord;
using las::platform::digest_of;
using Headers = std::map<std::string, std::string>;

namespace {

/// A folder with a partial file of "cont" from https://a.example/foo.
struct PartialBench : FetchBench {
  PartialBench() { files->make_directories(cache); }

  /// What a later process finds when this one left `record` and "cont".
  PartialFile left(const PartialRecord& record, std::optional<las::Digest> digest) {
    const std::string key = digest ? digest->hex() : digest_of("https://a.example/foo").hex();
    files->replace_file(cache / ("partial-" + key), "cont");
    files->replace_file(cache / ("partial-" + key + ".json"), record.to_json());
    PartialFile partial(*files, cache, digest, "https://a.example/foo");
    partial.adopt(1000, activity);
    return partial;
  }
};

const PartialRecord kRecord{
    "https://a.example/foo", "\"v1\"", "Mon, 23 Nov 2026 15:00:00 GMT", 7, {}};

PartialRecord kept_record(std::uint64_t kept) {
  PartialRecord record = kRecord;
  record.kept = kept;
  return record;
}

}  // namespace

TEST_CASE("A partial record survives as JSON", "[fetch]") {
  CHECK(
      kRecord.to_json() ==
      "{\"url\":\"https://a.example/foo\",\"etag\":\"\\\"v1\\\"\",\"last_modified\":\"Mon, 23 Nov "
      "2026 15:00:00 GMT\",\"size\":7}\n");
  CHECK(PartialRecord::from_json(kRecord.to_json()) == kRecord);
  PartialRecord sparse{"https://a.example/foo", "", "", std::nullopt, 4};
  CHECK(PartialRecord::from_json(sparse.to_json()) == sparse);
  CHECK_FALSE(PartialRecord::from_json("{\"url\":"));
  CHECK_FALSE(PartialRecord::from_json("[]"));
  CHECK_FALSE(PartialRecord::from_json("{\"size\":7}"));
}

TEST_CASE("Only a strong ETag or a date tells that content is the same", "[fetch]") {
  PartialRecord record = kRecord;
  CHECK(record.validator() == "\"v1\"");
  record.etag = "W/\"v1\"";
  CHECK(record.validator() == "Mon, 23 Nov 2026 15:00:00 GMT");
  record.last_modified.clear();
  CHECK(record.validator().empty());
}

TEST_CASE("A pinned partial file goes on at its source, or at any other", "[fetch]") {
  PartialBench bench;
  const PartialFile partial = bench.left(kRecord, digest_of("content"));
  CHECK(partial.size() == 4);
  CHECK(partial.resume_headers("https://a.example/foo") ==
        Headers{{"Range", "bytes=4-"}, {"If-Range", "\"v1\""}});
  CHECK(partial.resume_headers("https://b.example/foo") == Headers{{"Range", "bytes=4-"}});
}

TEST_CASE("An unpinned partial file goes on at its source only", "[fetch]") {
  PartialBench bench;
  const PartialFile partial = bench.left(kept_record(4), std::nullopt);
  CHECK(partial.size() == 4);
  CHECK(partial.resume_headers("https://a.example/foo") ==
        Headers{{"Range", "bytes=4-"}, {"If-Range", "\"v1\""}});
  CHECK(partial.resume_headers("https://b.example/foo").empty());
}

TEST_CASE("An unpinned partial file that was not synced is thrown away", "[fetch]") {
  PartialBench bench;
  CHECK(bench.left(kRecord, std::nullopt).size() == 0);
  CHECK(bench.cache_content().empty());
  CHECK(bench.left(kept_record(3), std::nullopt).size() == 0);
  PartialRecord weak = kept_record(4);
  weak.etag = "W/\"v1\"";
  weak.last_modified.clear();
  CHECK(bench.left(weak, std::nullopt).size() == 0);
}

TEST_CASE("A partial file larger than its content is thrown away", "[fetch]") {
  PartialBench bench;
  PartialRecord record = kRecord;
  record.size = 3;
  CHECK(bench.left(record, digest_of("content")).size() == 0);
  CHECK(bench.cache_content().empty());
}

TEST_CASE("A partial file without a readable record is thrown away", "[fetch]") {
  PartialBench bench;
  const std::string name = "partial-" + digest_of("content").hex();
  PartialFile partial(*bench.files, bench.cache, digest_of("content"), "");
  bench.files->replace_file(bench.cache / name, "cont");
  partial.adopt(1000, bench.activity);
  CHECK(bench.cache_content().empty());
  bench.files->replace_file(bench.cache / name, "cont");
  bench.files->replace_file(bench.cache / (name + ".json"), "nonsense");
  partial.adopt(1000, bench.activity);
  CHECK(partial.size() == 0);
  CHECK(bench.cache_content().empty());
}

TEST_CASE("A symlink in the place of a partial file is not followed", "[fetch]") {
  PartialBench bench;
  const auto path = bench.cache / ("partial-" + digest_of("content").hex());
  const auto precious = bench.temp / "precious";
  // As long as a symlink to it, so that no size gives the symlink away.
  const std::string content = sample_bytes(precious.string().size());
  bench.files->replace_file(precious, content);
  bench.files->create_symlink(path, precious);
  PartialRecord record = kRecord;
  record.size.reset();
  bench.files->replace_file(path.string() + ".json", record.to_json());
  PartialFile partial(*bench.files, bench.cache, digest_of("content"), "");
  partial.adopt(1000, bench.activity);
  CHECK(partial.size() == 0);
  CHECK(bench.cache_content().empty());
  CHECK((FetchBench::content_of(precious) == content));
}

TEST_CASE("A partial file changed by somebody else is not published", "[fetch]") {
  PartialBench bench;
  PartialFile partial(*bench.files, bench.cache, digest_of("content"), "");
  partial.start_over(kRecord);
  partial.append("content");
  const auto path = bench.cache / ("partial-" + digest_of("content").hex());
  const auto intruder = bench.files->append_file(path);
  intruder->write(std::string_view("!"));
  intruder->close();
  CHECK_THROWS_AS(partial.commit(partial.finish()), las::Error);
  CHECK_FALSE(bench.files->exists(bench.cache / ("sha256-" + digest_of("content").hex())));
}
