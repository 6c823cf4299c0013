// SPDX-License-Identifier: Apache-2.0
// The data of services across a change of its format. Between the stop of what wrote it and the
// start of what will, it is copied (a release that migrates it) or exchanged for an earlier
// snapshot (a way back). Each step leaves names on the disk that tell an interrupted run how far it
// came; the record that it is done is written before anything new may start on the data.
#include "run_state.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::transaction {

namespace fs = std::filesystem;

namespace {

// Beside the data and not below the state: on the same file system, so that renames and reflinks
// work, and behind the same closed door (a dynamic user's data lies below /var/lib/private).
fs::path snapshots_beside(const fs::path& folder) {
  return folder.parent_path() / ".las-snapshots";
}

fs::path unfinished(const state::DataMove& move) {
  return move.snapshot.path + ".part";
}

fs::path rejected(const state::DataMove& move) {
  return move.snapshot.path + ".rejected";
}

std::string words(const std::string& format) {
  return format.empty() ? std::string(_("unknown")) : format;
}

// What wrote the data that lies there; nothing where las has no word of it.
std::optional<state::DataRecord> data_on_disk(const state::ReadTransaction& state,
                                              const state::Generation& present,
                                              const std::string& service) {
  if (auto record = state.data(service))
    return record;
  // Written before las kept such records.
  const state::ServiceInstance* instance = present.find_service(service);
  const state::InstalledModule* module =
      instance == nullptr ? nullptr : present.find(instance->module);
  if (module == nullptr)
    return std::nullopt;
  return state::DataRecord{service, module->name, module->version, module->data_format};
}

std::optional<state::DataSnapshot> newest_snapshot(
    const std::vector<state::DataSnapshot>& snapshots,
    const std::string& service,
    const std::string& format,
    const platform::FileReader& files) {
  std::optional<state::DataSnapshot> newest;
  for (const state::DataSnapshot& one : snapshots) {
    if (one.service == service && one.format == format && files.exists(one.path) &&
        (!newest || newest->created_at <= one.created_at))
      newest = one;
  }
  return newest;
}

// Renaming the data aside needs a folder that is a name in its parent.
void refuse_mount_point(const platform::FileReader& files,
                        const std::string& service,
                        const fs::path& folder) {
  const auto own = files.status(folder), parent = files.status(folder.parent_path());
  if (own && parent && own->device != parent->device)
    throw Error(ErrorKind::Unsatisfiable,
                _("the format of the data changes, and its folder is a mount point of its own"),
                service)
        .cause(folder.string())
        .hint(_("mount the file system one folder higher"));
}

void record_done(Run& run, std::size_t index) {
  state::Journal journal = run.journal;
  state::DataMove& move = journal.data.at(index);
  move.done = true;
  run.world.store.write([&](state::WriteTransaction& transaction) {
    transaction.put_snapshot(move.snapshot);
    if (move.restore)
      transaction.erase_snapshot(move.restore->id);
    transaction.put_data(
        {move.snapshot.service, move.snapshot.module, move.to_version, move.to_format});
    transaction.put_journal(journal);
  });
  run.journal = std::move(journal);
}

// From R (data) to R and P (snapshot), by P.part.
void copy_aside(const Surroundings& world, const state::DataMove& move, const fs::path& folder) {
  const fs::path snapshot = move.snapshot.path;
  if (world.files.exists(snapshot))
    return;  // and only the record of it is missing
  world.files.remove_tree(unfinished(move));
  platform::clone_tree(world.files, folder, unfinished(move));
  world.files.sync_tree(unfinished(move));
  world.files.rename(unfinished(move), snapshot);
}

// From R (data) and Q (an earlier snapshot) to P (snapshot) and R (what Q was), by two renames.
void exchange(const Surroundings& world, const state::DataMove& move, const fs::path& folder) {
  const fs::path snapshot = move.snapshot.path, earlier = move.restore->path;
  if (!world.files.exists(snapshot))
    world.files.rename(folder, snapshot);
  if (world.files.exists(earlier))
    world.files.rename(earlier, folder);
}

// The copy takes the place of what the rejected release made of the data.
void put_copy_back(const Surroundings& world, const state::DataMove& move, const fs::path& folder) {
  const fs::path snapshot = move.snapshot.path;
  if (world.files.exists(snapshot)) {
    if (move.done && world.files.exists(folder) && !world.files.exists(rejected(move)))
      world.files.rename(folder, rejected(move));
    if (!world.files.exists(folder))
      world.files.rename(snapshot, folder);
    else
      world.files.remove_tree(snapshot);  // taken, but nothing new ever started
  }
  world.files.remove_tree(unfinished(move));
  world.files.remove_tree(rejected(move));
}

void exchange_back(const Surroundings& world, const state::DataMove& move, const fs::path& folder) {
  const fs::path snapshot = move.snapshot.path, earlier = move.restore->path;
  if (!world.files.exists(snapshot))
    return;  // not begun, or all done
  if (!world.files.exists(earlier) && world.files.exists(folder))
    world.files.rename(folder, earlier);
  if (!world.files.exists(folder))
    world.files.rename(snapshot, folder);
}

// The folder of snapshots goes with the last of them.
void remove_if_empty(const Surroundings& world, const fs::path& folder) {
  const auto status = world.files.status(folder);
  if (status && status->kind == platform::FileKind::Directory &&
      world.files.list_directory(folder).empty())
    world.files.remove_tree(folder);
}

fs::path folder_of(const state::DataMove& move) {
  return fs::path(move.snapshot.path).parent_path().parent_path() /
         fs::path(move.snapshot.directory).filename();
}

}  // namespace

