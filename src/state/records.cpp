// SPDX-License-Identifier: Apache-2.0
#include "las/state/records.hpp"

#include "record_json.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

namespace las::state {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::User:
      return "user";
    case Reason::Dependency:
      return "dependency";
    case Reason::Optional:
      return "optional";
  }
  return "user";
}

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::Planned:
      return "planned";
    case Phase::Staging:
      return "staging";
    case Phase::Staged:
      return "staged";
    case Phase::Committed:
      return "committed";
    case Phase::Returning:
      return "returning";
  }
  return "planned";
}

std::string_view to_string(DataMove::Kind kind) {
  return kind == DataMove::Kind::Copy ? "copy" : "exchange";
}

const InstalledModule* Generation::find(const std::string& name) const {
  const auto found = std::find_if(modules.begin(), modules.end(), [&](const InstalledModule& item) {
    return item.name == name;
  });
  return found == modules.end() ? nullptr : &*found;
}

const ServiceInstance* Generation::find_service(const std::string& id) const {
  const auto found = std::find_if(
      services.begin(), services.end(), [&](const ServiceInstance& item) { return item.id == id; });
  return found == services.end() ? nullptr : &*found;
}

std::string to_json(const Generation& generation) {
  return record_json::encode(generation);
}

Generation generation_from_json(const std::string& text) {
  return record_json::decode<Generation>(text, "generation");
}

void record_json::throw_corrupt(const std::string& name, std::string cause) {
  throw Error(ErrorKind::CorruptState, _("a record of the state is damaged"), name)
      .cause(std::move(cause))
      .hint(_("'las verify' lists everything that is damaged"));
}

}  // namespace las::state
