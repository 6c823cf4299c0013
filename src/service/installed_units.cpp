// SPDX-License-Identifier: Apache-2.0
#include "installed_units.hpp"

#include "unit_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/service/unit.hpp"

#include <algorithm>

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

std::optional<std::string> service_id_of_unit(std::string_view unit) {
  constexpr std::string_view kPrefix = "las-";
  constexpr std::string_view kSuffix = ".service";
  if (unit.size() <= kPrefix.size() + kSuffix.size() || !unit.starts_with(kPrefix) ||
      !unit.ends_with(kSuffix))
    return std::nullopt;
  std::string id(unit.substr(kPrefix.size(), unit.size() - kPrefix.size() - kSuffix.size()));
  constexpr std::string_view kEscapedPlus = "\\x2b";
  for (auto at = id.find(kEscapedPlus); at != std::string::npos; at = id.find(kEscapedPlus, at))
    id.replace(at, kEscapedPlus.size(), "+");
  if (!text::is_name(id) || unit_name(id) != unit)
    return std::nullopt;
  return id;
}

std::vector<std::string> find_generated_units(const platform::FileReader& files,
                                              const platform::fs::path& folder) {
  std::vector<std::string> ids;
  if (!files.exists(folder))
    return ids;
  for (const std::string& name : files.list_directory(folder))
    if (auto id = service_id_of_unit(name); id && las_generated(files, folder / name))
      ids.push_back(std::move(*id));
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool write_unit(platform::FileSystem& files,
                const platform::fs::path& folder,
                const state::ServiceInstance& service) {
  if (!is_generated(service.unit_text))
    throw Error(ErrorKind::InvalidData, _("the service has no generated unit"), service.id);
  const auto path = folder / unit_name(service.id);
  if (files.exists(path)) {
    if (!las_generated(files, path))
      throw Error(ErrorKind::Permission, _("this unit file is not las's to change"), path.string())
          .hint(_("move it away, or put the change into a drop-in"));
    if (files.read_file(path) == service.unit_text)
      return false;
  }
  files.replace_file(path, service.unit_text);
  return true;
}

}  // namespace las::service
