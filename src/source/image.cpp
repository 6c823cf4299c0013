// SPDX-License-Identifier: Apache-2.0
#include "program_paths.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
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

/// What podman knows of an image that it has.
struct Image {
  std::string id;      ///< of its configuration: the same however it came
  std::string digest;  ///< of its manifest; another one where an archive did not keep it
  std::vector<std::string> digests;  ///< of all manifests that it was ever had by
  std::string architecture;
  std::string reference;  ///< "NAME@DIGEST", by which it is run; else its id
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

  void undo_external(const std::string& before,
                     const std::string& wanted,
                     const std::vector<std::string>& wanted_by_others,
                     const Activity& activity) override;
  std::vector<std::string> verify_external(const std::string& wanted,
                                           const Activity& activity) override;

 private:
  platform::ProcessResult podman(Words arguments, const Activity& activity) const;
  std::optional<Image> look(const std::string& reference, const Activity& activity) const;
  void bring(const StageRequest& request,
             const std::string& reference,
             const Activity& activity) const;
  void check(const catalog::ImageSource& source,
             const Image& image,
             const std::string& subject) const;

  Surroundings around_;
};

const catalog::ImageSource& image_of(const catalog::Source& source) {
  return std::get<catalog::ImageSource>(source.how);
}

/// "NAME@DIGEST" where the digest is known, else "NAME:TAG".
std::string reference_of(const catalog::ImageSource& image) {
  return image.digest ? image.name + "@" + image.digest->to_string() : image.name + ":" + image.tag;
}

/// podman's own words for what went wrong; it always exits with 125.
Error failure(const platform::ProcessResult& result, const std::string& reference) {
  const std::string said(text::trim(result.err));

  struct Case {
    const char* words;
    ErrorKind kind;
  };

  static constexpr std::array kCases{
      Case{"does not match provided manifest digest", ErrorKind::Integrity},
      Case{"Digest did not match", ErrorKind::Integrity},
      Case{"no space left on device", ErrorKind::NoSpace},
      Case{"manifest unknown", ErrorKind::NotFound},
      Case{"image not known", ErrorKind::NotFound},
      Case{"does not match any of the supported image formats", ErrorKind::InvalidData},
      Case{"connection refused", ErrorKind::Network},
      Case{"dial tcp", ErrorKind::Network},
      Case{"pinging container registry", ErrorKind::Network},
      Case{"unexpected EOF", ErrorKind::Network},
      Case{"timeout", ErrorKind::Network},
  };
  const auto found = std::find_if(kCases.begin(), kCases.end(), [&](const Case& one) {
    return said.find(one.words) != std::string::npos;
  });
  const auto lines = text::lines(said);
  Error error(
      found == kCases.end() ? ErrorKind::Io : found->kind, _("the image cannot be had"), reference);
  error.cause(lines.empty() ? fmt::format("{}", result.status) : lines.back());
  if (found != kCases.end() && found->kind == ErrorKind::NotFound)
    error.hint(_("the registry has no image of this name with this digest or tag"));
  return error;
}

Json parse(const std::string& record) {
  Json json = Json::parse(record, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_string())
    throw Error(ErrorKind::CorruptState, _("the record of an image is damaged"));
  return json;
}

