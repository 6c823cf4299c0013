// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"
#include "source_bench.hpp"
#include "support/catch.hpp"
#include "url.hpp"
#include "ustar.hpp"

#include "las/base/text.hpp"

using namespace las;
using las::test::error_of;
using las::test::listing;
using las::test::Ustar;
using las::test::write_file;
using Lines = std::vector<std::string>;

namespace {

const std::string kUrl = "https://host/tool-1.0.tar?download=1";
const std::string kSums = "https://host/SHA256SUMS";

/// The archive source over a fetcher that serves from memory.
struct Bench : test::SourceBench {
  std::map<std::string, Digest> pins;
  std::unique_ptr<source::SourceKind> archive = source::make_archive_source(surroundings());

  Bench() {
    layout.cache = folder / "cache";
    write_file(folder / "manifest/launcher.sh", "#!/bin/sh\nexec tool\n");
    request.module = "tool";
    request.version = "1.0";
    request.manifest_directory = (folder / "manifest").string();
    request.staging = folder / "staging";
    request.pinned = [this](const std::string& url) -> std::optional<Digest> {
      const auto found = pins.find(url);
      return found == pins.end() ? std::nullopt : std::optional(found->second);
    };
    source.how = catalog::ArchiveSource{};
    source.executables = {{"tool", "bin/tool"}};
    add_part(kUrl, Ustar().folder("t/").file("t/bin/tool", "run", 0755).bytes(), 1);
  }

  catalog::ArchivePart& add_part(const std::string& url, const std::string& bytes, int strip) {
    fetcher.files[url] = bytes;
    catalog::ArchivePart part;
    part.urls = {url};
    part.digest = platform::digest_of(bytes);
    part.strip = strip;
    parts().push_back(part);
    return parts().back();
  }

  std::vector<catalog::ArchivePart>& parts() {
    return std::get<catalog::ArchiveSource>(source.how).parts;
  }

  Digest digest(const std::string& url) const { return platform::digest_of(fetcher.files.at(url)); }

  source::Staged stage() {
    std::filesystem::remove_all(request.staging);
    std::filesystem::create_directories(request.staging);
    return archive->stage(request, activity);
  }
};

}  // namespace

TEST_CASE("an archive becomes a payload with a name of its content", "[source]") {
  Bench bench;
  bench.source.files = {{"launcher.sh", "bin/launch", true}};
  bench.source.delivers = "1.0-generic";
  const source::Staged staged = bench.stage();
  CHECK(staged.payload == bench.folder / "staging/payload");
  CHECK(listing(bench.folder / "staging") == Lines{"payload/ 0755",
                                                   "payload/bin/ 0755",
                                                   "payload/bin/launch 0755 #!/bin/sh\nexec tool\n",
                                                   "payload/bin/tool 0755 run"});
  CHECK(staged.identity == "archive\npart " + bench.digest(kUrl).to_string() +
                               " strip=1 into=\nfile bin/launch executable " +
                               platform::digest_of("#!/bin/sh\nexec tool\n").to_string() + "\n");
  CHECK(staged.store_name == "tool-1.0-" + platform::digest_of(staged.identity).short_hex());
  CHECK(staged.detail == kUrl);
  CHECK(staged.delivered == "1.0-generic");
  CHECK(staged.executables == bench.source.executables);
  CHECK(staged.newly_pinned.empty());
  CHECK_FALSE(staged.external_before.has_value());
  CHECK(bench.fetcher.log ==
        Lines{"fetch tool-1.0:tool-1.0.tar " + kUrl + " " + bench.digest(kUrl).to_string()});
  CHECK(bench.reporter.lines ==
        Lines{"started extract:" + bench.digest(kUrl).hex() + ": Unpacking tool-1.0.tar",
              "finished extract:" + bench.digest(kUrl).hex()});
  CHECK(bench.archive->kind() == "archive");
  CHECK(bench.archive->describe(bench.source) == kUrl);
  CHECK(bench.archive->unavailable(bench.source, bench.activity).empty());
}

TEST_CASE("equal inputs give equal store names and any difference another", "[source]") {
  Bench bench;
  const std::string name = bench.stage().store_name;
  CHECK(bench.stage().store_name == name);
  bench.source.files = {{"launcher.sh", "launch", false}};
  const std::string with_file = bench.stage().store_name;
  CHECK(with_file != name);
  bench.source.files.front().executable = true;
  CHECK(bench.stage().store_name != with_file);
  bench.source.files.clear();
  bench.parts().front().strip = 0;
  bench.source.executables = {{"tool", "t/bin/tool"}};
  CHECK(bench.stage().store_name != name);
}

