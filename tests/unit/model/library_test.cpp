// SPDX-License-Identifier: Apache-2.0
#include "las/model/library.hpp"

#include "gguf_writer.hpp"
#include "support/catch.hpp"
#include "support/faulty_file_system.hpp"
#include "support/manual_clock.hpp"
#include "support/recording_reporter.hpp"
#include "support/temp_directory.hpp"

#include "las/base/error.hpp"
#include "las/platform/hasher.hpp"

#include <algorithm>
#include <functional>
#include <ostream>
#include <utility>

using namespace las;
using namespace las::model;
using namespace las::test;
namespace fs = std::filesystem;

namespace {

/// A disk with less room than the real one.
class FullerFileSystem : public FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;

  ByteSize free_space(const fs::path& path) const override {
    return free ? *free : FaultyFileSystem::free_space(path);
  }

  std::optional<ByteSize> free;
};

struct Workshop {
  TempDirectory temp;
  std::unique_ptr<platform::FileSystem> real = platform::make_posix_file_system();
  FullerFileSystem files{*real};
  ManualClock clock;
  platform::Layout layout = [this] {
    platform::Layout made;
    made.state = temp / "state";
    return made;
  }();
  std::unique_ptr<state::StateStore> store =
      state::StateStore::open(layout.database(), state::StateStore::Access::ReadWrite);
  RecordingReporter reporter;
  Cancellation cancellation;

  /// Copies that were begun.
  long copies() const {
    const auto effects = files.effects();
    return std::count_if(effects.begin(), effects.end(), [](const std::string& effect) {
      return effect.starts_with("create_file") || effect.starts_with("clone_file");
    });
  }

  /// Runs `body` at the first progress of the next import.
  void at_first_progress(const std::function<void()>& body) {
    reporter.on_event = [body, is_first = true](const Event& event) mutable {
      if (std::holds_alternative<event::Progress>(event) && std::exchange(is_first, false))
        body();
    };
  }

  ModelLibrary library() { return {files, clock, layout, *store}; }

  Activity activity() { return {reporter, cancellation}; }

  ModelLibrary::Import import(const fs::path& path, const std::string& name = {}) {
    return library().import_file(path, name, activity());
  }

  /// A sound model file below the temporary folder.
  fs::path model(const std::string& file, const std::string& flavour = "a") const {
    return write_file(temp / file, small_model(flavour).bytes());
  }

  std::vector<std::string> blobs() const {
    std::vector<std::string> names;
    if (fs::exists(layout.models() / "blobs")) {
      for (const auto& entry : fs::directory_iterator(layout.models() / "blobs"))
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    store->read([&](const state::ReadTransaction& state) {
      for (const auto& record : state.models())
        found.push_back(record.name);
    });
    return found;
  }

  /// A generation in which service "chat" serves the model.
  void serve(std::uint64_t number, const state::ModelRecord& record) {
    store->write([&](state::WriteTransaction& state) {
      state::ServiceInstance service;
      service.id = "chat";
      service.module = "engine";
      service.model = record.name;
      service.model_digest = record.digest.to_string();
      state::Generation generation;
      generation.number = number;
      generation.services = {service};
      state.put_generation(generation);
      state.set_current_generation(number);
    });
  }
};

using Strings = std::vector<std::string>;

struct Seen {
  std::string kind, what, hint;
  bool operator==(const Seen&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.kind << " | " << seen.what << " | " << seen.hint;
}

template <typename Body>
Seen error_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return {std::string(to_string(error.kind())), error.what(), error.hint()};
  }
  return {};
}

}  // namespace

