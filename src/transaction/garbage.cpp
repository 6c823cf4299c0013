// SPDX-License-Identifier: Apache-2.0
#include "las/transaction/garbage.hpp"

#include "run_state.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::transaction {

namespace fs = std::filesystem;

namespace {

/// What the state says is needed, once the generations that go are gone.
struct Needed {
  std::vector<state::Generation> kept;
  std::vector<std::uint64_t> going;
  std::set<std::string> payloads;
  std::set<fs::path> blobs, downloads, registries;
  std::vector<state::DataSnapshot> snapshots;
};

std::optional<std::chrono::system_clock::time_point> made_at(const state::Generation& generation) {
  return platform::from_iso8601(generation.created_at);
}

// Newest first, so that the first `keep` stay; the current one stays whatever its number.
void choose_generations(const state::ReadTransaction& state,
                        const GarbageRules& rules,
                        std::chrono::system_clock::time_point now,
                        Needed& needed) {
  const std::uint64_t current = state.current_generation();
  std::vector<std::uint64_t> numbers = state.generation_numbers();
  std::reverse(numbers.begin(), numbers.end());
  std::size_t kept = 0;
  if (current != 0)
    ++kept;
  for (const std::uint64_t number : numbers) {
    const auto generation = state.generation(number);
    bool goes = number != current && (rules.keep || rules.older_than);
    if (goes && rules.keep && kept < *rules.keep) {
      ++kept;
      goes = false;
    }
    if (goes && rules.older_than) {
      const auto made = made_at(*generation);
      goes = made && now - *made > *rules.older_than;
    }
    if (goes)
      needed.going.push_back(number);
    else
      needed.kept.push_back(*generation);
  }
}

Needed what_is_needed(const Surroundings& world, const GarbageRules& rules) {
  Needed needed;
  world.store.read([&](const state::ReadTransaction& state) {
    needed = {};
    choose_generations(state, rules, world.clock.now(), needed);
    const auto keep_blob = [&](const Digest& digest) {
      needed.blobs.insert(world.layout.model_blob(digest));
    };
    for (const state::ModelRecord& model : state.models())
      keep_blob(model.digest);
    for (const state::Generation& generation : needed.kept) {
      for (const state::InstalledModule& module : generation.modules) {
        if (!module.store_name.empty())
          needed.payloads.insert(module.store_name);
        for (const state::InstalledArtifact& artifact : module.artifacts)
          needed.downloads.insert(fetch::cached_path(world.layout.downloads(), artifact.digest));
      }
      for (const state::ServiceInstance& service : generation.services) {
        if (const auto digest = Digest::parse(service.model_digest))
          keep_blob(*digest);
      }
    }
    for (const state::RegistryRecord& registry : state.registries()) {
      for (const std::string& snapshot : {registry.snapshot, registry.previous_snapshot}) {
        if (const auto digest = Digest::parse(snapshot))
          needed.registries.insert(world.layout.registries() / registry.name / digest->hex());
        else if (!snapshot.empty())
          needed.registries.insert(world.layout.registries() / registry.name / snapshot);
      }
    }
    needed.snapshots = state.snapshots();
  });
  return needed;
}

std::vector<std::string> names_in(const platform::FileReader& files, const fs::path& folder) {
  const auto status = files.status(folder);
  if (!status || status->kind != platform::FileKind::Directory)
    return {};
  return files.list_directory(folder);
}

/// Fills a survey.
class Surveyor {
 public:
  Surveyor(const Surroundings& world, const Needed& needed) : world_(world), needed_(needed) {}

  Survey run() {
    generations();
    payloads();
    below(world_.layout.staging(), Garbage::Kind::Leftover, {});
    below(world_.layout.downloads(), Garbage::Kind::Download, needed_.downloads);
    models();
    for (const std::string& registry : names_in(world_.files, world_.layout.registries()))
      below(world_.layout.registries() / registry, Garbage::Kind::Registry, needed_.registries);
    snapshots();
    return std::move(survey_);
  }

 private:
  void add(Garbage::Kind kind, const std::string& name, const fs::path& path) {
    survey_.garbage.push_back({kind, name, path, platform::tree_size(world_.files, path)});
  }

  void below(const fs::path& folder, Garbage::Kind kind, const std::set<fs::path>& kept) {
    for (const std::string& name : names_in(world_.files, folder)) {
      if (!kept.contains(folder / name))
        add(kind, name, folder / name);
    }
  }

  // An import that was cut short leaves a file of a name that no blob has.
  void models() {
    const fs::path folder = world_.layout.models() / "blobs";
    for (const std::string& name : names_in(world_.files, folder)) {
      if (name.starts_with('.'))
        add(Garbage::Kind::Leftover, name, folder / name);
      else if (!needed_.blobs.contains(folder / name))
        add(Garbage::Kind::Model, name, folder / name);
    }
  }

  void generations() {
    for (const std::uint64_t number : needed_.going)
      add(Garbage::Kind::Generation, std::to_string(number), world_.layout.generation(number));
    std::set<fs::path> known;
    for (const state::Generation& generation : needed_.kept)
      known.insert(world_.layout.generation(generation.number));
    for (const std::uint64_t number : needed_.going)
      known.insert(world_.layout.generation(number));
    below(world_.layout.generations(), Garbage::Kind::Leftover, known);
  }

  void payloads() {
    const fs::path store = world_.layout.store();
    std::vector<std::string> candidates;
    for (const std::string& name : names_in(world_.files, store)) {
      if (!needed_.payloads.contains(name) && store / name != world_.layout.staging())
        candidates.push_back(name);
    }
    if (candidates.empty())
      return;
    const auto used = service::entries_in_use(world_.files, store);
    for (const std::string& name : candidates) {
      if (const auto user = used.find(name); user != used.end())
        survey_.in_use.push_back({name, user->second});
      else
        add(name.find(".damaged-") == std::string::npos ? Garbage::Kind::Payload
                                                        : Garbage::Kind::Leftover,
            name,
            store / name);
    }
  }