TEST_CASE("several archives make one payload", "[source]") {
  Bench bench;
  const std::string more = "https://host/runtime.tar";
  bench.add_part(more, Ustar().file("r.so", "lib").symlink("r.so.1", "r.so").bytes(), 0).into =
      "lib";
  bench.stage();
  CHECK(listing(bench.request.staging / "payload") == Lines{"bin/ 0755",
                                                            "bin/tool 0755 run",
                                                            "lib/ 0755",
                                                            "lib/r.so 0644 lib",
                                                            "lib/r.so.1 -> r.so"});
}

TEST_CASE("a later archive writes neither over nor through an earlier one", "[source]") {
  const std::string more = "https://host/more.tar";
  Bench over;
  over.add_part(more, Ustar().file("bin/tool", "evil", 0755).bytes(), 0);
  CHECK(std::string(error_of([&] { over.stage(); }).what()) == "an entry is there twice: bin/tool");

  Bench through;
  through.add_part(more, Ustar().symlink("l", "bin").bytes(), 0);
  through.add_part("https://host/third.tar", Ustar().file("x", "evil").bytes(), 0).into = "l";
  CHECK(std::string(error_of([&] { through.stage(); }).what()) ==
        "an entry is written through a symlink: x");

  Bench out;
  out.add_part(more, Ustar().symlink("l", "../bin/tool").bytes(), 0).into = "lib";
  CHECK(std::string(error_of([&] { out.stage(); }).what()) ==
        "a symlink leaves the tree: l: ../bin/tool");
}

TEST_CASE("a digest that the publisher lists is used and pinned", "[source]") {
  Bench bench;
  bench.parts().front().digest.reset();
  bench.parts().front().checksum = catalog::ChecksumFile{kSums, "sums"};
  bench.fetcher.documents[kSums] = {200, {}, bench.digest(kUrl).hex() + "  tool-1.0.tar\n"};
  const source::Staged staged = bench.stage();
  CHECK(bench.fetcher.log ==
        Lines{"exchange " + kSums,
              "fetch tool-1.0:tool-1.0.tar " + kUrl + " " + bench.digest(kUrl).to_string()});
  CHECK(staged.newly_pinned == std::map<std::string, Digest>{{kUrl, bench.digest(kUrl)}});

  bench.fetcher.documents[kSums].body = std::string(64, '0') + "  tool-1.0.tar\n";
  CHECK(error_of([&] { bench.stage(); }).kind() == ErrorKind::Integrity);
}

TEST_CASE("without the publisher's checksums nothing is fetched", "[source]") {
  Bench bench;
  bench.parts().front().digest.reset();
  bench.parts().front().checksum = catalog::ChecksumFile{kSums, "sums"};
  const Error gone = error_of([&] { bench.stage(); });
  CHECK(gone.kind() == ErrorKind::Network);
  CHECK(std::string(gone.what()) ==
        "cannot get the publisher's checksums: https://host/SHA256SUMS: HTTP 404");
  bench.fetcher.documents[kSums] = {200, {}, std::string(64, '0') + "  other.tar\n"};
  const Error unlisted = error_of([&] { bench.stage(); });
  CHECK(unlisted.kind() == ErrorKind::Integrity);
  CHECK(std::string(unlisted.what()) ==
        "the publisher's checksums do not name the file: tool-1.0.tar: https://host/SHA256SUMS");
  CHECK(bench.fetcher.log == Lines{"exchange " + kSums, "exchange " + kSums});
}

TEST_CASE("an unpinned archive is pinned by its first install and held to it", "[source]") {
  Bench bench;
  bench.parts().front().digest.reset();
  const Digest first = bench.digest(kUrl);
  CHECK(bench.stage().newly_pinned == std::map<std::string, Digest>{{kUrl, first}});
  CHECK(bench.fetcher.log.back() == "fetch tool-1.0:tool-1.0.tar " + kUrl + " unpinned");

  bench.pins.emplace(kUrl, first);
  CHECK(bench.stage().newly_pinned.empty());
  bench.parts().front().checksum = catalog::ChecksumFile{kSums, "sums"};
  bench.fetcher.files[kUrl] = Ustar().file("t/bin/tool", "other", 0755).bytes();
  CHECK(error_of([&] { bench.stage(); }).kind() == ErrorKind::Integrity);
  CHECK(bench.fetcher.log.back() ==
        "fetch tool-1.0:tool-1.0.tar " + kUrl + " " + first.to_string());
}

