// SPDX-License-Identifier: Apache-2.0
#include "las/app/lint.hpp"

#include "yaml_files.hpp"

#include "las/app/policies.hpp"
#include "las/base/i18n.hpp"
#include "las/catalog/companions.hpp"
#include "las/document/node.hpp"

namespace las::app {

namespace fs = std::filesystem;

namespace {

void lint_file(Session& session,
               const fs::path& path,
               std::vector<policy::Document>& policies,
               LintResult& result) {
  std::string text;
  try {
    text = session.files().read_file(path, ByteSize::mib(4));
  } catch (const Error& error) {  // the faults of the others are told all the same
    ++result.checked;
    result.diagnostics.add({Severity::Error, path.string(), 0, 0, {}, error.what(), {}});
    return;
  }
  Diagnostics ignored;  // the parser below reports the same faults with more knowledge
  const document::Node root = document::parse(text, path.string(), ignored);
  ++result.checked;
  if (root.is_map() && root["policies"].present())
    policies.push_back({path.string(), text, policy::Layer::Site});
  else if (auto manifest = catalog::parse_manifest(text, path.string(), result.diagnostics)) {
    manifest->directory = path.parent_path().string();
    catalog::read_companions(session.files(), path.string(), *manifest, result.diagnostics);
  }
}

}  // namespace

LintResult lint(Session& session, const std::vector<std::string>& paths) {
  std::vector<fs::path> roots(paths.begin(), paths.end());
  if (roots.empty())
    for (const fs::path& folder : {session.data_directory() / "manifests",
                                   session.data_directory() / "policies",
                                   session.layout().config / "manifests.d",
                                   session.layout().config / "policies.d"}) {
      if (session.files().exists(folder))
        roots.push_back(folder);
    }
  LintResult result;
  std::vector<policy::Document> policies;
  for (const fs::path& path : yaml_files(session.files(), roots))
    lint_file(session, path, policies, result);
  if (!policies.empty())
    (void)check_documents(session, std::move(policies), result.diagnostics);
  return result;
}

}  // namespace las::app
