// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/registry/index.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// Single manifests of a registry. Pure.
namespace las::registry {

/// Gives a file of the package by its path; nothing if there is none.
using FileOf = std::function<std::optional<std::string>(std::string_view path)>;

/// Why `manifest` may not stand under `name`: it is another's, or its own signature
/// (`integrity.signature`) is not one by `key`; "" if it may. A manifest that this las cannot read
/// for other reasons passes: it may be for a newer one, and the catalog leaves it out.
///
/// `integrity.signature` is one of
///   * the name of a file beside the manifest: minisign's signature of the manifest file;
///   * the base64 line of such a signature ("RU…"), of the manifest without the line it stands on,
///     which holds nothing else. To make one: sign the manifest without the line, then add it.
std::string manifest_fault(std::string_view manifest,
                           const std::string& name,
                           const PublicKey& key,
                           const FileOf& file_of);

/// The file beside the manifest that `integrity.signature` names; "" where it names none.
std::string signature_file_of(std::string_view manifest);

}  // namespace las::registry
