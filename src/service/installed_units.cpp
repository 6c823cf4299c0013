// SPDX-License-Identifier: Apache-2.0
#include "installed_units.hpp"

#include "unit_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace las::service {
namespace {

bool las_generated(const platform::FileReader& files, const platform::fs::path& path) {
  const auto status = files.status(path);
  if (!status || status->kind != platform::FileKind::Regular)
    return false;
  const auto content = files.try_read(path);
  return content && is_generated(*content);
}

}  // namespace

std::optional<UnitOf> parse_unit_name(std::string_view unit) {
  struct Shape {
    UnitKind kind;
    std::string_view prefix, suffix;
  };

  // The ids of names have no '@', so that at most one of these makes the name.
  static constexpr std::array kShapes{
      Shape{UnitKind::Socket, "las-", ".socket"},
      Shape{UnitKind::Proxy, "las-proxy@", ".service"},
      Shape{UnitKind::Gate, "las-gate@", ".service"},
      Shape{UnitKind::HealthTimer, "las-health@", ".timer"},
      Shape{UnitKind::HealthCheck, "las-health@", ".service"},
      Shape{UnitKind::Service, "las-", ".service"},
      Shape{UnitKind::Slice, "las-", ".slice"},
  };
  for (const Shape& shape : kShapes) {
    if (unit.size() <= shape.prefix.size() + shape.suffix.size() ||
        !unit.starts_with(shape.prefix) || !unit.ends_with(shape.suffix))
      continue;
    std::string id(
        unit.substr(shape.prefix.size(), unit.size() - shape.prefix.size() - shape.suffix.size()));
    using Escape = std::pair<std::string_view, const char*>;
    for (const auto& [escaped, plain] : {Escape("\\x2b", "+"), Escape("\\x2d", "-")})
      for (auto at = id.find(escaped); at != std::string::npos; at = id.find(escaped, at))
        id.replace(at, escaped.size(), plain);
    if (text::is_name(id) && unit_name(id, shape.kind) == unit)
      return UnitOf{std::move(id), shape.kind, std::string(unit)};
  }
  return std::nullopt;
}

std::vector<UnitOf> find_generated_units(const platform::FileReader& files,
                                         const platform::fs::path& folder) {
  std::vector<UnitOf> units;
  if (!files.exists(folder))
    return units;
  for (const std::string& name : files.list_directory(folder))
    if (auto unit = parse_unit_name(name); unit && las_generated(files, folder / name))
      units.push_back(std::move(*unit));
  const auto rank = [](UnitKind kind) {
    static constexpr std::array kOrder{UnitKind::Socket,
                                       UnitKind::Proxy,
                                       UnitKind::Gate,
                                       UnitKind::HealthTimer,
                                       UnitKind::HealthCheck,
                                       UnitKind::Service,
                                       UnitKind::Slice};
    return std::find(kOrder.begin(), kOrder.end(), kind) - kOrder.begin();
  };
  std::sort(units.begin(), units.end(), [&](const UnitOf& a, const UnitOf& b) {
    return std::pair(rank(a.kind), a.name) < std::pair(rank(b.kind), b.name);
  });
  return units;
}

bool write_unit(platform::FileSystem& files,
                const platform::fs::path& folder,
                const std::string& name,
                const std::string& unit_text) {
  if (!is_generated(unit_text))
    throw Error(ErrorKind::InvalidData, _("the service has no generated unit"), name);
  const auto path = folder / name;
  if (files.exists(path)) {
    if (!las_generated(files, path))
      throw Error(ErrorKind::Permission, _("this unit file is not las's to change"), path.string())
          .hint(_("move it away, or put the change into a drop-in"));
    if (files.read_file(path) == unit_text)
      return false;
  }
  files.replace_file(path, unit_text);
  return true;
}

std::map<std::string, std::string> units_of(const state::ServiceInstance& service) {
  std::map<std::string, std::string> units = service.more_units;
  units[unit_name(service.id)] = service.unit_text;
  return units;
}

}  // namespace las::service
