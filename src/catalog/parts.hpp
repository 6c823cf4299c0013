// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/catalog/manifest.hpp"
#include "las/document/node.hpp"

#include <vector>

/// The sections of a manifest, each from its node.
namespace las::catalog {

Dependencies read_dependencies(const document::Node& node);
/// In document order.
std::vector<Release> read_releases(const document::Node& node);
std::vector<Option> read_options(const document::Node& node);
/// `manifest` has its releases and options: the templates of the service may name their parts.
ServiceTemplate read_service(const document::Node& node, const Manifest& manifest);

}  // namespace las::catalog
