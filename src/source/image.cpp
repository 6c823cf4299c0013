// SPDX-License-Identifier: Apache-2.0
#include "oci_archive.hpp"
#include "program_paths.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/container_engine.hpp"
#include "las/source/source.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::source {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

using platform::ContainerEngine;

// Before the digest's hexadecimal digits; nothing is ever pulled from "localhost".
constexpr const char* kLoaded = "localhost/las:sha256-";
constexpr const char* kOldestEngine = "podman";  // older records name none

/// What an engine knows of an image that it has.
struct Image {
  std::string id;                    ///< of its configuration: the same however it came
  std::vector<std::string> digests;  ///< of all manifests that it was ever had by
};

/// The image that is to be had.
struct Wanted {
  std::string reference;         ///< what the engine knows it by
  std::optional<Digest> digest;  ///< of its manifest, as far as that is known ahead
  bool by_tag = false;           ///< neither the manifest nor an earlier install says which it is
  std::optional<OciImage> read;  ///< from the archive, for an engine that does not read it itself
};

class ImageKind : public SourceKind {
 public:
  explicit ImageKind(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "image"; }

  std::string unavailable(const catalog::Source& source, const Activity& activity) override;
  std::string describe(const catalog::Source& source) const override;
  catalog::Source bound_to(const catalog::Source& source,
                           const std::vector<InputArtifact>& artifacts) const override;
  Staged stage(const StageRequest& request, const Activity& activity) override;

  bool stays_for_rollback() const override { return true; }

  std::string brought(const std::string& before, const std::string& wanted) const override;

  void undo_external(const std::string& before,
                     const std::string& wanted,
                     const std::vector<std::string>& wanted_by_others,
                     const Activity& activity) override;
  std::vector<std::string> verify_external(const std::string& wanted,
                                           const Activity& activity) override;

 private:
  const ContainerEngine* chosen() const;
  platform::ProcessResult run(const ContainerEngine& engine,
                              const Words& arguments,
                              const Activity& activity) const;
  std::optional<Image> look(const ContainerEngine& engine,
                            const std::string& reference,
                            const Activity& activity) const;
  Wanted wanted(const ContainerEngine& engine,
                const StageRequest& request,
                const Activity& activity) const;
  void bring(const ContainerEngine& engine,
             const StageRequest& request,
             const Wanted& wanted,
             const Activity& activity) const;
  void check(const ContainerEngine& engine, const Wanted& wanted, const Image& image) const;

  Surroundings around_;
};

const catalog::ImageSource& image_of(const catalog::Source& source) {
  return std::get<catalog::ImageSource>(source.how);
}

std::string tagged(const catalog::ImageSource& image) {
  return image.name + ":" + image.tag;
}

/// "NAME@DIGEST" where the digest is known, else "NAME:TAG".
std::string reference_of(const catalog::ImageSource& image) {
  return image.digest ? image.name + "@" + image.digest->to_string() : tagged(image);
}

/// What a tag turned out to mean.
Digest digest_of(const Image& image, const std::string& reference) {
  const auto digest = image.digests.empty() ? std::nullopt : Digest::parse(image.digests.front());
  if (!digest)
    throw Error(ErrorKind::Io, _("the container engine knows no digest of this image"), reference);
  return *digest;
}

