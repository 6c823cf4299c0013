// SPDX-License-Identifier: Apache-2.0
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/source/source.hpp"

namespace las::source {

std::vector<std::string> SourceKind::absent(const catalog::Source&, const Activity&) {
  return {};
}

std::string SourceKind::newest(const catalog::Source&, const Activity&) {
  return {};
}

std::vector<fetch::Artifact> SourceKind::artifacts(const StageRequest&) const {
  return {};
}

catalog::Source SourceKind::bound_to(const catalog::Source& source,
                                     const std::vector<InputArtifact>& artifacts) const {
  if (!artifacts.empty())
    throw Error(ErrorKind::Unsatisfiable,
                _("what this kind of source delivers has no digest to hold it to"),
                source.kind());
  return source;
}

std::map<std::string, std::string> ExternalKind::versions(const std::string&, const Activity&) {
  return {};
}

void ExternalKind::undo_external(const std::string&,
                                 const std::string&,
                                 const std::vector<std::string>&,
                                 const Activity&) {}

std::string ExternalKind::inherited(const std::string&, const std::string&) const {
  return {};
}

std::string ExternalKind::brought(const std::string&, const std::string&) const {
  return {};
}

std::vector<std::string> ExternalKind::verify_external(const std::string&, const Activity&) {
  return {};
}

std::map<std::string, std::unique_ptr<SourceKind>> make_source_kinds(Surroundings surroundings) {
  std::map<std::string, std::unique_ptr<SourceKind>> kinds;
  for (const auto make : {make_archive_source,
                          make_apt_source,
                          make_python_source,
                          make_npm_source,
                          make_deb_source,
                          make_image_source}) {
    std::unique_ptr<SourceKind> made = make(surroundings);
    const std::string name = made->kind();
    kinds.emplace(name, std::move(made));
  }
  return kinds;
}

std::vector<std::unique_ptr<SystemStep>> make_system_steps(Surroundings surroundings) {
  std::vector<std::unique_ptr<SystemStep>> steps;
  steps.push_back(make_accounts_step(surroundings));
  steps.push_back(make_sysctl_step(surroundings));
  return steps;
}

}  // namespace las::source