TEST_CASE("an imported model is a read-only blob under its digest and a record of what it is",
          "[model]") {
  Workshop shop;
  const auto path = shop.model("Tiny-Model.Q4_0.gguf");
  const std::string bytes = small_model().bytes();
  const Digest digest = platform::digest_of(bytes);

  const auto imported = shop.import(path);

  state::ModelRecord expected;
  expected.name = "tiny-model.q4_0";
  expected.format = "gguf";
  expected.digest = digest;
  expected.size = ByteSize(bytes.size());
  expected.source = path.string();
  expected.imported_at = "2026-11-23T15:04:05Z";
  expected.architecture = "llama";
  expected.quantization = "Q4_0";
  expected.license = "apache-2.0";
  expected.parameters = 136;
  expected.context_length = 512;
  expected.note = "random weights";
  CHECK(imported.record == expected);
  CHECK_FALSE(imported.was_present);
  CHECK(shop.library().get("tiny-model.q4_0") == expected);

  const auto blob = shop.layout.models() / "blobs" / ("sha256-" + digest.hex());
  CHECK(shop.library().blob_path(digest) == blob);
  CHECK(shop.blobs() == Strings{"sha256-" + digest.hex()});
  CHECK(shop.files.read_file(blob, ByteSize::mib(1)) == bytes);
  CHECK(shop.files.status(blob)->mode == 0444);
}

TEST_CASE("an import reports its progress in bytes", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  const std::uint64_t size = fs::file_size(path);
  shop.import(path);
  const auto events = shop.reporter.events();
  REQUIRE(events.size() >= 3);
  const auto& started = std::get<event::Started>(events.front());
  CHECK(started.id == "import:tiny");
  CHECK(started.title == "Importing tiny");
  CHECK(started.total == size);
  const auto& last = std::get<event::Progress>(events.end()[-2]);
  CHECK(last.id == "import:tiny");
  CHECK(last.done == size);
  CHECK(last.total == size);
  const auto& finished = std::get<event::Finished>(events.back());
  CHECK(finished.id == "import:tiny");
  CHECK(finished.ok);
}

TEST_CASE("importing the same again changes nothing and copies nothing", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  const auto first = shop.import(path);
  CHECK(shop.copies() == 1);
  const auto second = shop.import(shop.model("other place.gguf"), "tiny");
  CHECK(second.was_present);
  CHECK(second.record == first.record);
  CHECK(shop.copies() == 1);
  CHECK(shop.blobs().size() == 1);
}

TEST_CASE("one content under two names is one blob", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  const auto first = shop.import(path);
  const auto second = shop.import(path, "again");
  CHECK_FALSE(second.was_present);
  CHECK(second.record.name == "again");
  CHECK(second.record.digest == first.record.digest);
  CHECK(second.record.architecture == "llama");
  CHECK(shop.names() == Strings{"again", "tiny"});
  CHECK(shop.blobs().size() == 1);
}

TEST_CASE("another content under a name in use is refused and leaves nothing", "[model]") {
  Workshop shop;
  const auto first = shop.model("tiny.gguf");
  shop.import(first);
  const auto blobs = shop.blobs();
  const Seen expected{"busy",
                      "the name belongs to a model with another content: tiny: imported from " +
                          first.string() + " at 2026-11-23T15:04:05Z",
                      "import it under another name, or remove the present model first"};
  CHECK(error_of([&] { shop.import(shop.model("b.gguf", "b"), "tiny"); }) == expected);
  CHECK(error_of([&] { shop.import(shop.model("c.gguf", "longer"), "tiny"); }) == expected);
  CHECK(shop.blobs() == blobs);
  CHECK(shop.names() == Strings{"tiny"});
}

TEST_CASE("a document's model takes a name over, and only with the expected content", "[model]") {
  Workshop shop;
  const auto old = shop.import(shop.model("old.gguf", "old"), "tiny").record;
  const fs::path path = shop.model("new.gguf", "new");
  const auto found = shop.library().inspect(path, shop.activity());
  CHECK(found.format == "gguf");
  CHECK(found.digest == platform::digest_of_file(path));
  CHECK(shop.blobs().size() == 1);

  const auto import = [&](const Digest& digest) {
    return shop.library().import_file(
        path, "tiny", shop.activity(), ModelLibrary::Expectation{digest, "elsewhere.gguf"});
  };
  CHECK(error_of([&] { import(old.digest); }) ==
        Seen{"integrity",
             "the file is not the model that is wanted: " + path.string() + ": " +
                 found.digest.to_string() + ", wanted " + old.digest.to_string(),
             ""});
  CHECK(shop.library().get("tiny") == old);
  CHECK(shop.blobs().size() == 1);

  // While a generation serves the old content, that stays.
  shop.serve(1, old);
  const auto result = import(found.digest);
  CHECK_FALSE(result.was_present);
  CHECK(shop.library().get("tiny").digest == found.digest);
  CHECK(shop.library().get("tiny").source == "elsewhere.gguf");
  CHECK(shop.blobs().size() == 2);
  CHECK(import(found.digest).was_present);
}

