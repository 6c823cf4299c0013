// SPDX-License-Identifier: Apache-2.0
#include "purge.hpp"

#include "support/catch.hpp"
#include "support/manual_clock.hpp"
#include "support/temp_directory.hpp"

using namespace las;

namespace {

/// A root with generations as records, and folders that services wrote into.
struct Root {
  test::TempDirectory folder;
  platform::Layout layout = platform::Layout::system(folder.path());
  std::unique_ptr<platform::FileSystem> files = platform::make_posix_file_system();
  std::unique_ptr<platform::ProcessRunner> processes = platform::make_posix_process_runner();
  test::ManualClock clock;
  platform::Environment environment;
  std::vector<state::Generation> generations;
  std::vector<state::DataRecord> data;

  state::ServiceInstance service(const std::string& id, const std::string& module) {
    state::ServiceInstance made;
    made.id = id;
    made.module = module;
    made.data_directory = layout.data(id).string();
    files->make_directories(made.data_directory);
    files->replace_file(layout.data(id) / "rows", "1234567");
    return made;
  }

  void generation(std::vector<state::ServiceInstance> services) {
    state::Generation made;
    made.number = generations.size() + 1;
    made.services = std::move(services);
    generations.push_back(made);
  }

  /// What a purge of `module` would delete, by folder name; the generation of `current` is present.
  std::vector<std::string> purge(const std::string& module, std::uint64_t current) {
    {
      files->make_directories(layout.state);
      const auto store =
          state::StateStore::open(layout.database(), state::StateStore::Access::ReadWrite);
      store->write([&](state::WriteTransaction& transaction) {
        for (const state::Generation& one : generations)
          transaction.put_generation(one);
        transaction.set_current_generation(current);
        for (const state::DataRecord& record : data)
          transaction.put_data(record);
      });
    }
    app::SessionOptions options;
    options.layout = layout;
    app::Session session({*files, *processes, clock, environment}, options);
    app::PreparedPlan prepared;
    app::add_purge(session, {module}, generations.at(current - 1), prepared);
    std::vector<std::string> names;
    for (const auto& line : prepared.purge) {
      CHECK(line.size == ByteSize(7));
      CHECK(line.module == module);
      CHECK((line.what == app::PreparedPlan::PurgeLine::What::Settings) ==
            (line.folder.parent_path() == layout.units));
      names.push_back(line.folder.filename().string());
    }
    CHECK(prepared.plan.purge.size() == prepared.purge.size());
    return names;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a purge takes the data of the module's services, also of those it had before", "[app]") {
  Root root;
  root.generation({root.service("old", "engine")});
  root.generation({root.service("chat", "engine"), root.service("db", "database")});
  CHECK(root.purge("engine", 2) == Names{"chat", "old"});
  CHECK(root.purge("database", 2) == Names{"db"});
  CHECK(root.purge("nothing", 2).empty());
}

TEST_CASE("data that a service of another module uses now are nobody else's", "[app]") {
  Root root;
  root.generation({root.service("chat", "engine")});
  root.generation({root.service("chat", "other")});
  CHECK(root.purge("engine", 2).empty());
  CHECK(root.purge("other", 2) == Names{"chat"});
  // After a rollback the folder is the first one's again.
  CHECK(root.purge("engine", 1) == Names{"chat"});
}

TEST_CASE("a record never makes a purge delete anything but a folder of data", "[app]") {
  Root root;
  auto service = root.service("chat", "engine");
  service.data_directory = root.layout.store().string();
  root.files->make_directories(root.layout.store());
  auto climbing = root.service("web", "engine");
  climbing.data_directory = (root.layout.data("web") / ".." / ".." / "store").string();
  root.generation({service, climbing});
  CHECK(root.purge("engine", 1).empty());
}

TEST_CASE("a purge finds data whose last generation is gone by the record of them", "[app]") {
  Root root;
  root.service("tiny", "engine");
  root.service("other", "another");
  root.generation({});
  CHECK(root.purge("engine", 1).empty());
  root.data = {{"tiny", "engine", "1.0", ""}, {"other", "another", "1.0", ""}};
  CHECK(root.purge("engine", 1) == Names{"tiny"});
}

TEST_CASE("a purge takes the drop-ins for the module's services, and nobody else's", "[app]") {
  Root root;
  for (const char* unit :
       {"las-chat.service", "las-health@old.timer", "las-db.service", "las-.service"})
    root.files->make_directories(root.layout.units / (std::string(unit) + ".d"));
  for (const auto& folder : root.files->list_directory(root.layout.units))
    root.files->replace_file(root.layout.units / folder / "a.conf", "1234567");
  state::ServiceInstance without_data;
  without_data.id = "old";
  without_data.module = "engine";
  root.generation({without_data});
  root.generation({root.service("chat", "engine"), root.service("db", "database")});
  CHECK(root.purge("engine", 2) == Names{"chat", "las-chat.service.d", "las-health@old.timer.d"});
  CHECK(root.purge("database", 2) == Names{"db", "las-db.service.d"});

  // Another module has a service of this name now.
  auto taken = root.service("chat", "database");
  root.generation({taken});
  CHECK(root.purge("engine", 3) == Names{"las-health@old.timer.d"});
}