/// The engines' own words for what went wrong; their exit status is the same for all of it.
Error failure(const platform::ProcessResult& result, const std::string& reference) {
  const std::string said(text::trim(result.err));

  struct Case {
    const char* words;
    ErrorKind kind;
  };

  static constexpr std::array kCases{
      Case{"does not match provided manifest digest", ErrorKind::Integrity},
      Case{"Digest did not match", ErrorKind::Integrity},
      Case{"verification failed for digest", ErrorKind::Integrity},
      Case{"no space left on device", ErrorKind::NoSpace},
      Case{"manifest unknown", ErrorKind::NotFound},
      Case{"image not known", ErrorKind::NotFound},
      Case{"No such image", ErrorKind::NotFound},
      Case{"does not match any of the supported image formats", ErrorKind::InvalidData},
      Case{"connection refused", ErrorKind::Network},
      Case{"dial tcp", ErrorKind::Network},
      Case{"pinging container registry", ErrorKind::Network},
      Case{"unexpected EOF", ErrorKind::Network},
      Case{"timeout", ErrorKind::Network},
      Case{"permission denied while trying to connect", ErrorKind::Permission},
  };
  const auto found = std::find_if(kCases.begin(), kCases.end(), [&](const Case& one) {
    return said.find(one.words) != std::string::npos;
  });
  const auto lines = text::lines(said);
  Error error(found == kCases.end() ? ErrorKind::Io : found->kind,
              _("the container engine refuses"),
              reference);
  error.cause(lines.empty() ? fmt::format("{}", result.status) : lines.back());
  if (found != kCases.end() && found->kind == ErrorKind::NotFound)
    error.hint(_("the registry has no image of this name with this digest or tag"));
  if (said.find("Is the docker daemon running") != std::string::npos)
    error.hint("sudo systemctl start docker");
  return error;
}

Json parse(const std::string& record) {
  Json json = Json::parse(record, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string())
    throw Error(ErrorKind::CorruptState, _("the record of an image is damaged"));
  return json;
}

const ContainerEngine& engine_in(const Json& record) {
  return platform::container_engine(record.value("engine", kOldestEngine));
}

platform::ProcessResult ImageKind::run(const ContainerEngine& engine,
                                       const Words& arguments,
                                       const Activity& activity) const {
  platform::Command command;
  command.argv = {engine.name()};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = around_.environment.variables;
  command.environment["PATH"] = kAdministratorPath;
  command.environment["LC_ALL"] = "C.UTF-8";
  return around_.processes.run(command, activity, std::nullopt, [&](std::string_view line) {
    activity.debug("source", std::string(line));
  });
}

/// The one that images go into from now on; nullptr where there is none.
const ContainerEngine* ImageKind::chosen() const {
  const bool is_system = around_.layout.scope == platform::Scope::System;
  for (const ContainerEngine* engine : platform::container_engines()) {
    const bool is_meant =
        around_.container_engine.empty() || around_.container_engine == engine->name();
    // A daemon's containers are root's.
    if (is_meant && (is_system || engine->daemon_unit().empty()) &&
        around_.processes.find_program(engine->name(), kAdministratorPath))
      return engine;
  }
  return nullptr;
}

std::string ImageKind::unavailable(const catalog::Source&, const Activity&) {
  if (around_.layout.root != "/")
    return _("images cannot be kept below --root");
  const bool is_system = around_.layout.scope == platform::Scope::System;
  const ContainerEngine* engine = chosen();
  if (engine == nullptr && around_.container_engine.empty())
    return is_system ? _("neither podman nor docker is here (apt install podman)")
                     : _("podman is missing (apt install podman)");
  if (engine == nullptr)
    return fmt::format(
        fmt::runtime(is_system
                         ? _("{} is missing, which containers.engine names")
                         : _("{}, which containers.engine names, is missing, or not a user's own")),
        around_.container_engine);
  if (is_system && around_.environment.uid != 0)
    return _("the system's images need root");
  // Before anything is pulled: what runs under a user's systemd needs control groups of his own.
  if (!is_system && around_.files.exists("/run/systemd/system") &&
      !around_.files.exists("/sys/fs/cgroup/cgroup.controllers"))
    return fmt::format(
        fmt::runtime(_("without root {} needs control groups of version 2 (boot with "
                       "systemd.unified_cgroup_hierarchy=1)")),
        engine->name());
  return {};
}

std::string ImageKind::describe(const catalog::Source& source) const {
  const catalog::ImageSource& image = image_of(source);
  return image.tag.empty() ? reference_of(image) : fmt::format("{}:{}", image.name, image.tag);
}

catalog::Source ImageKind::bound_to(const catalog::Source& source,
                                    const std::vector<InputArtifact>& artifacts) const {
  catalog::Source bound = source;
  auto& image = std::get<catalog::ImageSource>(bound.how);
  if (artifacts.size() != 1 || artifacts.front().from != image.name)
    throw Error(ErrorKind::Unsatisfiable, _("the lock names another image"), image.name);
  if (image.digest && *image.digest != artifacts.front().digest)
    throw Error(
        ErrorKind::Integrity, _("the catalog has another image for this release"), image.name);
  image.digest = artifacts.front().digest;
  return bound;
}

