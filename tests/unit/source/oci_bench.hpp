// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/hasher.hpp"
#include "las/source/tar.hpp"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace las::test {

/// Puts an OCI archive together, part by part.
class OciArchive {
 public:
  using Json = nlohmann::json;

  /// A descriptor of it.
  Json blob(const std::string& content) {
    const Digest digest = platform::digest_of(content);
    entries_.push_back({source::TarEntry::Kind::File, "blobs/sha256/" + digest.hex(), content});
    return {{"digest", digest.to_string()}, {"size", content.size()}};
  }

  Json image(const std::vector<std::string>& layers, const std::string& config) {
    Json manifest = {{"schemaVersion", 2}, {"config", blob(config)}, {"layers", Json::array()}};
    for (const std::string& layer : layers)
      manifest["layers"].push_back(blob(layer));
    return blob(manifest.dump());
  }

  static Json for_platform(Json descriptor, const char* os, const char* architecture) {
    descriptor["platform"] = {{"os", os}, {"architecture", architecture}};
    return descriptor;
  }

  static Json index_of(const std::vector<Json>& descriptors) {
    return {{"schemaVersion", 2}, {"manifests", descriptors}};
  }

  void index(const Json& document) {
    entries_.push_back({source::TarEntry::Kind::File, "index.json", document.dump()});
  }

  std::vector<source::TarEntry>& entries() { return entries_; }

  std::string bytes() const { return source::make_tar(entries_); }

 private:
  std::vector<source::TarEntry> entries_;
};

inline Digest digest_in(const nlohmann::json& descriptor) {
  return Digest::parse(descriptor.at("digest").get<std::string>()).value();
}

}  // namespace las::test