  void snapshots() {
    for (const state::DataSnapshot& snapshot : needed_.snapshots) {
      const bool of_use =
          std::any_of(needed_.kept.begin(), needed_.kept.end(), [&](const auto& generation) {
            const state::InstalledModule* module = generation.find(snapshot.module);
            return module != nullptr && module->data_format == snapshot.format &&
                   generation.find_service(snapshot.service) != nullptr;
          });
      if (!of_use || !world_.files.exists(snapshot.path))
        add(Garbage::Kind::Snapshot, snapshot.id, snapshot.path);
    }
  }

  const Surroundings& world_;
  const Needed& needed_;
  Survey survey_;
};

void record(const Surroundings& world,
            state::OperationRecord& operation,
            const std::vector<std::uint64_t>& generations) {
  world.store.write([&](state::WriteTransaction& transaction) {
    operation.generation_after = transaction.current_generation();
    for (const std::uint64_t number : generations)
      transaction.erase_generation(number);
    transaction.put_operation(operation);
  });
}

std::vector<state::Generation> read_generations(const Surroundings& world,
                                                const std::vector<std::uint64_t>& numbers) {
  std::vector<state::Generation> generations;
  world.store.read([&](const state::ReadTransaction& state) {
    generations.clear();
    for (const std::uint64_t number : numbers) {
      if (auto generation = state.generation(number))
        generations.push_back(*std::move(generation));
    }
  });
  return generations;
}

}  // namespace

std::string_view to_string(Garbage::Kind kind) {
  switch (kind) {
    case Garbage::Kind::Generation:
      return "generation";
    case Garbage::Kind::Payload:
      return "payload";
    case Garbage::Kind::Leftover:
      return "leftover";
    case Garbage::Kind::Download:
      return "download";
    case Garbage::Kind::Model:
      return "model";
    case Garbage::Kind::Registry:
      return "registry";
    case Garbage::Kind::Snapshot:
      return "snapshot";
  }
  return "leftover";
}

Survey survey_garbage(const Surroundings& world, const GarbageRules& rules) {
  const Needed needed = what_is_needed(world, rules);
  Survey survey = Surveyor(world, needed).run();
  for (const state::ExternalChange& change :
       stays_for(world, read_generations(world, needed.going))) {
    const source::ExternalKind* kind = external_kind(world, change.kind);
    if (const std::string name = kind->brought(change.before, change.wanted); !name.empty())
      survey.outside.push_back(fmt::format("{} {}", change.kind, name));
  }
  return survey;
}

Collected collect_garbage(const Surroundings& world,
                          const GarbageRules& rules,
                          const std::vector<Garbage>& wanted,
                          const std::string& command,
                          const Activity& activity) {
  std::vector<Garbage> garbage = survey_garbage(world, rules).garbage;
  std::erase_if(garbage, [&](const Garbage& one) {
    return std::none_of(wanted.begin(), wanted.end(), [&](const Garbage& asked) {
      return asked.kind == one.kind && asked.path == one.path;
    });
  });
  state::OperationRecord operation;
  operation.id = world.operation_id;
  operation.command = command;
  operation.user = world.environment.user;
  operation.sudo_user = world.environment.get("SUDO_USER").value_or("");
  operation.started_at = platform::to_iso8601(world.clock.now());
  operation.outcome = "running";
  std::vector<std::uint64_t> generations;
  for (const Garbage& one : garbage) {
    if (one.kind == Garbage::Kind::Generation)
      generations.push_back(std::stoull(one.name));
    operation.changes.push_back(fmt::format("collect {} {}", to_string(one.kind), one.name));
  }
  // What this run of las did before belongs to the same line of history.
  world.store.read([&](const state::ReadTransaction& state) {
    operation.generation_before = state.current_generation();
    if (const auto before = state.operation(operation.id)) {
      operation.generation_before = before->generation_before;
      operation.started_at = before->started_at;
      operation.changes.insert(
          operation.changes.begin(), before->changes.begin(), before->changes.end());
      operation.steps = before->steps;
    }
  });
  const std::vector<state::Generation> going = read_generations(world, generations);
  record(world, operation, {});
  // Before they are forgotten: whose removal fails is known by them alone.
  try {
    undo_stayed(world, going, activity);
  } catch (const Error& error) {
    operation.outcome = "failed";
    operation.error = error.what();
    operation.ended_at = platform::to_iso8601(world.clock.now());
    record(world, operation, {});
    throw;
  }
  record(world, operation, generations);

  Collected collected;
  for (const Garbage& one : garbage) {
    if (activity.cancellation.requested())
      break;
    try {
      world.files.remove_tree(one.path);
      if (one.kind == Garbage::Kind::Snapshot)
        world.store.write(
            [&](state::WriteTransaction& transaction) { transaction.erase_snapshot(one.name); });
      ++collected.removed;
      collected.freed += one.size;
    } catch (const Error& error) {
      activity.warn("transaction", error.what());
      collected.failed.push_back(one.path.string() + ": " + error.what());
    }
  }
  const bool stopped = activity.cancellation.requested();
  operation.outcome = stopped ? "interrupted" : collected.failed.empty() ? "done" : "incomplete";
  operation.error = text::join(collected.failed, "; ");
  operation.ended_at = platform::to_iso8601(world.clock.now());
  record(world, operation, {});
  activity.cancellation.throw_if_requested();
  return collected;
}

}  // namespace las::transaction