std::optional<Image> ImageKind::look(const ContainerEngine& engine,
                                     const std::string& reference,
                                     const Activity& activity) const {
  const auto result = run(engine, engine.describe_image(reference), activity);
  if (!result.ok()) {
    const Error why = failure(result, reference);
    if (why.kind() == ErrorKind::NotFound)
      return std::nullopt;
    throw why;
  }
  auto words = text::split(std::string(text::trim(result.out)), ' ');
  Image image{words.front(), {}};
  words.erase(words.begin());
  // Those of the same name first: the same image may have come from elsewhere, too, by another one.
  const std::string name = reference.substr(0, std::min(reference.find('@'), reference.rfind(':')));
  std::stable_partition(words.begin(), words.end(), [&](const std::string& word) {
    return word.starts_with(name + "@");
  });
  for (const std::string& word : words)
    image.digests.push_back(word.substr(word.find('@') + 1));
  if (image.id.empty())
    throw Error(ErrorKind::Io,
                fmt::format(fmt::runtime(_("{} says nothing that can be read of this image")),
                            engine.name()),
                reference)
        .cause(std::string(text::trim(result.out)));
  return image;
}

Wanted ImageKind::wanted(const ContainerEngine& engine,
                         const StageRequest& request,
                         const Activity& activity) const {
  catalog::ImageSource image = image_of(*request.source);
  // What the tag meant at the first install it means for ever.
  if (!image.digest && request.pinned)
    image.digest = request.pinned(tagged(image));
  Wanted found{reference_of(image), image.digest, !image.digest, std::nullopt};
  if (image.archive.empty() || engine.takes_oci_archives())
    return found;
  found.read = read_oci_image(
      around_.files, fs::path(request.manifest_directory) / image.archive, image.digest, activity);
  found.digest = found.read->pinned;
  // A name that nobody else gives: to take the image's own could be to take it from another image.
  found.reference = kLoaded + found.digest->hex();
  return found;
}

void ImageKind::bring(const ContainerEngine& engine,
                      const StageRequest& request,
                      const Wanted& wanted,
                      const Activity& activity) const {
  const catalog::ImageSource& image = image_of(*request.source);
  Words words = {"pull", "-q", wanted.reference};
  const fs::path archive = fs::path(request.manifest_directory) / image.archive;
  const fs::path rewritten = request.staging / "image.tar";
  if (wanted.read) {
    write_docker_archive(
        around_.files, archive, *wanted.read, wanted.reference, rewritten, activity);
    words = engine.load_image(rewritten);
  } else if (!image.archive.empty()) {
    words = engine.load_image(archive);
  }
  const auto result = run(engine, words, activity);
  around_.files.remove_file(rewritten);
  if (!result.ok())
    throw failure(result, wanted.reference);
}

void ImageKind::check(const ContainerEngine& engine,
                      const Wanted& wanted,
                      const Image& image) const {
  const auto has = [&](const Digest& digest) {
    const std::string text = digest.to_string();
    return text == image.id ||
           std::find(image.digests.begin(), image.digests.end(), text) != image.digests.end();
  };
  // What came by an archive is known by its id: its configuration's digest, which names the digests
  // of all that it consists of, or its manifest's, as newer ones keep images.
  const bool same = wanted.read ? has(wanted.read->config) || has(wanted.read->manifest)
                                : !wanted.digest || has(*wanted.digest);
  if (same)
    return;
  Error error(
      ErrorKind::Integrity, _("this is another image than the manifest names"), wanted.reference);
  error.cause(fmt::format(fmt::runtime(_("{} instead of {}")),
                          image.digests.empty() ? image.id : image.digests.front(),
                          (wanted.read ? wanted.read->config : *wanted.digest).to_string()));
  if (wanted.read)
    error.hint(fmt::format("{} rmi {}", engine.name(), wanted.reference));
  throw error;
}

