// SPDX-License-Identifier: Apache-2.0
// System groups and accounts that a module needs. Records: {"groups": [...], "users": [...]}.
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/source/source.hpp"

#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::source {

namespace {

struct Names {
  std::set<std::string> groups, users;
};

Names parse_names(const std::string& record) {
  Names names;
  if (record.empty())
    return names;
  try {
    const auto json = nlohmann::json::parse(record);
    names.groups = json.at("groups").get<std::set<std::string>>();
    names.users = json.at("users").get<std::set<std::string>>();
  } catch (const nlohmann::json::exception& fault) {
    throw Error(ErrorKind::CorruptState, _("a record of accounts is damaged")).cause(fault.what());
  }
  return names;
}

std::string to_text(const Names& names) {
  if (names.groups.empty() && names.users.empty())
    return {};
  return nlohmann::json{{"groups", names.groups}, {"users", names.users}}.dump();
}

class Accounts final : public SystemStep {
 public:
  explicit Accounts(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "accounts"; }

  std::string wanted(const catalog::SystemChanges& changes) const override {
    return to_text({{changes.groups.begin(), changes.groups.end()},
                    {changes.users.begin(), changes.users.end()}});
  }

  std::string unavailable() const override {
    if (around_.layout.root != "/")
      return _("accounts are the whole machine's, not those of a folder");
    return around_.environment.uid == 0 ? std::string() : std::string(_("that takes root"));
  }

  // A record of what is absent would be empty, and one has to be there.
  std::string look(const std::string& wanted, const Activity& activity) override {
    const Names names = parse_names(wanted);
    Names before;
    for (const std::string& group : names.groups) {
      if (exists("group", group, activity))
        before.groups.insert(group);
    }
    for (const std::string& user : names.users) {
      if (exists("passwd", user, activity))
        before.users.insert(user);
    }
    return nlohmann::json{{"groups", before.groups}, {"users", before.users}}.dump();
  }

  void apply(const std::string& /*before*/,
             const std::string& wanted,
             const Activity& activity) override {
    const Names names = parse_names(wanted);
    for (const std::string& group : names.groups) {
      if (!exists("group", group, activity))
        run({"groupadd", "--system", group}, activity);
    }
    for (const std::string& user : names.users) {
      if (exists("passwd", user, activity))
        continue;
      std::vector<std::string> argv = {"useradd", "--system", "--no-create-home"};
      for (const char* word : {"--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"})
        argv.emplace_back(word);
      if (exists("group", user, activity))
        argv.insert(argv.end(), {"--gid", user});
      else
        argv.emplace_back("--user-group");
      argv.push_back(user);
      run(argv, activity);
    }
  }

  void undo_external(const std::string& before,
                     const std::string& wanted,
                     const std::vector<std::string>& wanted_by_others,
                     const Activity& activity) override {
    const Names old = parse_names(before);
    Names ours = parse_names(wanted);
    for (const std::string& other : wanted_by_others) {
      const Names needed = parse_names(other);
      std::erase_if(ours.groups, [&](const auto& name) { return needed.groups.contains(name); });
      std::erase_if(ours.users, [&](const auto& name) { return needed.users.contains(name); });
    }
    for (const std::string& user : ours.users) {
      if (!old.users.contains(user) && exists("passwd", user, activity))
        run({"userdel", user}, activity);
    }
    for (const std::string& group : ours.groups) {
      if (!old.groups.contains(group) && exists("group", group, activity))
        run({"groupdel", group}, activity);
    }
  }

  std::string inherited(const std::string& wanted, const std::string& needed_by) const override {
    const Names needs = parse_names(needed_by);
    Names shared = parse_names(wanted);
    std::erase_if(shared.groups, [&](const auto& name) { return !needs.groups.contains(name); });
    std::erase_if(shared.users, [&](const auto& name) { return !needs.users.contains(name); });
    return to_text(shared);
  }

  std::vector<std::string> verify_external(const std::string& wanted,
                                           const Activity& activity) override {
    const Names names = parse_names(wanted);
    std::vector<std::string> faults;
    for (const std::string& group : names.groups) {
      if (!exists("group", group, activity))
        faults.push_back(fmt::format(fmt::runtime(_("there is no group {}")), group));
    }
    for (const std::string& user : names.users) {
      if (!exists("passwd", user, activity))
        faults.push_back(fmt::format(fmt::runtime(_("there is no account {}")), user));
    }
    return faults;
  }

 private:
  platform::ProcessResult start(std::vector<std::string> argv, const Activity& activity) const {
    constexpr std::chrono::milliseconds kPatience{60000};
    platform::Command command;
    command.argv = std::move(argv);
    command.environment = around_.environment.variables;
    return around_.processes.run(command, activity, kPatience);
  }

  // getent(1): 0 when there is one, 2 when there is none.
  bool exists(const std::string& database,
              const std::string& name,
              const Activity& activity) const {
    return start({"getent", database, name}, activity).ok();
  }

  void run(const std::vector<std::string>& argv, const Activity& activity) const {
    const auto result = start(argv, activity);
    if (!result.ok())
      throw Error(ErrorKind::Io, _("a system account could not be changed"), argv.back())
          .cause(fmt::format("{}: {}", argv.front(), text::trim(result.err)));
    activity.info("source", text::join(argv, " "));
  }

  Surroundings around_;
};

}  // namespace

std::unique_ptr<SystemStep> make_accounts_step(Surroundings surroundings) {
  return std::make_unique<Accounts>(surroundings);
}

}  // namespace las::source
