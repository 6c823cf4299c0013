// SPDX-License-Identifier: Apache-2.0
#include "las/app/apply.hpp"

#include "apply_parts.hpp"

#include "las/app/lock.hpp"
#include "las/app/services.hpp"
#include "las/app/verify.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::app {

namespace {

constexpr ByteSize kLargestDocument = ByteSize::mib(4);

lockfile::Document read_document(Session& session, const std::string& file) {
  std::error_code ignored;
  const auto given = std::filesystem::absolute(file);
  if (std::filesystem::is_directory(given, ignored))
    throw Error(ErrorKind::Usage, _("this is a folder"), file).hint(_("name a file in it"));
  Diagnostics diagnostics;
  lockfile::Document document =
      lockfile::parse(session.files().read_file(given, kLargestDocument), file, diagnostics);
  diagnostics.throw_if_errors(_("the file does not say what a machine should be"));
  return document;
}

// The builds of a lock were chosen for a machine; another must meet what they need.
void check_machine(Session& session, const lockfile::Machine& machine, const Activity& activity) {
  catalog::HardwareNeeds needs;
  needs.architectures = {machine.architecture};
  if (!machine.gpu_vendor.empty())
    needs.gpu_vendor = machine.gpu_vendor;
  needs.compute_capability_min = machine.compute_capability_min;
  needs.driver_min = machine.driver_min;
  needs.cuda_min = machine.cuda_min;
  needs.glibc_min = machine.glibc_min;
  needs.vram_min = machine.vram_min;
  needs.cpu_features = machine.cpu_features;
  const std::vector<std::string> unmet = resolve::unmet_needs(needs, session.profile(activity));
  if (!unmet.empty())
    throw Error(ErrorKind::Unsatisfiable,
                _("the lock was made for another machine"),
                text::join(unmet, "; "))
        .hint(_("make a lock on a machine of this kind, or write a las.yaml with what you wish "
                "for: then las chooses the builds"));
}

// What a failed apply says of the steps before.
std::string done_so_far(const PreparedApply& prepared, const Applied& applied) {
  std::vector<std::string> done;
  for (const ModelImport& model : prepared.imports)
    done.push_back(fmt::format(fmt::runtime(_("model {} was taken in")), model.name));
  if (applied.transaction)
    done.push_back(fmt::format(fmt::runtime(_("modules and services are those of generation {}")),
                               applied.transaction->generation_after));
  return done.empty() ? _("nothing was changed before")
                      : fmt::format(fmt::runtime(_("{}; the same command goes on from there")),
                                    text::join(done, "; "));
}

void change_runs(Session& session, const PreparedApply& prepared, const Activity& activity) {
  if (!prepared.stop.empty())
    stop_services(session, {prepared.stop}, activity);
  if (!prepared.start.empty())
    start_services(session, {prepared.start}, WaitFor::Health, activity);
}

}  // namespace

bool PreparedApply::empty() const {
  return plan.plan.empty() && !plan.only_world_changes && imports.empty() && start.empty() &&
         stop.empty() && forget.empty();
}

Comparison compare(Session& session, const ApplyRequest& request, const Activity& activity) {
  Comparison comparison;
  comparison.wanted = read_document(session, request.file);
  if (comparison.wanted.kind == lockfile::Document::Kind::Lock)
    check_machine(session, comparison.wanted.machine, activity);
  comparison.differences = lockfile::difference(
      comparison.wanted, make_lock(session, ServiceState::AsFound, activity), request.prune);
  return comparison;
}

PreparedApply prepare_apply(Session& session,
                            const ApplyRequest& request,
                            const Activity& activity) {
  PreparedApply prepared;
  prepared.comparison = compare(session, request, activity);
  const state::Generation present = current_generation(session);
  prepared.plan.base_generation = present.number;
  if (!lockfile::has_drift(prepared.comparison.differences))
    return prepared;

  const lockfile::Document& wanted = prepared.comparison.wanted;
  std::vector<std::string> modules_after;
  prepared.plan = plan_modules(session, request, wanted, present, modules_after, activity);
  prepared.imports = find_models(session, request, wanted, activity);
  plan_services(session, request, present, modules_after, prepared, activity);
  if (request.prune == lockfile::Prune::Yes) {
    for (const state::ModelRecord& model : models(session)) {
      if (wanted.find_model(model.name) == nullptr)
        prepared.forget.push_back(model.name);
    }
  }
  describe_plan(session, prepared.plan, activity);
  const plan::Plan& plan = prepared.plan.plan;
  prepared.plan.only_world_changes =
      plan.empty() &&
      (plan.world != present.world || !plan.reasons.empty() || !plan.requirements.empty());
  return prepared;
}

Applied apply(Session& session,
              const ApplyRequest& request,
              const PreparedApply& prepared,
              const Activity& activity) {
  writer_that_looks(session, activity);
  check_base(session, prepared.plan.base_generation);
  Applied applied;
  // A failure in here leaves what came before; the models' own failure says it itself.
  if (!prepared.imports.empty())
    import_models(session, prepared.imports, activity);
  with_context([&] { return done_so_far(prepared, applied); },
               [&] {
                 if (!prepared.plan.plan.empty() || prepared.plan.only_world_changes)
                   applied.transaction = execute(session, prepared.plan, activity);
                 change_runs(session, prepared, activity);
                 for (const std::string& model : prepared.forget)
                   remove_model(session, model, activity);
               });
  applied.remaining = compare(session, request, activity).differences;
  return applied;
}

}  // namespace las::app
