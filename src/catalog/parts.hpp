// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/catalog/manifest.hpp"
#include "las/document/node.hpp"

#include <vector>

/// The sections of a manifest, each from its node.
namespace las::catalog {

Dependencies read_dependencies(const document::Node& node);
/// data.format; "" where it is not said.
std::string read_data_format(const document::Node& node);
SystemChanges read_system_changes(const document::Node& node);
/// In document order. `common` is integrity.checksum: the digest of the archive that has neither a
/// digest nor a checksum file of its own; `data_format`, the manifest's, of the releases that say
/// none.
std::vector<Release> read_releases(const document::Node& node,
                                   const std::optional<Digest>& common,
                                   const std::string& data_format);
std::vector<Option> read_options(const document::Node& node);
/// `manifest` has its releases and options: the templates of the service may name their parts.
ServiceTemplate read_service(const document::Node& node, const Manifest& manifest);
/// Whether the text of a configuration file names only what there is; `manifest` has its service.
void check_config_template(const ConfigFile& file,
                           const Manifest& manifest,
                           Diagnostics& diagnostics);

}  // namespace las::catalog
