// SPDX-License-Identifier: Apache-2.0
#include "las/model/library.hpp"

#include "content.hpp"
#include "model_format.hpp"

#include "las/base/diagnostics.hpp"
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"
#include "las/model/gguf.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

namespace las::model {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kUnfinished = ".import-";
/// Blobs are shared and named by their content: nobody, not even las, writes into one.
constexpr std::uint32_t kBlobMode = 0444;

/// "Tiny-Model.Q4_0.gguf" → "tiny-model.q4_0"
std::string name_from(const fs::path& path) {
  std::string stem = text::lower(path.filename().string());
  if (stem.ends_with(".gguf"))
    stem.resize(stem.size() - 5);
  std::string name;
  for (const char c : stem) {
    const char kept = text::is_name(std::string("x") + c) ? c : '-';
    const bool separates = kept == '-' || kept == '.';
    const bool is_start = name.empty() && (separates || kept == '_' || kept == '+');
    const bool repeats = separates && !name.empty() && (name.back() == '-' || name.back() == '.');
    if (!is_start && !repeats)
      name += kept;
  }
  name.resize(std::min<std::size_t>(name.size(), 64));
  while (!name.empty() && (name.back() == '-' || name.back() == '.'))
    name.pop_back();
  return name;
}

void check_name(const std::string& name, const fs::path& path) {
  if (text::is_name(name))
    return;
  const std::string hint = _(
      "a name has up to 64 of a-z, 0-9, '.', '_', '+' and '-', and begins with a letter or digit");
  if (name.empty())
    throw Error(ErrorKind::Usage, _("the file name gives no name for the model"), path.string())
        .hint(hint);
  throw Error(ErrorKind::Usage, _("not a name for a model"), name).hint(hint);
}

Error not_as_expected(const fs::path& path, const Digest& digest, const Digest& expected) {
  return Error(ErrorKind::Integrity, _("the file is not the model that is wanted"), path.string())
      .cause(
          fmt::format(fmt::runtime(_("{}, wanted {}")), digest.to_string(), expected.to_string()));
}

Error name_in_use(const state::ModelRecord& present) {
  return Error(ErrorKind::Busy, _("the name belongs to a model with another content"), present.name)
      .cause(fmt::format(
          fmt::runtime(_("imported from {} at {}")), present.source, present.imported_at))
      .hint(_("import it under another name, or remove the present model first"));
}

/// The digests that some record or some generation needs.
std::set<std::string> used_digests(const state::ReadTransaction& state) {
  std::set<std::string> used;
  for (const state::ModelRecord& model : state.models())
    used.insert(model.digest.to_string());
  for (const std::uint64_t number : state.generation_numbers()) {
    const auto generation = state.generation(number);
    for (const state::ServiceInstance& service : generation->services)
      used.insert(service.model_digest);
  }
  return used;
}

/// Deletes what an import that was killed left: unfinished copies, and blobs that it did not come
/// to record.
void sweep(platform::FileSystem& files, const fs::path& folder, const state::StateStore& store) {
  std::set<std::string> used;
  store.read([&](const state::ReadTransaction& state) { used = used_digests(state); });
  for (const std::string& file : files.list_directory(folder)) {
    const auto dash = file.find('-');
    const auto digest = Digest::parse(file.substr(0, dash) + ":" +
                                      (dash == std::string::npos ? "" : file.substr(dash + 1)));
    if (file.starts_with(kUnfinished) || (digest && !used.contains(digest->to_string())))
      files.remove_file(folder / file);
  }
}

std::string one_line(const GgufFile& file, const std::string& key, std::size_t longest) {
  return text::printable(text::trim(file.text(key).value_or("")), longest);
}

state::ModelRecord describe(const GgufFile& file) {
  state::ModelRecord record;
  record.format = "gguf";
  record.size = file.file_size;
  record.architecture = text::printable(file.architecture(), 64);
  record.quantization = file.quantization();
  record.license = one_line(file, "general.license", 64);
  record.parameters = file.parameters;
  record.context_length = file.number(file.architecture() + ".context_length").value_or(0);
  record.note = one_line(file, "general.description", 200);
  return record;
}

}  // namespace

ModelLibrary::ModelLibrary(platform::FileSystem& files,
                           platform::Clock& clock,
                           const platform::Layout& layout,
                           state::StateStore& store)
    : files_(files), clock_(clock), layout_(layout), store_(store) {}

fs::path ModelLibrary::blob_path(const Digest& digest) const {
  return layout_.model_blob(digest);
}

std::string ModelLibrary::check_import(const fs::path& path, std::string name) const {
  read_model_file(examine(files_, path).path);  // a file that is no model costs no copy
  if (name.empty())
    name = name_from(path);
  check_name(name, path);
  return name;
}

