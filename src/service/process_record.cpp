// SPDX-License-Identifier: Apache-2.0
#include "process_record.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <nlohmann/json.hpp>

namespace las::service {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

std::string encode(const ProcessRecord& record) {
  json object = {{"format", kFormat},
                 {"id", record.id},
                 {"stop_signal", record.stop_signal},
                 {"stop_timeout_s", record.stop_timeout_s},
                 {"starting", record.starting},
                 {"process", nullptr},
                 {"boot_id", record.boot_id},
                 {"started_at", record.started_at}};
  if (record.process)
    object["process"] = {{"pid", record.process->pid}, {"start_time", record.process->start_time}};
  return object.dump(2) + "\n";
}

ProcessRecord decode(const std::string& text) {
  const json object = json::parse(text);
  if (object.at("format").get<int>() != kFormat)
    throw Error(ErrorKind::CorruptState, _("a service's process record has an unknown format"));
  ProcessRecord record;
  object.at("id").get_to(record.id);
  object.at("stop_signal").get_to(record.stop_signal);
  object.at("stop_timeout_s").get_to(record.stop_timeout_s);
  object.at("starting").get_to(record.starting);
  object.at("boot_id").get_to(record.boot_id);
  object.at("started_at").get_to(record.started_at);
  if (const json& process = object.at("process"); !process.is_null())
    record.process = platform::ProcessIdentity{process.at("pid").get<pid_t>(),
                                               process.at("start_time").get<std::uint64_t>()};
  return record;
}

}  // namespace

platform::fs::path ProcessRecords::path(const std::string& id) const {
  if (!text::is_name(id))
    throw Error(ErrorKind::InvalidData, _("not a name for a service"), id);
  return folder_ / (id + ".json");
}

std::optional<ProcessRecord> ProcessRecords::find(const std::string& id) const {
  const auto file = path(id);
  if (!files_.exists(file))
    return std::nullopt;
  try {
    return decode(files_.read_file(file));
  } catch (const json::exception& fault) {
    throw Error(ErrorKind::CorruptState, _("a service's process record is damaged"), file.string())
        .cause(fault.what())
        .hint(_("stop the service's process by hand, then remove the record"));
  }
}

std::vector<std::string> ProcessRecords::ids() const {
  std::vector<std::string> ids;
  if (!files_.exists(folder_))
    return ids;
  constexpr std::string_view kSuffix = ".json";
  for (const std::string& name : files_.list_directory(folder_)) {
    const std::string id = name.substr(0, name.size() - std::min(name.size(), kSuffix.size()));
    if (name.ends_with(kSuffix) && text::is_name(id))
      ids.push_back(id);
  }
  return ids;
}

void ProcessRecords::save(const ProcessRecord& record) {
  const auto file = path(record.id);
  const std::string text = encode(record);
  if (files_.exists(file) && files_.read_file(file) == text)
    return;
  files_.make_directories(folder_, 0755);
  files_.replace_file(file, text, 0644);
}

}  // namespace las::service
