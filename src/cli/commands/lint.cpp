// SPDX-License-Identifier: Apache-2.0
#include "las/app/lint.hpp"

#include "command.hpp"
#include "render.hpp"

#include "las/base/i18n.hpp"

namespace las::cli {

Run setup_lint(CLI::App& app) {
  auto paths = std::make_shared<std::vector<std::string>>();
  app.add_option("paths", *paths, _("files or folders; none: what las ships"))
      ->type_name(kind::kFile);
  return
      [paths](Context& context) { return show_lint(context, app::lint(context.session, *paths)); };
}

}  // namespace las::cli
