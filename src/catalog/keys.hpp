// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

/// Every key and every word of the manifest format, by the name that its object has under "$defs"
/// in share/schema/manifest.schema.json. A test keeps the two equal.
namespace las::catalog {

using Words = std::vector<std::string>;

inline const std::map<std::string, Words> kKeys = {
    {"manifest",
     {"schema",
      "name",
      "category",
      "version",
      "description",
      "license",
      "homepage",
      "deprecated",
      "hardware",
      "runtime",
      "interfaces",
      "integrity",
      "dependencies",
      "conflicts",
      "data",
      "system",
      "releases",
      "service",
      "options"}},
    {"hardware", {"cpu", "memory", "gpu", "glibc_min", "os", "tools"}},
    {"hardware.cpu", {"cores_min", "features", "architectures"}},
    {"hardware.memory", {"ram_min"}},
    {"hardware.gpu",
     {"vram_min", "multi_gpu", "vendor", "compute_capability_min", "driver_min", "cuda_min"}},
    {"dependencies", {"system", "modules", "runtime", "capabilities", "optional"}},
    {"runtime", {"modes", "preferred"}},
    {"interfaces", {"provides", "consumes"}},
    {"integrity", {"checksum", "signature"}},
    {"data", {"format"}},
    {"system", {"sysctl", "groups", "users"}},
    {"release", {"version", "date", "dependencies", "variants", "data"}},
    {"variant", {"name", "priority", "hardware", "sources"}},
    {"source",
     {"archive",
      "apt",
      "python",
      "npm",
      "deb",
      "image",
      "delivers",
      "executables",
      "files",
      "hardware",
      "download_size",
      "installed_size",
      "note"}},
    {"part", {"url", "digest", "checksum", "size", "strip", "into"}},
    {"archive", {"parts", "url", "digest", "checksum", "size", "strip", "into"}},
    {"checksum", {"url", "format"}},
    {"apt", {"packages"}},
    {"deb", {"packages", "without"}},
    {"image", {"name", "tag", "digest", "archive"}},
    {"python", {"requirements", "lock", "python"}},
    {"npm", {"lock", "node", "allow_scripts"}},
    {"file", {"from", "to", "executable"}},
    {"service",
     {"kind",
      "command",
      "container",
      "prepare",
      "config",
      "secrets",
      "notify",
      "auth",
      "limits",
      "environment",
      "port",
      "health",
      "stop_signal",
      "stop_timeout",
      "formats",
      "api",
      "metrics",
      "needs_open"}},
    {"health",
     {"http",
      "expect",
      "tcp",
      "exec",
      "environment",
      "start_period",
      "interval",
      "timeout",
      "retries"}},
    {"preparation", {"makes", "command"}},
    {"container", {"command", "check", "environment", "port", "data", "temporary", "capabilities"}},
    {"limits", {"memory", "cpu_percent", "tasks", "io_weight", "cpus"}},
    {"door", {"value", "reason"}},
    {"option", {"name", "type", "description", "default", "choices"}},
};

inline const Words kCategories = {
    "language", "runtime", "framework", "service", "application", "tool", "model"};
/// "binary" and "source" stand in published manifests; both mean: not in a container.
inline const Words kModes = {"native", "container", "binary", "source"};
inline const Words kGpuVendors = {"nvidia", "amd", "intel"};
inline const Words kArchitectures = {"x86_64", "aarch64", "riscv64", "ppc64le", "s390x", "armv7l"};
/// The facts about programs that have a version (hardware::Tools); NVIDIA's driver and CUDA stand
/// under "gpu".
inline const Words kTools = {
    "systemd", "podman", "docker", "python", "cuda_toolkit", "rocm", "level_zero"};
inline const Words kChecksumFormats = {"sums", "release-assets"};
inline const Words kServiceKinds = {"service", "deployment"};
inline const Words kStopSignals = {
    "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"};
inline const Words kOptionTypes = {"text", "integer", "boolean", "size", "choice"};

}  // namespace las::catalog
