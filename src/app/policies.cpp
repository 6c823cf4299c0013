// SPDX-License-Identifier: Apache-2.0
#include "las/app/policies.hpp"

#include "yaml_files.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

constexpr ByteSize kLargestPolicy = ByteSize::mib(4);

fs::path shipped_folder(Session& session) {
  return session.data_directory() / "policies";
}

fs::path site_folder(Session& session) {
  return session.layout().config / "policies.d";
}

void add_folder(Session& session,
                const fs::path& folder,
                policy::Layer layer,
                std::vector<policy::Document>& documents) {
  if (!session.files().exists(folder))
    return;
  for (const std::string& name : session.files().list_directory(folder)) {
    if (name.ends_with(".yaml"))
      documents.push_back({(folder / name).string(),
                           session.files().read_file(folder / name, kLargestPolicy),
                           layer});
  }
}

// Whether `given` is the document itself, or would stand in its place.
bool stands_for(const fs::path& given, const policy::Document& document) {
  std::error_code ignored;  // paths that cannot be compared are different
  return fs::equivalent(given, document.file, ignored) ||
         (document.layer == policy::Layer::Shipped &&
          given.filename() == fs::path(document.file).filename());
}

}  // namespace

std::vector<policy::Document> policy_documents(Session& session) {
  std::vector<policy::Document> documents;
  add_folder(session, shipped_folder(session), policy::Layer::Shipped, documents);
  add_folder(session, site_folder(session), policy::Layer::Site, documents);
  return documents;
}

std::vector<std::string> ruled_capabilities(Session& session) {
  std::set<std::string> names;
  for (const policy::Rule& rule : session.rules()) {
    names.insert(rule.allow_runtimes.begin(), rule.allow_runtimes.end());
    names.insert(rule.allow_features.begin(), rule.allow_features.end());
    names.insert(rule.deny.begin(), rule.deny.end());
  }
  return {names.begin(), names.end()};
}

void require_capability(Session& session, const std::string& name, const Activity& activity) {
  std::vector<std::string> names = ruled_capabilities(session);
  for (std::string& module : session.catalog(activity).names())
    names.push_back(std::move(module));
  if (std::find(names.begin(), names.end(), name) != names.end())
    return;
  const std::string nearest = nearest_name(name, names);
  throw Error(ErrorKind::NotFound, _("no policy and no module knows this name"), name)
      .hint(nearest.empty() ? _("see what policies decide about with: las policy show")
                            : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
}

PolicyTest test_policies(Session& session, const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  Diagnostics diagnostics;
  const policy::TestFile tests = policy::parse_test_file(
      session.files().read_file(file, kLargestPolicy),
      file,
      [&](const std::string& profile) {
        return hardware::from_json(session.files().read_file(folder / profile, kLargestPolicy));
      },
      diagnostics);
  diagnostics.throw_if_errors(_("the policy test has faults"));
  return {
      tests.machines.size(), tests.expectations.size(), policy::run_tests(tests, session.rules())};
}

std::vector<policy::Rule> check_documents(Session& session,
                                          std::vector<policy::Document> documents,
                                          Diagnostics& diagnostics) {
  std::vector<policy::Document> all;
  for (policy::Document& known : policy_documents(session)) {
    const auto given =
        std::find_if(documents.begin(), documents.end(), [&](const policy::Document& d) {
          return stands_for(d.file, known);
        });
    if (given == documents.end()) {
      all.push_back(std::move(known));
      continue;
    }
    all.push_back({given->file, std::move(given->text), known.layer});
    documents.erase(given);
  }
  for (policy::Document& document : documents)
    all.push_back(std::move(document));
  return policy::load_rules(all, diagnostics);
}

LintResult lint_policies(Session& session, const std::vector<std::string>& paths) {
  std::vector<policy::Document> documents;
  for (const fs::path& path : yaml_files(session.files(), {paths.begin(), paths.end()}))
    documents.push_back(
        {path.string(), session.files().read_file(path, kLargestPolicy), policy::Layer::Site});
  LintResult result;
  result.checked = paths.empty() ? policy_documents(session).size() : documents.size();
  const std::vector<policy::Rule> rules =
      check_documents(session, std::move(documents), result.diagnostics);
  // Faulty rules are left out, so tiers would seem to be missing.
  if (!result.diagnostics.has_errors())
    policy::check_tiers(rules, result.diagnostics);
  return result;
}

}  // namespace las::app
