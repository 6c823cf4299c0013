// SPDX-License-Identifier: Apache-2.0
// The models of a document: where their files are, and whether they are the right ones.
#include "apply_parts.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/model/library.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::app {

namespace fs = std::filesystem;

namespace {

bool is_regular(Session& session, const fs::path& path) {
  std::error_code ignored;
  const auto status = session.files().status(fs::canonical(path, ignored));
  return !ignored && status && status->kind == platform::FileKind::Regular;
}

// Under its own name, or as a library's blob folder has it.
std::optional<fs::path> find_in(Session& session,
                                const fs::path& folder,
                                const lockfile::Model& model) {
  std::vector<std::string> names = {model.source, model.name + "." + model.format};
  if (model.digest)
    names.push_back(model.digest->algorithm() + "-" + model.digest->hex());
  for (const std::string& name : names) {
    // A lock of others names a file, never a way out of the folder.
    if (name.empty() || name.find('/') != std::string::npos || name == "..")
      continue;
    if (is_regular(session, folder / name))
      return folder / name;
  }
  return std::nullopt;
}

std::optional<fs::path> find_file(Session& session,
                                  const ApplyRequest& request,
                                  const lockfile::Model& model) {
  const fs::path beside = fs::absolute(request.file).parent_path();
  if (!model.path.empty())
    return is_regular(session, beside / model.path) ? std::optional(beside / model.path)
                                                    : std::nullopt;
  for (const fs::path& folder : request.model_folders) {
    if (auto found = find_in(session, fs::absolute(folder), model))
      return found;
  }
  if (auto found = find_in(session, beside, model))
    return found;
  // Here already, under another name.
  return find_in(session, session.layout().models() / "blobs", model);
}

Error not_found(const std::vector<std::string>& missing) {
  return Error(ErrorKind::NotFound, _("the file of a model is not here"), text::join(missing, "; "))
      .hint(_("name the folder that has it with --models DIR, or take it in first: las model "
              "import FILE --name NAME"));
}

ModelImport examine(Session& session,
                    const lockfile::Model& model,
                    const fs::path& path,
                    const Activity& activity) {
  model::ModelLibrary library(session.files(), session.clock(), session.layout(), session.store());
  const state::ModelRecord record = library.inspect(path, activity);
  if (model.digest && record.digest != *model.digest)
    throw Error(ErrorKind::Integrity, _("the file is not the model that is wanted"), path.string())
        .cause(fmt::format(
            fmt::runtime(_("{}, wanted {}")), record.digest.to_string(), model.digest->to_string()))
        .hint(_("get the right file, or correct the digest if this one is meant"));
  // Found under another name (a library's own), it is still what the lock says it is.
  const bool renamed = !model.source.empty() && path.filename() != model.source;
  return {model.name, path, record.digest, record.size, record.format, renamed ? model.source : ""};
}

}  // namespace

std::vector<ModelImport> find_models(Session& session,
                                     const ApplyRequest& request,
                                     const lockfile::Document& wanted,
                                     const Activity& activity) {
  std::vector<state::ModelRecord> present = models(session);
  std::vector<std::pair<const lockfile::Model*, fs::path>> found;
  std::vector<std::string> missing;
  for (const lockfile::Model& model : wanted.models) {
    const auto known = std::find_if(present.begin(), present.end(), [&](const auto& record) {
      return record.name == model.name;
    });
    if (known != present.end() && (!model.digest || known->digest == *model.digest))
      continue;
    if (const auto file = find_file(session, request, model))
      found.emplace_back(&model, *file);
    else
      missing.push_back(model.name + " (" + (model.path.empty() ? model.source : model.path) + ")");
  }
  if (!missing.empty())
    throw not_found(missing);
  std::vector<ModelImport> imports;
  for (const auto& [model, path] : found)
    imports.push_back(examine(session, *model, path, activity));
  return imports;
}

}  // namespace las::app