std::vector<state::DataMove> due_data_moves(const Surroundings& world,
                                            const state::Generation& present,
                                            const std::vector<DataWish>& wishes) {
  std::vector<state::DataMove> moves;
  for (const DataWish& wish : wishes) {
    std::optional<state::DataRecord> now;
    std::vector<state::DataSnapshot> snapshots;
    world.store.read([&](const state::ReadTransaction& state) {
      now = data_on_disk(state, present, wish.service);
      snapshots = state.snapshots();
    });
    if (!now || now->format == wish.format || wish.directory.empty())
      continue;
    const auto folder = service::data_folder(world.files, wish.directory);
    if (!folder || world.files.list_directory(*folder).empty())
      continue;
    refuse_mount_point(world.files, wish.service, *folder);
    state::DataMove move;
    move.from_version = now->version;
    move.to_version = wish.version;
    move.to_format = wish.format;
    state::DataSnapshot& snapshot = move.snapshot;
    snapshot.id = fmt::format("{}-{}-{}",
                              wish.service,
                              now->format.empty() ? "unknown" : now->format,
                              world.operation_id);
    snapshot.service = wish.service;
    snapshot.module = wish.module;
    snapshot.format = now->format;
    snapshot.directory = wish.directory;
    snapshot.path = (snapshots_beside(*folder) / snapshot.id).string();
    snapshot.created_at = platform::to_iso8601(world.clock.now());
    snapshot.operation_id = world.operation_id;
    snapshot.size = platform::tree_size(world.files, *folder);
    // A newer release migrates what is there; an older one cannot read it.
    if (Version(wish.version) < Version(now->version)) {
      move.kind = state::DataMove::Kind::Exchange;
      move.restore = newest_snapshot(snapshots, wish.service, wish.format, world.files);
      if (!move.restore)
        throw Error(ErrorKind::Unsatisfiable,
                    fmt::format(fmt::runtime(_("its data has the format {}, and what was asked for "
                                               "reads the format {}, of which there is no "
                                               "snapshot")),
                                words(now->format),
                                words(wish.format)),
                    wish.service)
            .hint(fmt::format(fmt::runtime(_("keep the present version, or put a backup into {}")),
                              folder->string()));
    }
    moves.push_back(std::move(move));
  }
  return moves;
}

std::vector<DataWish> data_wishes(const state::Generation& target) {
  std::vector<DataWish> wishes;
  for (const state::ServiceInstance& service : target.services) {
    if (const state::InstalledModule* module = target.find(service.module))
      wishes.push_back(
          {service.id, module->name, module->version, module->data_format, service.data_directory});
  }
  return wishes;
}

void move_data(Run& run, const Activity& activity) {
  for (std::size_t index = 0; index < run.journal.data.size(); ++index) {
    const state::DataMove move = run.journal.data[index];
    if (move.done)
      continue;
    const fs::path folder = folder_of(move);
    run.world.files.make_directories(fs::path(move.snapshot.path).parent_path(), 0700);
    with_context(
        [&] {
          return fmt::format(fmt::runtime(_("putting the data of {} aside")),
                             move.snapshot.service);
        },
        [&] {
          if (move.kind == state::DataMove::Kind::Copy)
            copy_aside(run.world, move, folder);
          else
            exchange(run.world, move, folder);
        });
    record_done(run, index);
    activity.info("transaction",
                  fmt::format(fmt::runtime(_("the data of {} (format {}) is kept in {}")),
                              move.snapshot.service,
                              words(move.snapshot.format),
                              move.snapshot.path));
  }
}

void move_data_back(Run& run) {
  while (!run.journal.data.empty()) {
    const state::DataMove move = run.journal.data.back();
    const fs::path folder = folder_of(move);
    if (move.kind == state::DataMove::Kind::Copy)
      put_copy_back(run.world, move, folder);
    else
      exchange_back(run.world, move, folder);
    remove_if_empty(run.world, fs::path(move.snapshot.path).parent_path());
    // What is remembered never runs ahead of what is written: this may be tried again.
    state::Journal journal = run.journal;
    journal.data.pop_back();
    run.world.store.write([&](state::WriteTransaction& transaction) {
      transaction.erase_snapshot(move.snapshot.id);
      if (move.restore)
        transaction.put_snapshot(*move.restore);
      transaction.put_data(
          {move.snapshot.service, move.snapshot.module, move.from_version, move.snapshot.format});
      transaction.put_journal(journal);
    });
    run.journal = std::move(journal);
  }
}

void purge_snapshots(const Surroundings& world, const std::string& directory) {
  std::vector<state::DataSnapshot> snapshots;
  world.store.read([&](const state::ReadTransaction& state) { snapshots = state.snapshots(); });
  const std::string service = fs::path(directory).filename().string();
  for (const state::DataSnapshot& snapshot : snapshots) {
    if (snapshot.directory != directory)
      continue;
    world.files.remove_tree(snapshot.path);
    remove_if_empty(world, fs::path(snapshot.path).parent_path());
    world.store.write(
        [&](state::WriteTransaction& transaction) { transaction.erase_snapshot(snapshot.id); });
  }
  world.store.write([&](state::WriteTransaction& transaction) { transaction.erase_data(service); });
}

}  // namespace las::transaction