platform::ProcessResult ImageKind::podman(Words arguments, const Activity& activity) const {
  platform::Command command;
  command.argv = {"podman"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = around_.environment.variables;
  command.environment["PATH"] = kAdministratorPath;
  command.environment["LC_ALL"] = "C.UTF-8";
  return around_.processes.run(command, activity, std::nullopt, [&](std::string_view line) {
    activity.debug("source", std::string(line));
  });
}

std::string ImageKind::unavailable(const catalog::Source&, const Activity&) {
  if (around_.layout.root != "/")
    return _("images cannot be kept below --root");
  if (!around_.processes.find_program("podman", kAdministratorPath))
    return _("podman is missing (apt install podman)");
  if (around_.layout.scope == platform::Scope::System && around_.environment.uid != 0)
    return _("the system's images need root");
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

std::optional<Image> ImageKind::look(const std::string& reference, const Activity& activity) const {
  const auto result =
      podman({"image",
              "inspect",
              "--format",
              "{{.Id}} {{.Digest}} {{.Architecture}} {{range .RepoDigests}}{{.}},{{end}}",
              "--",
              reference},
             activity);
  if (!result.ok())
    return std::nullopt;
  const auto words = text::split(std::string(text::trim(result.out)), ' ');
  constexpr std::size_t kWords = 3, kDigests = 3;
  if (words.size() < kWords)
    throw Error(ErrorKind::Io, _("podman says nothing that can be read of this image"), reference)
        .cause(std::string(text::trim(result.out)));
  Image image{words[0], words[1], {words[1]}, words[2], {}};
  if (words.size() > kDigests) {
    for (const std::string& name : text::split(words[kDigests], ',')) {
      if (const auto at = name.find('@'); at != std::string::npos)
        image.digests.push_back(name.substr(at + 1));
    }
  }
  return image;
}

void ImageKind::bring(const StageRequest& request,
                      const std::string& reference,
                      const Activity& activity) const {
  const catalog::ImageSource& image = image_of(*request.source);
  // One that comes with the manifest: an OCI archive keeps the digest.
  const std::string from =
      image.archive.empty()
          ? reference
          : "oci-archive:" + (fs::path(request.manifest_directory) / image.archive).string();
  const auto result = podman({"pull", "-q", from}, activity);
  if (!result.ok())
    throw failure(result, reference);
}

/// The names of architectures are Go's.
void ImageKind::check(const catalog::ImageSource& source,
                      const Image& image,
                      const std::string& subject) const {
  const auto& known = image.digests;
  if (source.digest &&
      std::find(known.begin(), known.end(), source.digest->to_string()) == known.end())
    throw Error(ErrorKind::Integrity, _("this is another image than the manifest names"), subject)
        .cause(fmt::format(
            fmt::runtime(_("{} instead of {}")), image.digest, source.digest->to_string()));
}

Staged ImageKind::stage(const StageRequest& request, const Activity& activity) {
  const catalog::ImageSource& source = image_of(*request.source);
  catalog::ImageSource wanted = source;
  // What the tag meant at the first install it means for ever.
  const std::string tagged = source.name + ":" + source.tag;
  if (!wanted.digest && request.pinned)
    wanted.digest = request.pinned(tagged);
  const std::string reference = reference_of(wanted);

  Staged staged;
  staged.detail = reference;
  const std::string event_id = "image:" + request.module;
  const auto before = look(reference, activity);
  Json record = {{"present", before.has_value()}};
  staged.external_before = record.dump();
  // The intent names what will be there: by digest it is known ahead, by tag its name is all.
  staged.external_wanted = Json{{"reference", reference}, {"id", before ? before->id : ""}}.dump();
  if (!before) {
    if (request.journal_external)
      request.journal_external(*staged.external_before, *staged.external_wanted);
    activity.reporter.report(
        event::Started{event_id,
                       fmt::format(fmt::runtime(_("Pulling {}")), describe(*request.source)),
                       std::nullopt});
    try {
      bring(request, reference, activity);
    } catch (...) {
      activity.reporter.report(event::Finished{event_id, false, {}});
      throw;
    }
    activity.reporter.report(event::Finished{event_id, true, {}});
  }
  const auto image = look(reference, activity);
  if (!image)
    throw Error(ErrorKind::Integrity,
                _("what was brought is not the image that the manifest names"),
                reference);
  check(wanted, *image, reference);
  const Digest digest = wanted.digest ? *wanted.digest : Digest::parse(image->digest).value();
  if (!wanted.digest)
    staged.newly_pinned[tagged] = digest;
  staged.detail = source.name + "@" + digest.to_string();
  staged.artifacts = {{source.name, digest}};
  staged.external_wanted = Json{{"reference", staged.detail}, {"id", image->id}}.dump();
  staged.identity = "image\n" + staged.detail + "\n";
  return staged;
}

void ImageKind::undo_external(const std::string& before,
                              const std::string& wanted,
                              const std::vector<std::string>& wanted_by_others,
                              const Activity& activity) {
  const Json was = Json::parse(before, nullptr, false);
  if (was.is_object() && was.value("present", false))
    return;
  const Json record = parse(wanted);
  const std::string id = record["id"], reference = record.value("reference", "");
  for (const std::string& other : wanted_by_others) {
    if (parse(other)["id"] == id || parse(other).value("reference", "") == reference)
      return;
  }
  const auto result = podman({"rmi", id.empty() ? reference : id}, activity);
  constexpr int kAbsent = 1;
  if (!result.ok() && result.status != kAbsent)
    throw failure(result, reference);
}

std::vector<std::string> ImageKind::verify_external(const std::string& wanted,
                                                    const Activity& activity) {
  const Json record = parse(wanted);
  const std::string reference = record.value("reference", "");
  const auto image = look(reference, activity);
  if (!image)
    return {fmt::format(fmt::runtime(_("the image {} is gone")), reference)};
  if (image->id != record["id"])
    return {fmt::format(fmt::runtime(_("the image {} is another one")), reference)};
  return {};
}

}  // namespace

std::unique_ptr<SourceKind> make_image_source(Surroundings surroundings) {
  return std::make_unique<ImageKind>(surroundings);
}

}  // namespace las::source
