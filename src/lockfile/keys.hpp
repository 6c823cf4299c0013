// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

/// Every key and every word of the two documents, by the name that its object has under "$defs" in
/// share/schema/lock.schema.json. A test keeps the two equal.
namespace las::lockfile {

using Words = std::vector<std::string>;

inline const std::map<std::string, Words> kKeys = {
    {"lock", {"schema", "kind", "machine", "policy", "world", "modules", "models", "services"}},
    {"machine",
     {"architecture",
      "gpu_vendor",
      "compute_capability_min",
      "driver_min",
      "cuda_min",
      "glibc_min",
      "vram_min",
      "cpu_features"}},
    {"policy", {"documents", "overrides"}},
    {"policy.document", {"name", "layer", "digest"}},
    {"policy.override", {"capability", "reason"}},
    {"wish", {"name", "version", "variant", "mode", "hold", "wished"}},
    {"module", {"name", "version", "variant", "mode", "reason", "source"}},
    {"source", {"kind", "delivered", "artifacts", "requirements", "packages"}},
    {"artifact", {"from", "digest"}},
    {"model", {"name", "format", "digest", "size", "source"}},
    {"service", {"name", "engine", "model", "model_digest", "host", "port", "options", "running"}},
    {"wishes", {"schema", "kind", "modules", "models", "services"}},
    {"wished.module", {"name", "version", "variant", "mode", "hold"}},
    {"wished.model", {"name", "path", "digest"}},
    {"wished.service", {"name", "engine", "model", "port", "options", "running"}},
};

inline const Words kKinds = {"lock", "wishes"};
inline const Words kModes = {"native", "container"};
inline const Words kReasons = {"user", "dependency", "optional"};
inline const Words kLayers = {"shipped", "site"};
inline const Words kGpuVendors = {"nvidia", "amd", "intel"};

}  // namespace las::lockfile
