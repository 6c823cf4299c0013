// SPDX-License-Identifier: Apache-2.0
// registry build, verify, keygen.
#include "las/app/registry_author.hpp"

#include "checks.hpp"
#include "command.hpp"
#include "render.hpp"

#include "las/app/registries.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

ordered_json head_json(const registry::Head& head) {
  return {{"registry", head.registry},
          {"version", head.version},
          {"created", head.created},
          {"expires", head.expires},
          {"packages", head.packages()}};
}

int run_build(Context& context, const app::RegistryBuildRequest& request) {
  const bool dry_run = context.options.dry_run;
  const registry::Built built = app::build_registry(context.session, request, dry_run);
  const std::string what = fmt::format(fmt::runtime(_("version {} of {}: {} modules, expires {}")),
                                       built.head.version,
                                       built.head.registry,
                                       built.head.packages(),
                                       built.head.expires);
  if (dry_run) {
    return context.would_change(fmt::format(fmt::runtime(_("Would write {}.")), what));
  }
  if (context.options.json) {
    context.print_json({{"success", true},
                        {"changed", true},
                        {"tree", request.tree},
                        {"head", head_json(built.head)},
                        {"key_changed", built.key_changed},
                        {"files_written", built.files_written},
                        {"files_removed", built.files_removed}});
    return 0;
  }
  context.note(fmt::format(fmt::runtime(_("Wrote {}.")), what));
  if (built.key_changed)
    context.activity.warn(
        "registry",
        fmt::format(fmt::runtime(_("the version before was signed with another key: every user has "
                                   "to run las registry trust {} --key KEY")),
                    built.head.registry));
  return 0;
}

int show_faults(Context& context,
                const std::string& subject,
                const std::vector<std::string>& faults,
                ordered_json json) {
  if (context.options.json) {
    json["success"] = faults.empty();
    json["faults"] = strings_json(faults);
    context.print_json(std::move(json));
  } else if (faults.empty()) {
    context.note(fmt::format(fmt::runtime(_("{} is what its signed index says.")), subject));
  } else {
    for (const std::string& fault : faults)
      context.out << shown(fault) << "\n";
  }
  return faults.empty() ? 0 : 6;
}

int run_verify(Context& context, const std::string& subject, const std::string& key) {
  const auto records = app::remote_registries(context.session);
  const bool is_name = std::any_of(
      records.begin(), records.end(), [&](const auto& record) { return record.name == subject; });
  if (is_name && key.empty()) {
    const std::vector<std::string> faults = app::verify_registry_copy(context.session, subject);
    const int status = show_faults(context, subject, faults, {{"registry", subject}});
    if (status != 0)
      context.note(fmt::format(fmt::runtime(_("Mend it with: las update --again {}")), subject));
    return status;
  }
  if (!context.session.files().exists(subject)) {
    std::vector<std::string> names;
    for (const state::RegistryRecord& record : records)
      names.push_back(record.name);
    const std::string nearest = nearest_name(subject, names);
    throw Error(ErrorKind::NotFound, _("neither a registry that was added nor a folder"), subject)
        .hint(nearest.empty() ? _("see them with: las registry list")
                              : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  }
  if (key.empty())
    throw Error(ErrorKind::Usage, _("a tree is verified with its public key"), subject)
        .hint(fmt::format("las registry verify {} --key KEY", subject));
  const registry::TreeReport report = app::verify_registry_tree(context.session, subject, key);
  return show_faults(
      context, subject, report.faults, {{"tree", subject}, {"head", head_json(report.head)}});
}

int run_keygen(Context& context, const std::string& file) {
  const bool dry_run = context.options.dry_run;
  const app::NewKey made = app::make_registry_key(context.session, file, dry_run);
  if (dry_run) {
    return context.would_change(fmt::format(fmt::runtime(_("Would write {} and {}.")),
                                            made.secret_file.string(),
                                            made.public_file.string()));
  }
  const std::string line = registry::key_line(made.key);
  if (context.options.json) {
    context.print_json({{"success", true},
                        {"changed", true},
                        {"secret_file", made.secret_file.string()},
                        {"public_file", made.public_file.string()},
                        {"key_id", registry::to_string(made.key.id)},
                        {"public_key", line}});
    return 0;
  }
  context.out << line << "\n";
  context.note(fmt::format(fmt::runtime(_("{} is the secret: it has no passphrase. Users get {} or "
                                          "the line above.")),
                           made.secret_file.string(),
                           made.public_file.string()));
  return 0;
}

}  // namespace

Run setup_registry_build(CLI::App& app) {
  constexpr long long kMostDays = 3650;
  auto request = std::make_shared<app::RegistryBuildRequest>();
  auto version = std::make_shared<std::string>();
  app.add_option("dir", request->manifests, _("NAME.yaml files, or NAME/manifest.yaml"))
      ->required()
      ->type_name(kind::kDirectory);
  app.add_option("--key", request->key_file, _("secret key, of las or minisign"))
      ->required()
      ->type_name(kind::kFile);
  app.add_option("--out", request->tree, _("folder of the tree; made if it is not there"))
      ->required()
      ->type_name(kind::kDirectory);
  app.add_option("--name", request->name, _("of a new registry"))->type_name("NAME");
  app.add_option("--expires", request->days, _("days until users refuse it (90)"))
      ->check(whole_number(1, kMostDays))
      ->type_name("DAYS");
  app.add_option("--set-version", *version, _("instead of the next one"))
      ->check(whole_number(1, 1'000'000'000'000))
      ->type_name("NUMBER");
  app.add_option("--passphrase-file",
                 request->passphrase_file,
                 _("its first line opens the key (else LAS_KEY_PASSPHRASE)"))
      ->type_name(kind::kFile);
  return [request, version](Context& context) {
    if (!version->empty())
      request->version = std::stoull(*version);
    return run_build(context, *request);
  };
}

Run setup_registry_verify(CLI::App& app) {
  auto subject = std::make_shared<std::string>();
  auto key = std::make_shared<std::string>();
  app.add_option("registry", *subject, _("a registry that was added, or the folder of a tree"))
      ->required()
      ->type_name(kind::kRegistry);
  app.add_option("--key", *key, _("public key of a tree: minisign's line, or a .pub file"))
      ->type_name(kind::kFile);
  return [subject, key](Context& context) { return run_verify(context, *subject, *key); };
}

Run setup_registry_keygen(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.add_option("file", *file, _("secret key to write; must not be there"))
      ->required()
      ->type_name(kind::kFile);
  return [file](Context& context) { return run_keygen(context, *file); };
}

}  // namespace las::cli
