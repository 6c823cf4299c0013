// SPDX-License-Identifier: Apache-2.0
// Kernel parameters that a module needs at least. Records: {"vm.max_map_count": "262144"}.
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/source/source.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::source {

namespace fs = std::filesystem;

namespace {

using Values = std::map<std::string, std::string>;

// sysctl.d(5): read at every boot.
constexpr const char* kFile = "/etc/sysctl.d/60-las.conf";
constexpr const char* kHead =
    "# Made by las, which takes a line away with the last module that needs it.\n";

Values parse_values(const std::string& record) {
  try {
    return record.empty() ? Values{} : nlohmann::json::parse(record).get<Values>();
  } catch (const nlohmann::json::exception& fault) {
    throw Error(ErrorKind::CorruptState, _("a record of kernel parameters is damaged"))
        .cause(fault.what());
  }
}

std::string to_text(const Values& values) {
  return values.empty() ? std::string() : nlohmann::json(values).dump();
}

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

bool is_enough(const std::string& now, const std::string& wanted) {
  const auto have = number(now), need = number(wanted);
  return have && need && *have >= *need;
}

// Dots of the name are slashes of the path; sysctl.d(5).
fs::path place_of(const std::string& name) {
  std::string path = name;
  std::replace(path.begin(), path.end(), '.', '/');
  return fs::path("/proc/sys") / path;
}

class Sysctl final : public SystemStep {
 public:
  explicit Sysctl(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "sysctl"; }

  std::string wanted(const catalog::SystemChanges& changes) const override {
    return to_text(changes.sysctl);
  }

  std::string unavailable() const override {
    if (around_.layout.root != "/")
      return _("kernel parameters are the whole machine's, not those of a folder");
    return around_.environment.uid == 0 ? std::string() : std::string(_("that takes root"));
  }

  std::string look(const std::string& wanted, const Activity&) override {
    Values before;
    for (const auto& [name, value] : parse_values(wanted)) {
      const auto now = around_.files.try_read(place_of(name));
      if (!now)
        throw Error(ErrorKind::Unsatisfiable, _("this kernel has no such parameter"), name);
      if (!number(*now))
        throw Error(ErrorKind::Unsatisfiable, _("this kernel parameter is no number"), name);
      before[name] = *now;
    }
    return to_text(before);
  }

  void apply(const std::string& before,
             const std::string& wanted,
             const Activity& activity) override {
    const Values old = parse_values(before);
    Values lines = persistent();
    for (const auto& [name, value] : parse_values(wanted)) {
      // A line for what is enough already could lower it at the next boot.
      if (is_enough(around_.files.try_read(place_of(name)).value_or(""), value) &&
          (!old.contains(name) || is_enough(old.at(name), value)))
        continue;
      if (!lines.contains(name) || !is_enough(lines.at(name), value))
        lines[name] = value;
      set(name, value);
      activity.info("source",
                    fmt::format(fmt::runtime(_("{} is {} now (was {})")),
                                name,
                                value,
                                old.contains(name) ? old.at(name) : "?"));
    }
    keep(lines);
  }

  void undo_external(const std::string& before,
                     const std::string& wanted,
                     const std::vector<std::string>& wanted_by_others,
                     const Activity&) override {
    const Values old = parse_values(before);
    Values lines = persistent();
    for (const auto& [name, value] : parse_values(wanted)) {
      const std::string needed = largest(name, wanted_by_others);
      if (needed.empty())
        lines.erase(name);
      else
        lines[name] = needed;
      // What somebody else set since is not las's to take back.
      if (around_.files.try_read(place_of(name)) != value || !old.contains(name))
        continue;
      const std::string& back =
          is_enough(old.at(name), needed) || needed.empty() ? old.at(name) : needed;
      if (back != value)
        set(name, back);
    }
    keep(lines);
  }

  std::string inherited(const std::string& wanted, const std::string& needed_by) const override {
    const Values needs = parse_values(needed_by);
    Values shared;
    for (const auto& [name, value] : parse_values(wanted)) {
      if (needs.contains(name))
        shared[name] = value;
    }
    return to_text(shared);
  }

  std::vector<std::string> verify_external(const std::string& wanted, const Activity&) override {
    std::vector<std::string> faults;
    for (const auto& [name, value] : parse_values(wanted)) {
      const std::string now = around_.files.try_read(place_of(name)).value_or("-");
      if (!is_enough(now, value))
        faults.push_back(
            fmt::format(fmt::runtime(_("{} is {}, and {} is needed")), name, now, value));
    }
    return faults;
  }

 private:
  static std::string largest(const std::string& name, const std::vector<std::string>& records) {
    std::string found;
    for (const std::string& record : records) {
      const Values values = parse_values(record);
      if (const auto value = values.find(name);
          value != values.end() && !is_enough(found, value->second))
        found = value->second;
    }
    return found;
  }

  // A file of /proc can only be written in its place.
  void set(const std::string& name, const std::string& value) const {
    const auto file = around_.files.append_file(place_of(name));
    file->write(value + "\n");
    file->close();
  }

  Values persistent() const {
    Values lines;
    for (const std::string& line : text::lines(around_.files.try_read(kFile).value_or(""))) {
      const auto equals = line.find('=');
      if (line.starts_with('#') || equals == std::string::npos)
        continue;
      lines[std::string(text::trim(line.substr(0, equals)))] =
          std::string(text::trim(line.substr(equals + 1)));
    }
    return lines;
  }

  void keep(const Values& lines) const {
    if (lines.empty()) {
      around_.files.remove_file(kFile);
      return;
    }
    std::string content = kHead;
    for (const auto& [name, value] : lines)
      content += fmt::format("{} = {}\n", name, value);
    around_.files.make_directories(fs::path(kFile).parent_path());
    around_.files.replace_file(kFile, content);
  }

  Surroundings around_;
};

}  // namespace

std::unique_ptr<SystemStep> make_sysctl_step(Surroundings surroundings) {
  return std::make_unique<Sysctl>(surroundings);
}

}  // namespace las::source
