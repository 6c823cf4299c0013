// SPDX-License-Identifier: Apache-2.0
#include "las/app/session.hpp"

#include "program_versions.hpp"

#include "las/app/overrides.hpp"
#include "las/app/policies.hpp"
#include "las/app/registries.hpp"
#include "las/app/serve.hpp"
#include "las/base/i18n.hpp"

#include <future>

#include <fmt/format.h>
#include <unistd.h>

namespace las::app {

namespace fs = std::filesystem;

std::string version() {
  return LAS_VERSION;
}

struct Session::Parts {
  std::optional<Config> config;
  std::optional<catalog::Catalog> catalog;
  std::optional<hardware::HardwareProfile> profile;
  std::optional<std::vector<policy::Rule>> rules;
  std::optional<policy::Verdict> verdict;
  std::unique_ptr<platform::FileLock> lock;
  std::unique_ptr<state::StateStore> store;
  bool store_writable = false;
  std::vector<state::PortLease> given;
  std::unique_ptr<fetch::Fetcher> fetcher;
  std::unique_ptr<service::Supervisor> supervisor;
  std::map<std::string, std::unique_ptr<source::SourceKind>> sources;
  std::vector<std::unique_ptr<source::SystemStep>> steps;
  std::unique_ptr<transaction::Transactor> transactor;
};

Session::Session(Platform platform, SessionOptions options)
    : platform_(std::move(platform)),
      options_(std::move(options)),
      parts_(std::make_unique<Parts>()) {}

Session::~Session() = default;

const Config& Session::config() {
  if (!parts_->config)
    parts_->config = Config::load(files(), layout(), environment(), options_.config_flags);
  return *parts_->config;
}

fs::path Session::data_directory() const {
  if (const auto from_environment = environment().get("LAS_DATA_DIR"))
    return *from_environment;
  const fs::path binary = fs::path(environment().executable).parent_path();
  // <prefix>/bin/las beside <prefix>/share/las, then build/<preset>/las inside a checkout.
  for (const fs::path& candidate :
       {binary.parent_path() / "share" / "las", binary.parent_path().parent_path() / "share"}) {
    if (platform_.files.exists(candidate / "manifests"))
      return candidate;
  }
  return LAS_DATA_DIR;
}

// The machine's, which every user reads, then the user's own for what root has not compiled.
std::vector<fs::path> Session::index_directories() const {
  std::vector<fs::path> directories = {layout().cache / "catalog"};
  if (layout().scope == platform::Scope::System && environment().uid != 0)
    directories.push_back(platform::Layout::user(environment()).cache / "catalog");
  return directories;
}

// Another build of las reads manifests in another way, also where it has the same version.
std::string Session::maker() const {
  std::string maker = version();
  const fs::path binary = environment().executable;
  if (binary.empty())
    return maker;
  for (const auto& stamp : platform_.files.stamps(binary.parent_path(), {binary.filename()}))
    if (stamp)
      maker += fmt::format(" {} {} {}", stamp->size, stamp->inode, stamp->modified_ns);
  return maker;
}

const catalog::Catalog& Session::catalog(const Activity& activity) {
  if (!parts_->catalog) {
    Diagnostics diagnostics;
    parts_->catalog = catalog::load_catalog(
        files(), catalog_folders(*this), diagnostics, {index_directories(), maker()});
    warn_about_registries(*this, activity);
    for (const Diagnostic& item : diagnostics.items())
      activity.warn("catalog", item.to_string());
  }
  return *parts_->catalog;
}

hardware::ProbeOptions Session::probe_options() const {
  return {options_.sysroot,
          {{"state", layout().state}, {"models", layout().models()}, {"cache", layout().cache}},
          nullptr};
}

const hardware::HardwareProfile& Session::profile(const Activity& activity) {
  if (!parts_->profile) {
    if (options_.hardware_file) {
      parts_->profile = with_context(
          [&] { return options_.hardware_file->string(); },
          [&] { return hardware::from_json(files().read_file(*options_.hardware_file)); });
    } else {
      const std::string& boot = environment().boot_id;
      hardware::ProgramVersions programs = load_program_versions(files(), layout().cache, boot);
      hardware::ProbeOptions probe = probe_options();
      probe.programs = &programs;
      parts_->profile = hardware::probe(environment(), processes(), probe, activity);
      save_program_versions(files(), layout().cache, boot, programs);
    }
  }
  return *parts_->profile;
}

const std::vector<policy::Rule>& Session::rules() {
  if (!parts_->rules) {
    Diagnostics diagnostics;
    std::vector<policy::Rule> rules = policy::load_rules(policy_documents(*this), diagnostics);
    diagnostics.throw_if_errors(_("a policy file has faults"));
    parts_->rules = std::move(rules);
  }
  return *parts_->rules;
}

const policy::Verdict& Session::verdict(const Activity& activity) {
  if (!parts_->verdict) {
    // Reading the rules and looking at the machine take as long as each other and have nothing in
    // common.
    std::future<void> reading;
    if (!parts_->rules && !parts_->profile)
      reading = std::async(std::launch::async, [this] { rules(); });
    profile(activity);
    if (reading.valid())
      reading.get();
    parts_->verdict = policy::evaluate(profile(activity), rules(), overrides_in_force(*this));
  }
  return *parts_->verdict;
}

state::StateStore& Session::store() {
  if (!parts_->store)
    parts_->store = state::StateStore::open(
        layout().database(), state::StateStore::Access::ReadOnly, layout().generations());
  return *parts_->store;
}

std::vector<state::PortLease> Session::leases() {
  std::vector<state::PortLease> all;
  store().read([&](const state::ReadTransaction& transaction) { all = transaction.ports(); });
  all.insert(all.end(), parts_->given.begin(), parts_->given.end());
  return all;
}

std::uint16_t Session::give_port(const std::string& service) {
  const auto port =
      service::choose_port(static_cast<std::uint16_t>(config().integer("ports.first")),
                           static_cast<std::uint16_t>(config().integer("ports.last")),
                           leases());
  take_port(port, service);
  return port;
}

void Session::take_port(std::uint16_t port, const std::string& service) {
  parts_->given.push_back({port, service});
}

fetch::Fetcher& Session::fetcher() {
  if (!parts_->fetcher) {
    fetch::FetchOptions options;
    options.parallel = static_cast<int>(config().integer("fetch.parallel"));
    options.attempts = static_cast<int>(config().integer("fetch.attempts"));
    options.connect_timeout = std::chrono::seconds(config().integer("fetch.connect-timeout"));
    options.stall_timeout = std::chrono::seconds(config().integer("fetch.stall-timeout"));
    options.rate_limit = config().size("fetch.rate-limit");
    if (const std::string file = config().text("fetch.ca-file"); !file.empty())
      options.ca_file = file;
    parts_->fetcher = fetch::make_curl_fetcher(files(), options);
  }
  return *parts_->fetcher;
}

service::Supervisor& Session::supervisor() {
  if (!parts_->supervisor)
    parts_->supervisor =
        service::make_supervisor({files(), processes(), clock(), environment(), layout()});
  return *parts_->supervisor;
}

const std::map<std::string, std::unique_ptr<source::SourceKind>>& Session::sources() {
  if (parts_->sources.empty()) {
    const std::string& engine = config().get("containers.engine").text;
    parts_->sources = source::make_source_kinds({files(),
                                                 processes(),
                                                 fetcher(),
                                                 environment(),
                                                 layout(),
                                                 engine == "auto" ? std::string() : engine});
  }
  return parts_->sources;
}

const std::vector<std::unique_ptr<source::SystemStep>>& Session::steps() {
  if (parts_->steps.empty())
    parts_->steps =
        source::make_system_steps({files(), processes(), fetcher(), environment(), layout()});
  return parts_->steps;
}

transaction::Surroundings Session::surroundings(const Activity& activity) {
  return {
      files(),
      processes(),
      clock(),
      environment(),
      layout(),
      store(),
      fetcher(),
      supervisor(),
      sources(),
      steps(),
      options_.operation_id,
      [this, activity](const state::ServiceInstance& old, const state::InstalledModule& module) {
        return rebuild_service(*this, old, module, activity);
      }};
}

void Session::lock_and_open(std::chrono::seconds wait, Stay stay, const Activity& activity) {
  const platform::LockOwner owner{static_cast<int>(::getpid()),
                                  environment().user,
                                  command_line(),
                                  platform::to_iso8601(clock().now()),
                                  stay == Stay::Brief};
  parts_->lock = platform::FileLock::acquire(layout().lock_file(), owner, wait, activity);
  // One environment per process: a read-only one opened earlier is closed first.
  parts_->store.reset();
  parts_->store = state::StateStore::open(
      layout().database(), state::StateStore::Access::ReadWrite, layout().generations());
  parts_->store->identify({environment().user,
                           environment().get("SUDO_USER").value_or(""),
                           options_.operation_id,
                           &clock()});
}

state::StateStore* Session::recorder(const Activity& activity) {
  try {
    if (!parts_->lock)
      lock_and_open(std::chrono::seconds(0), Stay::Brief, activity);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Busy)
      return nullptr;
    throw;
  }
  bool interrupted = false;
  store().read([&](const state::ReadTransaction& transaction) {
    interrupted = transaction.journal().has_value();
  });
  return interrupted ? nullptr : parts_->store.get();
}

transaction::Transactor& Session::writer(const Activity& activity) {
  if (parts_->transactor)
    return *parts_->transactor;
  try {
    for (const fs::path& folder : {layout().state,
                                   layout().store(),
                                   layout().staging(),
                                   layout().generations(),
                                   layout().downloads(),
                                   layout().run})
      files().make_directories(folder);
  } catch (Error& error) {
    if (error.kind() == ErrorKind::Permission && environment().uid != 0 && error.hint().empty() &&
        layout().scope == platform::Scope::System)
      error.hint(_("try it with sudo, or for yourself only: las --user ..."));
    throw;
  }
  lock_and_open(
      std::chrono::seconds(config().integer("lock.wait")), Stay::AsLongAsItTakes, activity);
  parts_->transactor = std::make_unique<transaction::Transactor>(surroundings(activity));
  if (const auto done = parts_->transactor->recover(activity))
    activity.warn("transaction", *done);
  return *parts_->transactor;
}

}  // namespace las::app
