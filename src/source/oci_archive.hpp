// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/activity.hpp"
#include "las/base/digest.hpp"
#include "las/platform/file_system.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace las::source {

/// An image, as the manifest in an OCI archive says that it is put together.
/// Source: OCI Image Format Specification 1.0, "Image Layout" and "Image Manifest".
struct OciImage {
  Digest pinned;               ///< what a reference to it names: the manifest, or an index of it
  Digest manifest;             ///< of this machine's architecture
  Digest config;               ///< the engines call it the image's id
  std::vector<Digest> layers;  ///< the lowest first
};

/// What the archive has, or of several images the one that `wanted` names. Its manifest and all
/// that leads there is compared with its digest; the layers are not read.
/// NotFound when there is no such file; InvalidData for what is no OCI archive or holds several
/// images; Integrity when it has no image with the digest `wanted`, or a manifest is not what its
/// digest says.
OciImage read_oci_image(const platform::FileReader& files,
                        const std::filesystem::path& archive,
                        const std::optional<Digest>& wanted,
                        const Activity& activity);

/// The same image as an archive that docker reads, by the name `tag` ("NAME:TAG"), in the new file
/// `destination`. Every byte was compared with its digest when this returns.
/// Source: Docker Image Specification 1.2, "Combined Image JSON + Filesystem Changeset Format".
/// Integrity when a part is not what its digest says or is missing; NoSpace.
void write_docker_archive(platform::FileSystem& files,
                          const std::filesystem::path& archive,
                          const OciImage& image,
                          const std::string& tag,
                          const std::filesystem::path& destination,
                          const Activity& activity);

}  // namespace las::source