TEST_CASE("the content that a name leaves is swept up when nothing serves it", "[model]") {
  Workshop shop;
  shop.import(shop.model("old.gguf", "old"), "tiny");
  const fs::path path = shop.model("new.gguf", "new");
  const Digest digest = platform::digest_of_file(path);
  shop.library().import_file(path, "tiny", shop.activity(), ModelLibrary::Expectation{digest, ""});
  CHECK(shop.blobs() == std::vector<std::string>{"sha256-" + digest.hex()});
}

TEST_CASE("the name comes from the file name when none is given", "[model]") {
  struct Row {
    std::string file, name;
  };

  for (const Row& row : {Row{"Tiny-Model.Q4_0.gguf", "tiny-model.q4_0"},
                         Row{"a.GGUF", "a"},
                         Row{"no extension", "no-extension"},
                         Row{"_-.x..y--z-.gguf", "x.y-z"},
                         Row{"Grüße (1).gguf", "gr-e-1"},
                         Row{std::string(100, 'n') + ".gguf", std::string(64, 'n')}}) {
    Workshop shop;
    CHECK(shop.import(shop.model(row.file)).record.name == row.name);
  }
}

TEST_CASE("a name that is no name is a fault of usage", "[model]") {
  Workshop shop;
  const std::string hint =
      "a name has up to 64 of a-z, 0-9, '.', '_', '+' and '-', and begins with a letter or digit";
  const auto path = shop.model("tiny.gguf");
  for (const char* name : {"../x", "Big", "a b", "-x", "a..b"}) {
    CHECK(error_of([&] { shop.import(path, name); }) ==
          Seen{"usage", std::string("not a name for a model: ") + name, hint});
  }
  const auto nameless = shop.model("---.gguf");
  CHECK(error_of([&] { shop.import(nameless); }) ==
        Seen{"usage", "the file name gives no name for the model: " + nameless.string(), hint});
  CHECK(shop.blobs().empty());
}

TEST_CASE("a symlink gives the name and its target the content", "[model]") {
  Workshop shop;
  const auto target = shop.model("0123abcd");
  fs::create_symlink(target, shop.temp / "Nice-Name.gguf");
  const auto imported = shop.import(shop.temp / "Nice-Name.gguf");
  CHECK(imported.record.name == "nice-name");
  CHECK(imported.record.source == target.string());
  CHECK(fs::is_regular_file(fs::symlink_status(shop.library().blob_path(imported.record.digest))));
}

TEST_CASE("what is no model file is refused before anything is made", "[model]") {
  Workshop shop;
  const auto page = write_file(shop.temp / "model.gguf", "<!doctype html>");
  CHECK(error_of([&] { shop.import(page); }) ==
        Seen{"invalid-data",
             "not a model file that las knows: " + page.string() + ": it looks like an HTML page",
             "the download got a web page instead of the file"});
  CHECK(error_of([&] { shop.import(shop.temp.path()); }) ==
        Seen{"invalid-data",
             "this is a folder, not a model file: " + shop.temp.path().string(),
             "name one file in it: las model import FILE"});
  CHECK(error_of([&] { shop.import("/dev/null"); }) ==
        Seen{"invalid-data", "not a regular file: /dev/null", ""});
  CHECK(error_of([&] { shop.import(shop.temp / "absent"); }) ==
        Seen{"not-found",
             "could not open the model file: " + (shop.temp / "absent").string() +
                 ": No such file or directory",
             "check the path: is it spelled as the file is, and is the file there?"});
  CHECK_FALSE(fs::exists(shop.layout.models()));
  CHECK(shop.reporter.events().empty());
}

