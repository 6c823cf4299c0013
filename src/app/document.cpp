// SPDX-License-Identifier: Apache-2.0
#include "las/app/document.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <system_error>

namespace las::app {

void write_document(Session& session, const std::filesystem::path& file, std::string_view content) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path given = fs::absolute(file);
  const fs::file_status status = fs::status(given, ignored);
  if (fs::is_directory(status))
    throw Error(ErrorKind::Usage, _("this is a folder"), file.string())
        .hint(_("name a file in it"));
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw Error(ErrorKind::Usage, _("not a regular file"), file.string())
        .hint(_("name a file that may be replaced; --json prints to standard output"));
  session.files().replace_file(fs::exists(status) ? fs::canonical(given) : given, content);
}

}  // namespace las::app