state::ModelRecord ModelLibrary::inspect(const fs::path& path, const Activity& activity) const {
  const Source source = examine(files_, path);
  state::ModelRecord record = describe(read_model_file(source.path));
  Work work(activity,
            "check:" + path.string(),
            fmt::format(fmt::runtime(_("Checking {}")), path.filename().string()),
            source.size);
  record.digest = hash_content(files_, source, work);
  work.done();
  return record;
}

ModelLibrary::Import ModelLibrary::import_file(const fs::path& path,
                                               std::string name,
                                               const Activity& activity,
                                               const std::optional<Expectation>& expected) {
  name = check_import(path, std::move(name));
  const Source source = examine(files_, path);

  std::optional<state::ModelRecord> present;
  std::vector<state::ModelRecord> models;
  store_.read([&](const state::ReadTransaction& state) {
    present = state.model(name);
    models = state.models();
  });
  if (!expected && present && present->size.bytes() != source.size)
    throw name_in_use(*present);
  // A file as large as one that is here most likely is that one: hashing is cheaper than a copy.
  const bool may_be_here = std::any_of(models.begin(), models.end(), [&](const auto& model) {
    return model.size.bytes() == source.size;
  });

  const fs::path folder = layout_.models() / "blobs";
  files_.make_directories(folder);
  sweep(files_, folder, store_);
  Work work(
      activity, "import:" + name, fmt::format(fmt::runtime(_("Importing {}")), name), source.size);
  const auto require_wanted = [&](const Digest& digest) {
    if (expected && digest != expected->digest)
      throw not_as_expected(source.path, digest, expected->digest);
    if (!expected && present && present->digest != digest)
      throw name_in_use(*present);
  };
  Import result;
  std::optional<Digest> digest;
  if (may_be_here) {
    digest = hash_content(files_, source, work);
    require_wanted(*digest);
    const auto blob = files_.status(blob_path(*digest));
    if (blob && blob->size == source.size &&
        hash_content(files_, {blob_path(*digest), source.size}, work) == *digest)
      result.record = describe(read_model_file(blob_path(*digest)));
    else
      digest.reset();
  }
  if (!digest) {
    UnfinishedFile copy(
        files_, folder / (std::string(kUnfinished) + platform::make_operation_id(clock_.now())));
    digest = copy_content(files_, source, copy.path(), work);
    require_wanted(*digest);
    result.record = describe(read_model_file(copy.path()));
    files_.set_mode(copy.path(), kBlobMode);
    files_.rename(copy.path(), blob_path(*digest));
    copy.release();
  }
  if (present && present->digest == *digest) {
    result = {*present, true};
  } else {
    result.record.name = name;
    result.record.digest = *digest;
    result.record.source =
        expected && !expected->source.empty() ? expected->source : source.path.string();
    result.record.imported_at = platform::to_iso8601(clock_.now());
    record(result.record);
    // A crash in between leaves a blob, which the next import sweeps up.
    if (present)
      sweep(files_, folder, store_);
  }
  work.done();
  return result;
}

void ModelLibrary::record(const state::ModelRecord& model) {
  try {
    store_.write([&](state::WriteTransaction& state) { state.put_model(model); });
  } catch (...) {
    try {
      sweep(files_, layout_.models() / "blobs", store_);
    } catch (const Error&) {  // what failed first is what matters
    }
    throw;
  }
}

void ModelLibrary::remove(const std::string& name, const Activity& activity) {
  const state::ModelRecord record = get(name);
  bool is_unused = false;
  store_.write([&](state::WriteTransaction& state) {
    for (const state::ServiceInstance& service : state.current().services) {
      if (service.model == name) {
        throw Error(ErrorKind::Busy, _("a service serves the model"), name)
            .cause(service.id)
            .hint(fmt::format(
                fmt::runtime(_("go back to a generation without it (las history, las rollback "
                               "NUMBER), or remove its engine: las remove {}")),
                service.module));
      }
    }
    state.erase_model(name);
    is_unused = !used_digests(state).contains(record.digest.to_string());
  });
  // After the record: a crash in between leaves a blob, which the next import sweeps up, and never
  // a record without its blob.
  if (is_unused)
    files_.remove_file(blob_path(record.digest));
  else
    activity.debug("model", "kept " + record.digest.to_string() + ": still in use");
}

state::ModelRecord ModelLibrary::get(const std::string& name) const {
  std::optional<state::ModelRecord> found;
  std::vector<std::string> names;
  store_.read([&](const state::ReadTransaction& state) {
    found = state.model(name);
    names.clear();
    if (!found) {
      for (const state::ModelRecord& model : state.models())
        names.push_back(model.name);
    }
  });
  if (found)
    return *std::move(found);
  Error error(ErrorKind::NotFound, _("no such model"), name);
  const std::string nearest = nearest_name(name, names);
  if (names.empty())
    error.hint(_("no model has been imported yet; take one in with: las model import FILE"));
  else if (!nearest.empty())
    error.hint(fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest));
  else
    error.hint(_("see the models with: las model list"));
  throw error;
}

}  // namespace las::model