TEST_CASE("a manifest's file stays beside the manifest and inside the payload", "[source]") {
  Bench bench;
  write_file(bench.folder / "secret", "s");
  std::filesystem::create_symlink("../secret", bench.folder / "manifest/link");
  std::filesystem::create_directory_symlink("..", bench.folder / "manifest/up");
  const auto refusal = [&](const std::string& from, const std::string& to) {
    bench.source.files = {{from, to, false}};
    const Error error = error_of([&] { bench.stage(); });
    CHECK(error.kind() == ErrorKind::InvalidData);
    return std::string(error.what());
  };
  CHECK(refusal("../secret", "s") == "a path climbs with \"..\": ../secret");
  CHECK(refusal((bench.folder / "secret").string(), "s") ==
        "a path is absolute: " + (bench.folder / "secret").string());
  CHECK(refusal("link", "s") == "a file that the manifest names is a symlink: link");
  CHECK(refusal("up/secret", "s") == "a file that the manifest names is a symlink: up/secret");
  CHECK(refusal("missing", "s") == "a file that the manifest names is not beside it: missing");
  CHECK(refusal("launcher.sh", "../s") == "a path climbs with \"..\": ../s");
  CHECK(refusal("launcher.sh", ".") ==
        "a file of the manifest has no place in the payload: launcher.sh");
  CHECK(refusal("launcher.sh", "bin/tool") ==
        "a file of the manifest is in the payload already: bin/tool");
  bench.add_part("https://host/more.tar", Ustar().symlink("l", "bin").bytes(), 0);
  CHECK(refusal("launcher.sh", "l/s") ==
        "a file of the manifest does not lie in a real folder: l/s");
}

TEST_CASE("a promised executable must be there and executable", "[source]") {
  Bench bench;
  bench.add_part(
      "https://host/more.tar",
      Ustar().symlink("alias", "bin/tool").symlink("loop", "loop").file("plain", "").bytes(),
      0);
  bench.source.executables = {{"tool", "alias"}};
  CHECK_NOTHROW(bench.stage());
  for (const std::string path : {"bin/missing", "plain", "bin", "loop"}) {
    bench.source.executables = {{"tool", path}};
    const Error error = error_of([&] { bench.stage(); });
    CHECK(error.kind() == ErrorKind::InvalidData);
    CHECK(std::string(error.what()) ==
          "the payload lacks an executable that the manifest names: tool: " + path);
  }
}

TEST_CASE("a store name is one safe file name", "[source]") {
  CHECK(source::make_store_name("tool", "1:0.7/..+b~1", "x") ==
        "tool-1_0.7_..+b~1-" + platform::digest_of("x").short_hex());
}

TEST_CASE("the file name of a URL is decoded and without its query", "[source]") {
  CHECK(source::url_file_name("https://host/a/b%2Bc.tar?x=/y#z") == "b+c.tar");
  CHECK(source::url_file_name("file:///m/a%2") == "a%2");
  CHECK(source::url_file_name("https://host/") == "");
}

TEST_CASE("every kind of source is known by its name", "[source]") {
  Bench bench;
  const auto kinds = source::make_source_kinds(bench.surroundings());
  Lines names;
  for (const auto& [name, kind] : kinds) {
    CHECK(kind->kind() == name);
    names.push_back(name);
  }
  CHECK(names == Lines{"apt", "archive", "deb", "image", "npm", "python"});
  CHECK_NOTHROW(kinds.at("archive")->undo_external("", "", {}, bench.activity));
  CHECK(kinds.at("archive")->verify_external("", bench.activity).empty());
}

TEST_CASE("a payload remembers the first address and the digest of each archive", "[source]") {
  Bench bench;
  bench.add_part("https://host/lib.tar", Ustar().file("lib", "x", 0644).bytes(), 0);
  bench.parts()[1].urls = {"https://host/lib.tar", "https://mirror/lib.tar"};
  CHECK(bench.stage().artifacts ==
        std::vector<source::InputArtifact>{
            {kUrl, bench.digest(kUrl)},
            {"https://host/lib.tar", bench.digest("https://host/lib.tar")}});
}

TEST_CASE("an archive source can be bound to bytes that were had before", "[source]") {
  Bench bench;
  const Digest digest = bench.digest(kUrl);
  bench.parts()[0].digest.reset();
  bench.parts()[0].urls = {"https://mirror/tool.tar", kUrl};
  const catalog::Source bound = bench.archive->bound_to(bench.source, {{kUrl, digest}});
  CHECK(std::get<catalog::ArchiveSource>(bound.how).parts[0].digest == digest);
  CHECK(std::get<catalog::ArchiveSource>(bound.how).parts[0].urls == bench.parts()[0].urls);

  const Digest other = platform::digest_of("other");
  const auto refused = [&](const std::vector<source::InputArtifact>& artifacts) {
    return error_of([&] { (void)bench.archive->bound_to(bench.source, artifacts); });
  };
  CHECK(refused({}).kind() == ErrorKind::Unsatisfiable);
  CHECK(refused({{kUrl, digest}, {kUrl, digest}}).kind() == ErrorKind::Unsatisfiable);
  CHECK(refused({{"https://elsewhere/x", digest}}).kind() == ErrorKind::Unsatisfiable);
  bench.parts()[0].digest = other;
  const Error error = refused({{kUrl, digest}});
  CHECK(error.kind() == ErrorKind::Integrity);
  CHECK(error.subject() == kUrl);
  CHECK(error.cause() == other.to_string() + ", wanted " + digest.to_string());
}
