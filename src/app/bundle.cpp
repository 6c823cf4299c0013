// SPDX-License-Identifier: Apache-2.0
#include "las/app/doctor.hpp"
#include "las/app/verify.hpp"
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/hardware/profile.hpp"
#include "las/service/unit.hpp"
#include "las/source/tar.hpp"
#include "las/state/records.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::app {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

namespace {

constexpr std::size_t kOperations = 20;
constexpr std::size_t kLogLines = 500;

std::string pretty(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string checks_text(Session& session, const Activity& activity) {
  ordered_json all = ordered_json::array();
  for (const Check& check : doctor(session, activity))
    all.push_back({{"id", check.id},
                   {"outcome", std::string(to_string(check.outcome))},
                   {"subject", check.subject},
                   {"evidence", check.evidence},
                   {"mend", check.mend}});
  return pretty(all);
}

std::string findings_text(Session& session, const Activity& activity) {
  ordered_json all = ordered_json::array();
  for (const Finding& finding : verify(session, {}, Depth::Full, activity))
    all.push_back({{"id", finding.id},
                   {"subject", finding.subject},
                   {"evidence", finding.evidence},
                   {"mend", finding.mend}});
  return pretty(all);
}

std::string operations_text(Session& session) {
  std::vector<state::OperationRecord> operations;
  session.store().read(
      [&](const state::ReadTransaction& state) { operations = state.operations(); });
  std::string text;
  const std::size_t first = operations.size() > kOperations ? operations.size() - kOperations : 0;
  for (std::size_t i = first; i < operations.size(); ++i) {
    const state::OperationRecord& operation = operations[i];
    text += fmt::format("{} {} {} -> {}: {}\n",
                        operation.id,
                        operation.outcome,
                        operation.generation_before,
                        operation.generation_after,
                        operation.command);
    for (const std::string& change : operation.changes)
      text += "    " + change + "\n";
    if (!operation.error.empty())
      text += "    " + operation.error + "\n";
  }
  return text;
}

std::string last_lines(const std::string& text, std::size_t count) {
  const std::vector<std::string> lines = text::lines(text);
  const std::size_t first = lines.size() > count ? lines.size() - count : 0;
  return text::join({lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end()}, "\n") + "\n";
}

}  // namespace

std::size_t write_bundle(Session& session, const fs::path& file, const Activity& activity) {
  if (session.files().exists(file))
    throw Error(ErrorKind::Io, _("this file is there already"), file.string())
        .hint(_("choose another name"));
  std::vector<source::TarEntry> entries;
  // What fails is said in the place of what it would have told: a bug report is made when things
  // are broken.
  const auto add = [&](const std::string& name, const auto& make) {
    std::string text;
    try {
      text = make();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Interrupted)
        throw;
      text = std::string("could not be had: ") + error.what() + "\n";
    }
    entries.push_back({source::TarEntry::Kind::File,
                       "las-report/" + name,
                       redact(std::move(text), session.environment())});
  };
  add("version.txt", [&] { return version() + "\n"; });
  add("doctor.json", [&] { return checks_text(session, activity); });
  add("verify.json", [&] { return findings_text(session, activity); });
  add("hardware.json", [&] { return hardware::to_json(session.profile(activity)) + "\n"; });
  add("operations.txt", [&] { return operations_text(session); });
  add("config.yaml", [&] {
    return session.files().try_read(session.layout().config / "config.yaml").value_or("") + "\n";
  });
  add("las.log", [&] {
    return last_lines(session.files().try_read(session.layout().logs / "las.log").value_or(""),
                      kLogLines);
  });
  std::vector<std::string> units;
  add("units.txt", [&] {
    units = session.supervisor().installed();
    return text::join(units, "\n") + "\n";
  });
  for (const std::string& id : units)
    add("units/" + service::unit_name(id), [&] {
      return session.files()
                 .try_read(session.layout().units / service::unit_name(id))
                 .value_or("") +
             "\n";
    });
  const auto writer = session.files().create_file(file, 0600);
  writer->write(std::span<const char>(source::make_tar(entries, source::compression_of(file))));
  writer->sync();
  writer->close();
  return entries.size();
}

}  // namespace las::app
