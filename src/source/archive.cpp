// SPDX-License-Identifier: Apache-2.0
#include "entry_path.hpp"
#include "payload.hpp"
#include "unpack.hpp"
#include "url.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/source/source.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::source {

namespace {

/// A part with the digest it must have, if one can be known before the download.
struct KnownPart {
  const catalog::ArchivePart* part;
  std::optional<Digest> digest;
  bool newly_pinned = false;
};

class Archive : public SourceKind {
 public:
  explicit Archive(Surroundings surroundings) : around_(surroundings) {}

  std::string kind() const override { return "archive"; }

  std::string unavailable(const catalog::Source&, const Activity&) override { return {}; }

  std::string describe(const catalog::Source& source) const override;
  catalog::Source bound_to(const catalog::Source& source,
                           const std::vector<InputArtifact>& artifacts) const override;
  std::vector<fetch::Artifact> artifacts(const StageRequest& request) const override;
  Staged stage(const StageRequest& request, const Activity& activity) override;

 private:
  static fetch::Artifact artifact_of(const StageRequest& request,
                                     const catalog::ArchivePart& part,
                                     const std::optional<Digest>& digest);
  /// From the manifest, or pinned at an earlier install.
  static std::optional<Digest> known_digest(const catalog::ArchivePart& part,
                                            const StageRequest& request);
  KnownPart find_digest(const catalog::ArchivePart& part,
                        const StageRequest& request,
                        const Activity& activity) const;
  bool lies_in_store(const StageRequest& request, const std::vector<KnownPart>& parts) const;
  Digest published_digest(const catalog::ArchivePart& part, const Activity& activity) const;

