// SPDX-License-Identifier: Apache-2.0
#include "las/app/lint.hpp"

#include "command.hpp"
#include "render.hpp"

#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

int run_lint(Context& context, const std::vector<std::string>& paths) {
  const app::LintResult result = app::lint(context.session, paths);
  if (context.options.json) {
    ordered_json all = ordered_json::array();
    for (const Diagnostic& item : result.diagnostics.items())
      all.push_back({{"severity", std::string(to_string(item.severity))},
                     {"file", item.file},
                     {"line", item.line},
                     {"column", item.column},
                     {"key", item.key_path},
                     {"message", item.message},
                     {"suggestion", item.suggestion}});
    context.print_json({{"checked", result.checked}, {"diagnostics", std::move(all)}});
  } else {
    for (const Diagnostic& item : result.diagnostics.items())
      context.out << item.to_string() << "\n";
    context.note(fmt::format(
        fmt::runtime(LAS_N(
            "{} document checked, {} faults.", "{} documents checked, {} faults.", result.checked)),
        result.checked,
        result.diagnostics.items().size()));
  }
  return result.diagnostics.has_errors() ? 1 : 0;
}

}  // namespace

Run setup_lint(CLI::App& app) {
  auto paths = std::make_shared<std::vector<std::string>>();
  app.add_option("paths", *paths, _("files or folders; none: what las ships"))
      ->type_name(kind::kFile);
  return [paths](Context& context) { return run_lint(context, *paths); };
}

}  // namespace las::cli
