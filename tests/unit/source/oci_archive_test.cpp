// SPDX-License-Identifier: Apache-2.0
#include "oci_archive.hpp"

#include "oci_bench.hpp"
#include "source_bench.hpp"
#include "support/catch.hpp"

#include "las/source/extract.hpp"

using namespace las;
using Json = nlohmann::json;
using test::OciArchive;

namespace {

constexpr const char* kConfig = R"({"os": "linux"})";

struct Bench : test::SourceBench {
  OciArchive oci;

  source::OciImage read(const std::optional<Digest>& wanted = {}) {
    test::write_file(folder / "image.tar", oci.bytes());
    return source::read_oci_image(*files, folder / "image.tar", wanted, activity);
  }

  void write(const source::OciImage& image) {
    source::write_docker_archive(
        *files, folder / "image.tar", image, "localhost/las:x", folder / "out.tar", activity);
  }

  Error refusal(const std::optional<Digest>& wanted = {}) {
    return test::error_of([&] { read(wanted); });
  }
};

}  // namespace

TEST_CASE_METHOD(Bench, "an OCI archive is written again as docker takes it") {
  const std::string big(3'000'000, 'x');
  const Json image = oci.image({"lowest", big, "lowest"}, kConfig);
  oci.index(OciArchive::index_of({image}));
  const auto found = read(test::digest_in(image));
  CHECK(found.pinned == test::digest_in(image));
  CHECK(found.manifest == test::digest_in(image));
  CHECK(found.config == platform::digest_of(std::string(kConfig)));
  write(found);
  source::extract_archive(*files, folder / "out.tar", folder / "out", 0, {}, activity);
  const auto content = [&](const std::string& name) {
    return test::read_file(folder / "out" / name);
  };
  const Json list = Json::parse(content("manifest.json"));
  REQUIRE(list.size() == 1);
  CHECK(list[0]["RepoTags"] == Json{"localhost/las:x"});
  CHECK(content(list[0]["Config"]) == kConfig);
  REQUIRE(list[0]["Layers"].size() == 3);
  CHECK(content(list[0]["Layers"][0]) == "lowest");
  CHECK(content(list[0]["Layers"][1]) == big);
  CHECK(list[0]["Layers"][2] == list[0]["Layers"][0]);
}

TEST_CASE_METHOD(Bench, "of an index the image for this machine is taken, by either digest") {
  const Json foreign = oci.image({"a"}, R"({"os": "other"})");
  const Json mine = oci.image({"b"}, kConfig);
  const Json signature = oci.blob(R"({"config": 1})");
#if defined(__aarch64__)
  constexpr const char* kHere = "arm64";
#else
  constexpr const char* kHere = "amd64";
#endif
  const Json inner =
      oci.blob(OciArchive::index_of({OciArchive::for_platform(foreign, "linux", "mips"),
                                     OciArchive::for_platform(foreign, "windows", kHere),
                                     OciArchive::for_platform(mine, "linux", kHere),
                                     OciArchive::for_platform(signature, "unknown", "unknown")})
                   .dump());
  oci.index(OciArchive::index_of({inner}));
  for (auto& entry : oci.entries())
    entry.path = "./" + entry.path;
  const Digest index = test::digest_in(inner), manifest = test::digest_in(mine);
  CHECK(read().manifest == manifest);
  CHECK(read().pinned == index);
  CHECK(read(index).manifest == manifest);
  CHECK(read(manifest).pinned == manifest);
  CHECK(refusal(test::digest_in(foreign)).kind() == ErrorKind::Integrity);
}

TEST_CASE_METHOD(Bench, "of several images in an archive the digest tells which") {
  const Json one = oci.image({"a"}, R"({"n": 1})"), two = oci.image({"b"}, R"({"n": 2})");
  oci.index(OciArchive::index_of({one, two}));
  CHECK(read(test::digest_in(two)).config == platform::digest_of(R"({"n": 2})"));
  CHECK(refusal().cause() == "it has several images");
  CHECK(refusal(platform::digest_of("else")).kind() == ErrorKind::Integrity);
}

TEST_CASE_METHOD(Bench, "what is no OCI archive, or a damaged one, is refused") {
  CHECK(test::error_of([&] {
          source::read_oci_image(*files, folder / "none.tar", {}, activity);
        }).kind() == ErrorKind::NotFound);
  oci.entries() = {{source::TarEntry::Kind::File, "a", "b"}};
  CHECK(refusal().cause() == "it has no index.json");
  const auto with_index = [&](const std::string& text) {
    oci = {};
    const Json image = oci.image({"a"}, kConfig);
    oci.entries().push_back({source::TarEntry::Kind::File, "index.json", text});
    return refusal().kind();
  };
  for (const char* text : {"",
                           "[]",
                           "{}",
                           R"({"manifests": 1})",
                           R"({"manifests": [1]})",
                           R"({"manifests": [{}]})",
                           R"({"manifests": [{"digest": 1, "platform": 2}]})",
                           R"({"manifests": [{"digest": "sha256:../../x"}]})",
                           R"({"manifests": [{"platform": {"os": 1}, "digest": "sha256:00"}]})"}) {
    INFO(text);
    CHECK(with_index(text) == ErrorKind::InvalidData);
  }
  CHECK(with_index(
            OciArchive::index_of({{{"digest", platform::digest_of("no").to_string()}}}).dump()) ==
        ErrorKind::InvalidData);

  oci = {};
  const Json image = oci.image({"a"}, kConfig);
  oci.index(OciArchive::index_of({image}));
  auto& manifest = oci.entries()[2];
  REQUIRE(manifest.path == "blobs/sha256/" + test::digest_in(image).hex());
  manifest.content += " ";
  CHECK(refusal().kind() == ErrorKind::Integrity);
}

TEST_CASE_METHOD(Bench, "indexes that lead into one another come to an end") {
  Json last = oci.image({"a"}, kConfig);
  for (int depth = 0; depth < 10; ++depth)
    last = oci.blob(OciArchive::index_of({last}).dump());
  oci.index(OciArchive::index_of({last}));
  CHECK(refusal().kind() == ErrorKind::InvalidData);
}

TEST_CASE_METHOD(Bench, "a layer that is not what its digest says, or is missing, is refused") {
  oci.index(OciArchive::index_of({oci.image({"lowest", "highest"}, kConfig)}));
  const auto image = read();
  SECTION("another") {
    oci.entries()[1].content = "Lowest";
  }
  SECTION("missing") {
    oci.entries().erase(oci.entries().begin() + 1);
  }
  read();
  const Error error = test::error_of([&] { write(image); });
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.cause().find(platform::digest_of("lowest").hex()) != std::string::npos);
}
