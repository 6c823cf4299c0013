// SPDX-License-Identifier: Apache-2.0
#include "las/app/lint.hpp"

#include "las/base/i18n.hpp"
#include "las/document/node.hpp"

namespace las::app {

namespace fs = std::filesystem;

namespace {

void lint_file(Session& session, const fs::path& path, LintResult& result) {
  const std::string text = session.files().read_file(path, ByteSize::mib(4));
  Diagnostics ignored;  // the parser below reports the same faults with more knowledge
  const document::Node root = document::parse(text, path.string(), ignored);
  ++result.checked;
  if (root.is_map() && root["policies"].present())
    (void)policy::parse_rules(text, path.string(), result.diagnostics);
  else
    (void)catalog::parse_manifest(text, path.string(), result.diagnostics);
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
  for (const fs::path& root : roots) {
    const auto status = session.files().status(root);
    if (!status)
      throw Error(ErrorKind::NotFound, _("no such file or folder"), root.string());
    if (status->kind != platform::FileKind::Directory) {
      lint_file(session, root, result);
      continue;
    }
    platform::walk(
        session.files(), root, [&](const fs::path& path, const platform::FileStatus& entry) {
          if (entry.kind == platform::FileKind::Regular && path.extension() == ".yaml")
            lint_file(session, root / path, result);
        });
  }
  return result;
}

}  // namespace las::app