TEST_CASE("an interrupted import leaves nothing behind", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  shop.at_first_progress([&] {
    CHECK(shop.blobs().size() == 1);  // else this interrupts nothing
    shop.cancellation.request(2);
  });
  CHECK(error_of([&] { shop.import(path); }).kind == "interrupted");
  CHECK(shop.blobs().empty());
  CHECK(shop.names().empty());
  CHECK_FALSE(std::get<event::Finished>(shop.reporter.events().back()).ok);
}

TEST_CASE("a file that grows while it is read is refused and leaves nothing behind", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  shop.at_first_progress([&] { std::ofstream(path, std::ios::app) << "more"; });
  CHECK(error_of([&] { shop.import(path); }).kind == "invalid-data");
  CHECK(shop.blobs().empty());
  CHECK(shop.names().empty());
}

TEST_CASE("a file that shrinks while it is read is refused and leaves nothing behind", "[model]") {
  Workshop shop;
  GgufWriter writer;
  writer.text("general.architecture", "llama").tensor("t", {std::uint64_t{1} << 21}, 0, 8U << 20);
  const auto path = write_file(shop.temp / "large.gguf", writer.bytes());
  shop.at_first_progress([&] { fs::resize_file(path, 100); });
  const Seen seen = error_of([&] { shop.import(path); });
  CHECK(seen.kind == "invalid-data");
  CHECK_THAT(seen.what, Catch::Matchers::StartsWith("the model file changed while it was read: "));
  CHECK(shop.blobs().empty());
}

TEST_CASE("a record that cannot be written leaves no blob behind", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  shop.store.reset();
  shop.store = state::StateStore::open(shop.layout.database(), state::StateStore::Access::ReadOnly);
  CHECK(error_of([&] { shop.import(path); }).kind == "permission");
  CHECK(shop.blobs().empty());
}

TEST_CASE("a model that does not fit on the disk is refused before it is copied", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  shop.files.free = ByteSize(100);
  const auto blobs = shop.layout.models() / "blobs";
  const Seen seen = error_of([&] { shop.import(path); });
  const auto effects = shop.files.effects();
  if (std::any_of(effects.begin(), effects.end(), [](auto& effect) {
        return effect.starts_with("clone_file");
      }))
    return;  // the blocks are shared here: it takes no space
  CHECK(seen == Seen{"no-space",
                     "not enough free space for the model: " + blobs.string() + ": it needs " +
                         ByteSize(fs::file_size(path)).to_string() + ", 100 B are free",
                     ""});
  CHECK(shop.copies() == 0);
  CHECK(shop.blobs().empty());
}

TEST_CASE("whichever effect of an import fails, nothing is left and the next try succeeds",
          "[model]") {
  std::size_t effects = 0;
  {
    Workshop shop;
    shop.import(shop.model("tiny.gguf"));
    effects = shop.files.effect_count();
  }
  REQUIRE(effects >= 5);
  for (std::size_t effect = 1; effect <= effects; ++effect) {
    Workshop shop;
    const auto path = shop.model("tiny.gguf");
    shop.files.fail_at(effect);
    CHECK(error_of([&] { shop.import(path); }).kind == "no-space");
    CHECK(shop.blobs().empty());
    CHECK(shop.names().empty());
    CHECK_FALSE(shop.import(path).was_present);
    CHECK(shop.blobs().size() == 1);
  }
}

