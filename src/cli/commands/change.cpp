// SPDX-License-Identifier: Apache-2.0
// install, remove, upgrade.
#include "command.hpp"
#include "render.hpp"

#include "las/app/install.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

namespace {

int run_change(Context& context, const app::ChangeRequest& request) {
  const app::PreparedPlan prepared =
      app::prepare_change(context.session, request, context.activity);
  return show_and_execute(context, prepared, _("Done."));
}

}  // namespace

Run setup_install(CLI::App& app) {
  auto request = std::make_shared<app::ChangeRequest>();
  app.add_option("names", request->install, _("modules, each NAME, NAME=VERSION or NAME@RANGE"))
      ->required()
      ->type_name(kind::kModule);
  app.add_option("--variant", request->variant, _("this accelerator build, not the best one"))
      ->type_name("VARIANT");
  app.add_option("--mode", request->mode, _("native or container"))
      ->check(CLI::IsMember({"native", "container"}))
      ->type_name("MODE");
  app.add_flag("--reinstall", request->reinstall, _("get it anew even if it is installed"));
  return [request](Context& context) { return run_change(context, *request); };
}

Run setup_remove(CLI::App& app) {
  auto request = std::make_shared<app::ChangeRequest>();
  app.add_option("names", request->remove, _("installed modules"))
      ->required()
      ->type_name(kind::kInstalled);
  return [request](Context& context) { return run_change(context, *request); };
}

Run setup_upgrade(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("names", *names, _("installed modules; none: all"))->type_name(kind::kInstalled);
  return [names](Context& context) {
    app::ChangeRequest request;
    request.upgrade = *names;
    request.upgrade_all = names->empty();
    return run_change(context, request);
  };
}

}  // namespace las::cli