Staged ImageKind::stage(const StageRequest& request, const Activity& activity) {
  const ContainerEngine* const engine = chosen();
  if (engine == nullptr)
    throw Error(ErrorKind::Unsatisfiable, unavailable(*request.source, activity), request.module);
  const catalog::ImageSource& source = image_of(*request.source);
  const Wanted wanted = this->wanted(*engine, request, activity);
  const std::string& reference = wanted.reference;

  Staged staged;
  staged.detail = reference;
  const std::string event_id = "image:" + request.module;
  const auto before = look(*engine, reference, activity);
  staged.external_before = Json{{"present", before.has_value()}}.dump();
  // The intent names what will be there: by digest it is known ahead, by tag its name is all.
  const auto record_of = [&](const std::string& name, const std::string& id) {
    return Json{{"engine", engine->name()}, {"reference", name}, {"id", id}}.dump();
  };
  staged.external_wanted = record_of(reference, before ? before->id : "");
  if (!before) {
    if (request.journal_external)
      request.journal_external(*staged.external_before, *staged.external_wanted);
    activity.reporter.report(event::Started{
        event_id,
        fmt::format(fmt::runtime(source.archive.empty() ? _("Pulling {}") : _("Loading {}")),
                    describe(*request.source)),
        std::nullopt});
    try {
      bring(*engine, request, wanted, activity);
    } catch (...) {
      activity.reporter.report(event::Finished{event_id, false, {}});
      throw;
    }
    activity.reporter.report(event::Finished{event_id, true, {}});
  }
  const auto image = look(*engine, reference, activity);
  if (!image)
    throw Error(ErrorKind::Integrity,
                _("what was brought is not the image that the manifest names"),
                reference);
  check(*engine, wanted, *image);
  const Digest digest = wanted.digest ? *wanted.digest : digest_of(*image, reference);
  if (wanted.by_tag)
    staged.newly_pinned[tagged(source)] = digest;
  staged.detail = source.name + "@" + digest.to_string();
  staged.artifacts = {{source.name, digest}};
  staged.external_wanted = record_of(wanted.read ? reference : staged.detail, image->id);
  staged.identity = "image\n" + staged.detail + "\n";
  return staged;
}

std::string ImageKind::brought(const std::string& before, const std::string& wanted) const {
  const Json was = Json::parse(before, nullptr, false);
  if (was.is_object() && was.value("present", false))
    return {};
  const Json record = parse(wanted);
  return record.value("reference", record["id"].get<std::string>());
}

void ImageKind::undo_external(const std::string& before,
                              const std::string& wanted,
                              const std::vector<std::string>& wanted_by_others,
                              const Activity& activity) {
  if (brought(before, wanted).empty())
    return;
  const Json record = parse(wanted);
  const ContainerEngine& engine = engine_in(record);
  const std::string id = record["id"], reference = record.value("reference", "");
  for (const std::string& text : wanted_by_others) {
    const Json other = parse(text);
    if (&engine_in(other) == &engine &&
        (other["id"] == id || other.value("reference", "") == reference))
      return;
  }
  const auto result = run(engine, engine.remove_image(id, reference), activity);
  if (result.ok())
    return;
  const Error why = failure(result, reference);
  if (why.kind() != ErrorKind::NotFound)
    throw why;
}

std::vector<std::string> ImageKind::verify_external(const std::string& wanted,
                                                    const Activity& activity) {
  const Json record = parse(wanted);
  const std::string reference = record.value("reference", "");
  const auto image = look(engine_in(record), reference, activity);
  if (!image)
    return {fmt::format(fmt::runtime(_("the image {} is gone")), reference)};
  if (image->id != record["id"].get<std::string>())
    return {fmt::format(fmt::runtime(_("the image {} is another one")), reference)};
  return {};
}

}  // namespace

std::string image_engine(const std::string& wanted) {
  return engine_in(parse(wanted)).name();
}

std::string image_to_run(const std::string& wanted) {
  const Json record = parse(wanted);
  const std::string reference = record.value("reference", "");
  return reference.find('@') == std::string::npos ? record["id"].get<std::string>() : reference;
}

std::unique_ptr<SourceKind> make_image_source(Surroundings surroundings) {
  return std::make_unique<ImageKind>(surroundings);
}

}  // namespace las::source