TEST_CASE("whichever effect of an import las dies in, the next import cleans up", "[model]") {
  for (std::size_t effect = 1;; ++effect) {
    Workshop shop;
    const auto path = shop.model("tiny.gguf");
    shop.files.crash_at(effect);
    try {
      shop.import(path);
      CHECK(effect > 5);
      break;
    } catch (const Crash&) {
    }
    CHECK(shop.names().empty());
    ModelLibrary after(*shop.real, shop.clock, shop.layout, *shop.store);
    const auto other = after.import_file(shop.model("other.gguf", "o"), {}, shop.activity());
    CHECK(shop.blobs() == Strings{"sha256-" + other.record.digest.hex()});
    const auto again = after.import_file(path, {}, shop.activity());
    CHECK(platform::digest_of_file(after.blob_path(again.record.digest)) == again.record.digest);
    CHECK(shop.names() == Strings{"other", "tiny"});
  }
}

TEST_CASE("the next import sweeps up what a killed one left", "[model]") {
  Workshop shop;
  const auto kept = shop.import(shop.model("kept.gguf", "k"));
  const auto blobs = shop.layout.models() / "blobs";
  write_file(blobs / ".import-20260101T000000-aaaaaa", "half");
  write_file(blobs / ("sha256-" + std::string(64, 'f')), "never recorded");
  write_file(blobs / "README", "not ours");
  const auto next = shop.import(shop.model("next.gguf", "n"));
  Strings expected{
      "README", "sha256-" + kept.record.digest.hex(), "sha256-" + next.record.digest.hex()};
  std::sort(expected.begin(), expected.end());
  CHECK(shop.blobs() == expected);
}

TEST_CASE("a blob that lost bytes or is gone is made whole by importing again", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  const auto record = shop.import(path).record;
  const auto blob = shop.library().blob_path(record.digest);
  fs::remove(blob);
  SECTION("gone") {}
  SECTION("cut") {
    write_file(blob, "GGUF");
  }
  SECTION("other bytes of the same length") {
    write_file(blob, std::string(fs::file_size(path), 'x'));
  }
  const auto again = shop.import(path);
  CHECK(again.was_present);
  CHECK(again.record == record);
  CHECK(platform::digest_of_file(blob) == record.digest);
}

TEST_CASE("removing a model deletes its blob unless something else needs it", "[model]") {
  Workshop shop;
  const auto path = shop.model("tiny.gguf");
  const auto record = shop.import(path).record;
  SECTION("nothing else") {
    shop.library().remove("tiny", shop.activity());
    CHECK(shop.names().empty());
    CHECK(shop.blobs().empty());
  }
  SECTION("another name") {
    shop.import(path, "again");
    shop.library().remove("tiny", shop.activity());
    CHECK(shop.names() == Strings{"again"});
    CHECK(shop.blobs().size() == 1);
  }
  SECTION("an older generation") {
    shop.serve(1, record);
    shop.serve(2, {});
    shop.library().remove("tiny", shop.activity());
    CHECK(shop.names().empty());
    CHECK(shop.blobs().size() == 1);
  }
}

TEST_CASE("a model that is being served is not removed", "[model]") {
  Workshop shop;
  shop.serve(1, shop.import(shop.model("tiny.gguf")).record);
  CHECK(error_of([&] { shop.library().remove("tiny", shop.activity()); }) ==
        Seen{"busy",
             "a service serves the model: tiny: chat",
             "go back to a generation without it (las history, las rollback NUMBER), or remove its "
             "engine: las remove engine"});
  CHECK(shop.names() == Strings{"tiny"});
  CHECK(shop.blobs().size() == 1);
}

TEST_CASE("a model that is not there is NotFound with the nearest name", "[model]") {
  Workshop shop;
  CHECK(error_of([&] { shop.library().get("tiny"); }) ==
        Seen{"not-found",
             "no such model: tiny",
             "no model has been imported yet; take one in with: las model import FILE"});
  shop.import(shop.model("tiny.gguf"));
  CHECK(error_of([&] { shop.library().get("tinny"); }) ==
        Seen{"not-found", "no such model: tinny", "did you mean 'tiny'?"});
  CHECK(error_of([&] { shop.library().get("something-else"); }) ==
        Seen{"not-found", "no such model: something-else", "see the models with: las model list"});
  CHECK(error_of([&] { shop.library().remove("tinny", shop.activity()); }).kind == "not-found");
}
