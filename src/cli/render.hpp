// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command.hpp"

#include "las/app/install.hpp"
#include "las/app/lint.hpp"
#include "las/app/services.hpp"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace las::cli {

/// Rows padded to the width of their column. Every cell is made safe to show and bounded.
std::string render_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows);

/// The plan as a person reads it before answering, and as data.
std::string render_plan(const app::PreparedPlan& prepared, const Context& context);
nlohmann::ordered_json plan_json(const app::PreparedPlan& prepared);

/// How installed modules stand against the catalog, as data.
nlohmann::ordered_json standings_json(const std::vector<resolve::Standing>& standings);
nlohmann::ordered_json reasons_json(const std::vector<resolve::Explanation::Reason>& reasons);

/// Says why a request cannot be met, one reason a line, or as data; the exit status.
int refuse(Context& context, const resolve::Explanation& explanation);

nlohmann::ordered_json service_json(const app::ServiceView& view, const GlobalOptions& options);
nlohmann::ordered_json services_json(const std::vector<app::ServiceView>& views,
                                     const GlobalOptions& options);
/// What earlier looks found; null where there was none.
nlohmann::ordered_json health_json(const std::optional<state::HealthRecord>& record);
void print_services(Context& context, const std::vector<app::ServiceView>& views);
nlohmann::ordered_json strings_json(const std::vector<std::string>& items);

/// The faults of documents, as text or JSON; the exit status.
int show_lint(Context& context, const app::LintResult& result);

/// Shows the plan, asks, runs it. The whole course of every command that changes something:
/// --dry-run stops after showing, nothing to do says so, and the exit status is what run() returns.
int show_and_execute(Context& context, const app::PreparedPlan& prepared, const std::string& done);

}  // namespace las::cli
