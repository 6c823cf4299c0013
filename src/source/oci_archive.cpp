// SPDX-License-Identifier: Apache-2.0
#include "oci_archive.hpp"

#include "archive_reader.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/platform/hasher.hpp"
#include "las/source/tar.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::source {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kBlobs = "blobs/sha256/";
constexpr std::uint64_t kDocument = ByteSize::mib(4).bytes();  // what registries allow a manifest
constexpr std::size_t kDocuments = 1000;
constexpr std::size_t kPartBlock = 256 * 1024;
constexpr int kIndexes = 4;  // one within the other

// As Go, and with it the specification, names what this program was built for.
constexpr std::string_view kArchitecture =
#if defined(__x86_64__)
    "amd64";
#elif defined(__aarch64__)
    "arm64";
#elif defined(__riscv)
    "riscv64";
#elif defined(__powerpc64__)
    "ppc64le";
#elif defined(__s390x__)
    "s390x";
#else
    "arm";
#endif

Error no_oci_archive(const fs::path& archive, const std::string& cause) {
  return Error(ErrorKind::InvalidData, _("this is no OCI archive of an image"), archive.string())
      .cause(cause);
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// What a descriptor says of its platform; without it, an empty object.
Json platform_of(const Json& descriptor) {
  const auto found = descriptor.find("platform");
  return found != descriptor.end() && found->is_object() ? *found : Json::object();
}

/// As archives write it: "./index.json" is "index.json".
std::string plain(std::string name) {
  return name.starts_with("./") ? name.substr(2) : name;
}

std::string blob(const Digest& digest) {
  return std::string(kBlobs) + digest.hex();
}

/// The documents of an archive: its index, and whatever is small enough to be one.
std::map<std::string, std::string> read_documents(const platform::FileReader& files,
                                                  const fs::path& archive,
                                                  const Activity& activity) {
  std::map<std::string, std::string> found;
  ArchiveReader reader(files, archive);
  while (archive_entry* const entry = reader.next()) {
    activity.cancellation.throw_if_requested();
    const std::string name = plain(reader.name_of(entry));
    if (name != "index.json" && !name.starts_with(kBlobs))
      continue;
    std::string content, block(kPartBlock, '\0');
    while (content.size() <= kDocument) {
      const std::size_t size = reader.read(block);
      if (size == 0)
        break;
      content.append(block, 0, size);
    }
    // A layer; and the first of a name counts, as all of a name have to be the same.
    if (content.size() <= kDocument && content.starts_with('{') && found.size() < kDocuments)
      found.emplace(name, std::move(content));
  }
  return found;
}

class Layout {
 public:
  Layout(const platform::FileReader& files, const fs::path& archive, const Activity& activity)
      : archive_(archive), documents_(read_documents(files, archive, activity)) {}

  OciImage image(const std::optional<Digest>& wanted) const;

 private:
  /// A digest and the document that has it.
  Json open(const Digest& digest) const;
  Json parse(const std::string& text) const;
  Digest digest_in(const Json& descriptor) const;
  std::vector<Json> manifests(const Json& index) const;
  /// The manifest that `digest` leads to.
  Digest manifest(const Digest& digest, int depth) const;

  const fs::path& archive_;
  std::map<std::string, std::string> documents_;
};

Json Layout::parse(const std::string& text) const {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    throw no_oci_archive(archive_, _("one of its documents is no JSON object"));
  return json;
}

Json Layout::open(const Digest& digest) const {
  const auto found = documents_.find(blob(digest));
  if (found == documents_.end())
    throw no_oci_archive(archive_, digest.to_string() + ": " + _("is not in it"));
  if (platform::digest_of(found->second) != digest)
    throw Error(ErrorKind::Integrity, _("the archive is damaged"), archive_.string())
        .cause(digest.to_string());
  return parse(found->second);
}

Digest Layout::digest_in(const Json& descriptor) const {
  const auto digest =
      Digest::parse(descriptor.is_object() ? text_in(descriptor, "digest") : std::string());
  if (digest && digest->algorithm() == "sha256")
    return *digest;
  throw no_oci_archive(archive_, _("a part of it has no digest"));
}

std::vector<Json> Layout::manifests(const Json& index) const {
  std::vector<Json> found;
  if (const auto list = index.find("manifests"); list != index.end() && list->is_array()) {
    // What signs or describes an image is listed beside it.
    std::copy_if(list->begin(), list->end(), std::back_inserter(found), [](const Json& one) {
      return one.is_object() && text_in(platform_of(one), "os") != "unknown";
    });
  }
  return found;
}

Digest Layout::manifest(const Digest& digest, int depth) const {
  const Json document = open(digest);
  if (document.contains("config"))
    return digest;
  std::vector<Json> choice = manifests(document);
  if (choice.size() > 1) {
    std::erase_if(choice, [](const Json& one) {
      const Json platform = platform_of(one);
      return text_in(platform, "os") != "linux" ||
             text_in(platform, "architecture") != kArchitecture;
    });
  }
  if (choice.empty() || depth == 0)
    throw no_oci_archive(archive_, _("it has no image for this machine's architecture"));
  return manifest(digest_in(choice.front()), depth - 1);
}

OciImage Layout::image(const std::optional<Digest>& wanted) const {
  const auto index = documents_.find("index.json");
  if (index == documents_.end())
    throw no_oci_archive(archive_, _("it has no index.json"));
  std::set<Digest> choice;
  for (const Json& one : manifests(parse(index->second)))
    choice.insert(digest_in(one));
  const auto mismatch = [&](const Digest& is) {
    return Error(ErrorKind::Integrity,
                 _("this is another image than the manifest names"),
                 archive_.string())
        .cause(
            fmt::format(fmt::runtime(_("{} instead of {}")), is.to_string(), wanted->to_string()));
  };
  if (choice.empty())
    throw no_oci_archive(archive_, _("it has no image"));
  Digest pinned = *choice.begin();
  if (wanted && choice.contains(*wanted))
    pinned = *wanted;
  else if (choice.size() > 1)
    throw wanted ? mismatch(pinned) : no_oci_archive(archive_, _("it has several images"));
  OciImage image;
  image.manifest = manifest(pinned, kIndexes);
  image.pinned = wanted && *wanted == image.manifest ? image.manifest : pinned;
  if (wanted && *wanted != image.pinned)
    throw mismatch(image.pinned);
  const Json document = open(image.manifest);
  image.config = digest_in(document["config"]);
  if (const auto layers = document.find("layers"); layers != document.end() && layers->is_array())
    std::transform(
        layers->begin(), layers->end(), std::back_inserter(image.layers), [&](const Json& layer) {
          return digest_in(layer);
        });
  return image;
}

}  // namespace

