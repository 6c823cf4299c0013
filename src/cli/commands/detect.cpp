// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include "las/app/inspect.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::cli {

using nlohmann::ordered_json;

namespace {

template <typename T, typename Show>
std::string show(const hardware::Fact<T>& fact, Show&& text) {
  return fact.is_known() ? text(*fact.value)
                         : fmt::format(fmt::runtime(_("unknown ({})")), fact.unknown);
}

std::string show(const hardware::Fact<std::string>& fact) {
  return show(fact, [](const std::string& value) { return value; });
}

std::string show(const hardware::Fact<int>& fact) {
  return show(fact, [](int value) { return std::to_string(value); });
}

std::string show(const hardware::Fact<ByteSize>& fact) {
  return show(fact, [](ByteSize value) { return value.to_string(); });
}

std::string show(const hardware::Fact<Version>& fact) {
  return show(fact, [](const Version& value) { return value.text(); });
}

void row(Context& context, const std::string& name, const std::string& value) {
  context.out << "  " << name << std::string(name.size() < 10 ? 10 - name.size() : 1, ' ') << value
              << "\n";
}

void print_gpus(Context& context, const hardware::HardwareProfile& profile) {
  if (!profile.gpus.is_known()) {
    row(context, _("GPU"), show(profile.gpus, [](const auto&) { return std::string(); }));
    return;
  }
  if (profile.gpus.value->empty())
    row(context, _("GPU"), _("none"));
  for (const hardware::Gpu& gpu : *profile.gpus.value) {
    std::string text = show(gpu.name) + ", VRAM " + show(gpu.vram);
    if (gpu.compute_capability.is_known())
      text += ", compute capability " + gpu.compute_capability.value->text();
    if (gpu.gfx_target.is_known())
      text += ", " + *gpu.gfx_target.value;
    if (gpu.kernel_driver.is_known())
      text += fmt::format(fmt::runtime(_(", driver {}")), *gpu.kernel_driver.value);
    row(context, _("GPU"), text);
  }
}

void print_text(Context& context, const app::DetectResult& result) {
  const hardware::HardwareProfile& profile = result.profile;
  context.out << context.bold(_("This machine")) << "\n";
  row(context,
      _("System"),
      fmt::format("{}, Linux {}, glibc {}, {}",
                  show(profile.os.pretty_name),
                  show(profile.os.kernel),
                  show(profile.os.glibc),
                  show(profile.os.virtualization)));
  row(context,
      _("CPU"),
      fmt::format(fmt::runtime(_("{}, {} cores, {} threads ({} usable)")),
                  show(profile.cpu.model),
                  show(profile.cpu.cores),
                  show(profile.cpu.threads),
                  show(profile.cpu.usable_threads)));
  row(context,
      _("Memory"),
      fmt::format(fmt::runtime(_("{} usable, {} free now")),
                  show(profile.memory.effective),
                  show(profile.memory.available)));
  print_gpus(context, profile);
  for (const hardware::Storage& storage : profile.storage)
    row(context,
        _("Disk"),
        fmt::format(fmt::runtime(_("{} free for {} ({})")),
                    show(storage.free),
                    storage.purpose,
                    show(storage.path)));
  row(context, "systemd", show(profile.tools.systemd_running, [&](bool running) {
        return running ? _("running")
                       : _("not running: services run under the process supervisor of las");
      }));

  const policy::Verdict& verdict = result.verdict;
  context.out << "\n" << context.bold(_("What it can carry")) << "\n";
  row(context,
      _("Tier"),
      verdict.tier + (verdict.tier_description.empty() ? "" : ": " + verdict.tier_description));
  row(context,
      _("Models"),
      verdict.max_model_billions
          ? fmt::format(fmt::runtime(_("up to about {:g} billion parameters (4-bit)")),
                        *verdict.max_model_billions)
          : _("no limit known from the policies"));
  context.out << "\n" << context.bold(_("Engines")) << "\n";
  for (const app::EngineFit& engine : result.engines) {
    context.out << "  "
                << (engine.usable ? context.paint(_("yes"), 32) : context.paint(_("no "), 31))
                << "  " << engine.name;
    if (engine.usable)
      context.out << " " << engine.version << " (" << engine.variant << ")";
    context.out << "\n";
    if (!engine.why.empty())
      context.out << context.dim("       " + engine.why) << "\n";
  }
}

int run_detect(Context& context, const std::string& save) {
  const app::DetectResult result = app::detect(context.session, context.activity);
  const std::string profile = hardware::to_json(result.profile);
  if (!save.empty()) {
    context.session.files().replace_file(std::filesystem::absolute(save), profile + "\n");
    if (context.options.json)
      context.print_json({{"success", true}, {"file", save}});
    else
      context.note(fmt::format(fmt::runtime(_("Saved to {}.")), save));
    return 0;
  }
  if (!context.options.json) {
    print_text(context, result);
    return 0;
  }
  ordered_json engines = ordered_json::array();
  for (const app::EngineFit& engine : result.engines)
    engines.push_back({{"name", engine.name},
                       {"usable", engine.usable},
                       {"version", engine.version},
                       {"variant", engine.variant},
                       {"why", engine.why}});
  context.print_json(
      {{"profile", ordered_json::parse(profile)},
       {"verdict",
        {{"tier", result.verdict.tier},
         {"description", result.verdict.tier_description},
         {"max_model_billions",
          result.verdict.max_model_billions ? ordered_json(*result.verdict.max_model_billions)
                                            : ordered_json(nullptr)},
         {"rules", result.verdict.matched_rules}}},
       {"engines", std::move(engines)}});
  return 0;
}

}  // namespace

Run setup_detect(CLI::App& app) {
  auto save = std::make_shared<std::string>();
  app.add_option("--save", *save, _("write the profile to a file, for --hardware"))
      ->type_name(kind::kFile);
  return [save](Context& context) { return run_detect(context, *save); };
}

}  // namespace las::cli
