// SPDX-License-Identifier: Apache-2.0
#include "las/app/inspect.hpp"

#include "las/resolve/resolve.hpp"

namespace las::app {

DetectResult detect(Session& session, const Activity& activity) {
  const policy::Verdict& verdict = session.verdict(activity);
  DetectResult result{session.profile(activity), verdict, {}};
  const state::Generation nothing;
  for (const catalog::Brief& module : session.catalog(activity).briefs()) {
    if (!module.serves_models && module.category != catalog::Category::Runtime)
      continue;
    resolve::Request request;
    request.install.push_back(resolve::parse_wish(module.name));
    const resolve::Outcome outcome = resolve::resolve(
        request, {session.catalog(activity), result.profile, result.verdict, nothing});
    EngineFit fit;
    fit.name = std::string(module.name);
    if (outcome.resolution) {
      for (const resolve::Choice& choice : outcome.resolution->choices) {
        if (choice.name != module.name)
          continue;
        fit.usable = true;
        fit.version = choice.version.text();
        fit.variant = choice.variant_name;
        fit.why = choice.why;
      }
    } else {
      for (const resolve::Explanation::Reason& reason : outcome.explanation->reasons)
        fit.why += (fit.why.empty() ? "" : "; ") + reason.text;
    }
    result.engines.push_back(std::move(fit));
  }
  return result;
}

}  // namespace las::app