OciImage read_oci_image(const platform::FileReader& files,
                        const fs::path& archive,
                        const std::optional<Digest>& wanted,
                        const Activity& activity) {
  return Layout(files, archive, activity).image(wanted);
}

void write_docker_archive(platform::FileSystem& files,
                          const fs::path& archive,
                          const OciImage& image,
                          const std::string& tag,
                          const fs::path& destination,
                          const Activity& activity) {
  const auto file = files.create_file(destination, 0600);
  TarWriter writer([&](std::span<const char> bytes) { file->write(bytes); });
  Json layers = Json::array();
  std::map<std::string, Digest> missing = {{blob(image.config), image.config}};
  for (const Digest& layer : image.layers) {
    missing.emplace(blob(layer), layer);
    layers.push_back(blob(layer));
  }
  writer.add(
      {TarEntry::Kind::File,
       "manifest.json",
       Json::array(
           {{{"Config", blob(image.config)}, {"RepoTags", Json::array({tag})}, {"Layers", layers}}})
           .dump()});

  ArchiveReader reader(files, archive);
  const ArchiveLibrary& library = archive_library();
  const auto damaged = [&](const Digest& digest) {
    return Error(ErrorKind::Integrity, _("the archive is damaged"), archive.string())
        .cause(digest.to_string());
  };
  std::string block(kPartBlock, '\0');
  while (archive_entry* const entry = reader.next()) {
    const auto part = missing.find(plain(reader.name_of(entry)));
    if (part == missing.end() || library.entry_filetype(entry) != AE_IFREG)
      continue;
    writer.begin_file(part->first, static_cast<std::uint64_t>(library.entry_size(entry)));
    platform::Hasher hasher;
    while (const std::size_t size = reader.read(block)) {
      activity.cancellation.throw_if_requested();
      const std::span<const char> bytes(block.data(), size);
      hasher.update(bytes);
      writer.write(bytes);
    }
    if (hasher.finish() != part->second)
      throw damaged(part->second);
    missing.erase(part);
  }
  if (!missing.empty())
    throw damaged(missing.begin()->second).cause(missing.begin()->first + ": " + _("is not in it"));
  writer.close();
  file->close();
}

}  // namespace las::source