  Surroundings around_;
};

const catalog::ArchiveSource& archive_of(const catalog::Source& source) {
  return std::get<catalog::ArchiveSource>(source.how);
}

const std::string& first_url(const catalog::ArchivePart& part) {
  if (part.urls.empty())
    throw Error(ErrorKind::InvalidData, _("an archive of the manifest has no URL"));
  return part.urls.front();
}

/// Everything about a payload that follows from its parts' digests, which are all known.
void describe_payload(const StageRequest& request,
                      const std::vector<KnownPart>& parts,
                      const std::vector<PayloadFile>& files,
                      Staged& staged) {
  staged.identity = "archive\n";
  for (const KnownPart& part : parts) {
    staged.identity += fmt::format(
        "part {} strip={} into={}\n", part.digest->to_string(), part.part->strip, part.part->into);
    staged.artifacts.push_back({first_url(*part.part), *part.digest});
    if (part.newly_pinned)
      staged.newly_pinned.emplace(first_url(*part.part), *part.digest);
  }
  staged.identity += source::identity_of(files);
  staged.store_name = make_store_name(request.module, request.version, staged.identity);
}

std::string Archive::describe(const catalog::Source& source) const {
  const auto& parts = archive_of(source).parts;
  if (parts.empty() || parts.front().urls.empty())
    return {};
  return parts.front().urls.front();
}

catalog::Source Archive::bound_to(const catalog::Source& source,
                                  const std::vector<InputArtifact>& artifacts) const {
  catalog::Source bound = source;
  auto& parts = std::get<catalog::ArchiveSource>(bound.how).parts;
  if (parts.size() != artifacts.size())
    throw Error(
        ErrorKind::Unsatisfiable,
        fmt::format(
            fmt::runtime(_("made of {} archives, not of {}")), parts.size(), artifacts.size()),
        describe(source));
  for (catalog::ArchivePart& part : parts) {
    const auto artifact = std::find_if(artifacts.begin(), artifacts.end(), [&](const auto& one) {
      return std::find(part.urls.begin(), part.urls.end(), one.from) != part.urls.end();
    });
    if (artifact == artifacts.end())
      throw Error(ErrorKind::Unsatisfiable, _("not one of the wanted archives"), first_url(part));
    if (part.digest && *part.digest != artifact->digest)
      throw Error(ErrorKind::Integrity, _("the catalog names other bytes"), artifact->from)
          .cause(fmt::format(fmt::runtime(_("{}, wanted {}")),
                             part.digest->to_string(),
                             artifact->digest.to_string()));
    part.digest = artifact->digest;
  }
  return bound;
}

Digest Archive::published_digest(const catalog::ArchivePart& part, const Activity& activity) const {
  fetch::Request request;
  request.url = part.checksum->url;
  const fetch::Response response = around_.fetcher.exchange(request, activity);
  if (response.status != 200)
    throw Error(ErrorKind::Network, _("cannot get the publisher's checksums"), request.url)
        .cause(fmt::format("HTTP {}", response.status));
  for (const std::string& url : part.urls) {
    const auto digest =
        fetch::find_checksum(response.body, part.checksum->format, url_file_name(url));
    if (digest)
      return *digest;
  }
  throw Error(ErrorKind::Integrity,
              _("the publisher's checksums do not name the file"),
              url_file_name(first_url(part)))
      .cause(request.url);
}

std::optional<Digest> Archive::known_digest(const catalog::ArchivePart& part,
                                            const StageRequest& request) {
  if (part.digest)
    return part.digest;
  for (const std::string& url : part.urls) {
    if (const auto pinned = request.pinned ? request.pinned(url) : std::nullopt)
      return pinned;
  }
  return std::nullopt;
}

KnownPart Archive::find_digest(const catalog::ArchivePart& part,
                               const StageRequest& request,
                               const Activity& activity) const {
  if (const auto digest = known_digest(part, request))
    return {&part, digest};
  if (part.checksum)
    return {&part, published_digest(part, activity), true};
  return {&part, std::nullopt, true};
}

fetch::Artifact Archive::artifact_of(const StageRequest& request,
                                     const catalog::ArchivePart& part,
                                     const std::optional<Digest>& digest) {
  const std::string file_name = url_file_name(first_url(part));
  return {fmt::format("{}-{}:{}", request.module, request.version, file_name),
          fmt::format("{} {} ({})", request.module, request.version, file_name),
          part.urls,
          digest,
          part.size};
}

bool Archive::lies_in_store(const StageRequest& request,
                            const std::vector<KnownPart>& parts) const {
  try {
    Staged staged;
    describe_payload(
        request,
        parts,
        read_manifest_files(around_.files, request.source->files, request.manifest_directory),
        staged);
    return around_.files.exists(around_.layout.store() / staged.store_name);
  } catch (const Error&) {
    return false;  // stage() will say what is wrong
  }
}

std::vector<fetch::Artifact> Archive::artifacts(const StageRequest& request) const {
  std::vector<KnownPart> parts;
  std::vector<fetch::Artifact> artifacts;
  for (const catalog::ArchivePart& part : archive_of(*request.source).parts) {
    parts.push_back({&part, known_digest(part, request)});
    if (parts.back().digest)
      artifacts.push_back(artifact_of(request, part, parts.back().digest));
  }
  // What lies in the store is probably whole; stage() finds out, and fetches it where it is not.
  if (request.in_store && artifacts.size() == parts.size() && lies_in_store(request, parts))
    return {};
  return artifacts;
}

Staged Archive::stage(const StageRequest& request, const Activity& activity) {
  const catalog::Source& source = *request.source;
  const std::vector<PayloadFile> files =
      read_manifest_files(around_.files, source.files, request.manifest_directory);

  std::vector<KnownPart> parts;
  std::vector<fetch::Artifact> artifacts;
  for (const catalog::ArchivePart& part : archive_of(source).parts) {
    parts.push_back(find_digest(part, request, activity));
    artifacts.push_back(artifact_of(request, part, parts.back().digest));
  }
  if (parts.empty())
    throw Error(ErrorKind::InvalidData, _("an archive source names no archive"), request.module);

  Staged staged;
  staged.delivered = source.delivers;
  staged.executables = source.executables;
  staged.detail = first_url(*parts.front().part);
  const bool known = std::all_of(
      parts.begin(), parts.end(), [](const KnownPart& part) { return part.digest.has_value(); });
  if (known) {
    describe_payload(request, parts, files, staged);
    if (request.in_store && request.in_store(staged.store_name)) {
      check_executables(
          around_.files, source.executables, around_.layout.store() / staged.store_name);
      return staged;
    }
  }

  const std::vector<fetch::Fetched> fetched =
      around_.fetcher.fetch(artifacts, around_.layout.downloads(), activity);
  if (!fetched.front().url.empty())
    staged.detail = fetched.front().url;
  if (!known) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      parts[i].digest = fetched[i].digest;
    describe_payload(request, parts, files, staged);
  }
  staged.payload = request.staging / "payload";
  around_.files.make_directories(staged.payload);
  EntryTree tree;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const catalog::ArchivePart& part = *parts[i].part;
    const std::string title =
        fmt::format(fmt::runtime(_("Unpacking {}")), url_file_name(first_url(part)));
    unpack(around_.files,
           {fetched[i].path, staged.payload, part.into, part.strip, title},
           ExtractLimits{},
           tree,
           activity);
  }
  place_manifest_files(around_.files, files, staged.payload);
  check_executables(around_.files, source.executables, staged.payload);
  return staged;
}

}  // namespace

std::unique_ptr<SourceKind> make_archive_source(Surroundings surroundings) {
  return std::make_unique<Archive>(surroundings);
}

}  // namespace las::source
