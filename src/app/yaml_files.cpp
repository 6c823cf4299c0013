// SPDX-License-Identifier: Apache-2.0
#include "yaml_files.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <cerrno>

namespace las::app {

namespace fs = std::filesystem;

std::vector<fs::path> yaml_files(const platform::FileReader& files,
                                 const std::vector<fs::path>& paths) {
  std::vector<fs::path> found;
  for (const fs::path& root : paths) {
    const auto status = files.status(root);
    if (!status)
      throw system_error(ENOENT, _("cannot check the file or folder"), root.string());
    if (status->kind != platform::FileKind::Directory) {
      found.push_back(root);
      continue;
    }
    platform::walk(files, root, [&](const fs::path& path, const platform::FileStatus& entry) {
      if (entry.kind == platform::FileKind::Regular && path.extension() == ".yaml")
        found.push_back(root / path);
    });
  }
  return found;
}

}  // namespace las::app
