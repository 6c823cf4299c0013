// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"
#include "las/base/diagnostics.hpp"
#include "las/base/digest.hpp"
#include "las/base/version.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The manifest format (share/schema/manifest.schema.json). Pure values; parse_manifest makes them.
namespace las::catalog {

enum class Category { Language, Runtime, Framework, Service, Application, Tool, Model };
std::string_view to_string(Category category);

enum class Mode { Native, Container };
std::string_view to_string(Mode mode);

/// What a module, release or variant needs of the machine. An absent member is no requirement.
struct HardwareNeeds {
  std::optional<int> cores_min;
  std::optional<ByteSize> ram_min, vram_min;
  std::optional<bool> multi_gpu;
  std::optional<std::string> gpu_vendor;  ///< "nvidia", "amd", "intel"
  std::optional<Version> compute_capability_min, driver_min, cuda_min, glibc_min;
  std::vector<std::string> cpu_features;   ///< all of them
  std::vector<std::string> architectures;  ///< one of them; empty: any
  /// Distributions, each by its os-release ID with the versions it may have: one of them; empty:
  /// any. Derivatives do not count as what they derive from.
  std::map<std::string, VersionRange> os;
  /// Programs of the machine by their name among the profile's tools ("podman"): all of them.
  std::map<std::string, VersionRange> tools;
  bool operator==(const HardwareNeeds&) const = default;
};

struct ModuleDependency {
  std::string name;
  VersionRange range;
  bool operator==(const ModuleDependency&) const = default;
};

struct Dependencies {
  std::vector<std::string> system;  ///< distribution packages
  std::vector<ModuleDependency> modules;
  std::vector<std::string> runtime;  ///< runtime tools ("podman", "python3")
  std::vector<std::string> capabilities;
  std::vector<ModuleDependency> optional;
  bool operator==(const Dependencies&) const = default;
};

/// Where the publisher's own checksum of a file can be had, for releases whose digest is not in the
/// manifest. Such a release is "unpinned": the digest is fixed at the first install.
struct ChecksumFile {
  std::string url;
  /// "sums": lines "<hex>  <name>"; "release-assets": a JSON with assets[].{name, digest}.
  std::string format = "sums";
  bool operator==(const ChecksumFile&) const = default;
};

/// One file to fetch; urls in order of preference (mirrors).
struct ArchivePart {
  std::vector<std::string> urls;
  std::optional<Digest> digest;
  std::optional<ChecksumFile> checksum;
  std::optional<ByteSize> size;
  int strip = 0;     ///< leading path components to drop
  std::string into;  ///< folder within the payload; "" = its top
  bool operator==(const ArchivePart&) const = default;
};

/// A publisher's archive(s): tar (gz, bz2, xz, zst) or zip.
struct ArchiveSource {
  std::vector<ArchivePart> parts;
  bool operator==(const ArchiveSource&) const = default;
};

/// Packages of the running distribution.
struct AptSource {
  std::vector<std::string> packages;
  bool operator==(const AptSource&) const = default;
};

/// A hash-locked Python environment in the store.
struct PythonSource {
  std::vector<std::string> requirements;  ///< pip lines, each "name==version --hash=sha256:… …"
  VersionRange python;                    ///< of the interpreter
  /// Where the lines lie beside the manifest, for long ones; "" = they stand in it. read_locks
  /// fills `requirements` from it.
  std::string lock_file = {};
  bool operator==(const PythonSource&) const = default;
};

/// Packages of the npm registry in the store, each with its version and its digest.
struct NpmSource {
  std::string lock_file;  ///< a package-lock.json beside the manifest, see npm_lock.hpp
  std::string lock;       ///< its text; read_locks fills it
  VersionRange node;      ///< of the interpreter that npm runs on
  /// Install scripts are not run, but for these packages: name → why it cannot do without.
  std::map<std::string, std::string> allow_scripts;
  bool operator==(const NpmSource&) const = default;
};

/// Packages of the running distribution, unpacked into the store with those that they need and that
/// a bare machine of the distribution lacks: nothing is installed, nothing of it starts, and
/// several versions lie side by side. apt has to have them; which version comes is the
/// distribution's choice, until it is bound to one.
struct DebSource {
  std::vector<std::string> packages;  ///< what it is; the first one's version is delivered
  /// Of what they need, what can be done without: names, or beginnings of names ("perl*").
  std::vector<std::string> without;
  /// Package → version and digest that it is bound to (a lock's); empty: what apt has now.
  std::map<std::string, std::string> versions;
  std::map<std::string, std::string> digests;
  bool operator==(const DebSource&) const = default;
};

/// An image for a container engine, which keeps it; las keeps its digest.
struct ImageSource {
  std::string name;  ///< with its registry: "ghcr.io/owner/name"
  std::string tag;   ///< what the digest was looked up for; "" = none
  std::optional<Digest>
      digest;           ///< of its manifest; absent: what the tag means at the first install
  std::string archive;  ///< path of an archive of it beside the manifest; "" = the registry
  bool operator==(const ImageSource&) const = default;
};

/// A file that comes with the manifest and is put into the payload (a launcher, a config template).
struct ManifestFile {
  std::string from;  ///< path beside the manifest
  std::string to;    ///< path in the payload
  bool executable = false;
  bool operator==(const ManifestFile&) const = default;
};

/// One way to get a variant. Sources of a variant are tried in order.
struct Source {
  std::variant<ArchiveSource, AptSource, PythonSource, NpmSource, DebSource, ImageSource> how;
  /// What this source really delivers, when it differs from the release's version ("" = the same;
  /// apt: known only after installing).
  std::string delivers;
  /// Executables offered to users and to `service.command`: name → path in the payload (apt: an
  /// absolute path).
  std::map<std::string, std::string> executables;
  std::vector<ManifestFile> files;
  HardwareNeeds needs;
  std::optional<ByteSize> download_size, installed_size;
  std::string
      note;  ///< shown in the plan ("built for any x86-64; slower than the publisher's build")

  /// How what it delivers runs: an image in a container, all else natively.
  Mode mode() const;
  std::string kind() const;  ///< "archive", "apt", "python", "npm", "deb", "image"
  bool operator==(const Source&) const = default;
};

/// An accelerator build of a release.
struct Variant {
  std::string name;  ///< "cpu", "cuda12", "rocm", "vulkan"
  HardwareNeeds needs;
  std::vector<Source> sources;
  int priority = 0;  ///< higher is preferred among the variants that fit the machine
  bool operator==(const Variant&) const = default;
};

struct Release {
  Version version;
  std::string date;  ///< ISO day, "" if unknown
  std::vector<Variant> variants;
  std::optional<Dependencies> dependencies;  ///< overrides the manifest's when present
  /// data.format of the release, else the manifest's: what its services write. Any word; releases
  /// with equal words read each other's data. "" where that was never said.
  std::string data_format;
  bool operator==(const Release&) const = default;
};

/// How to ask a service whether it is well.
struct HealthCheck {
  enum class Kind { Http, Tcp, Exec, None } kind = Kind::None;
  std::string path = "/";            ///< http
  std::string expect;                ///< http and exec: text that the answer must hold; "" = any
  std::vector<std::string> command;  ///< exec: templates; well when it ends with 0
  std::map<std::string, std::string> environment;  ///< exec: likewise, also {word}
  std::chrono::seconds start_period{60};
  std::chrono::milliseconds interval{30000};  ///< between two looks at a running service
  std::chrono::milliseconds timeout{5000};    ///< of one look
  int retries = 3;                            ///< looks in a row that fail until it counts as ill
  bool operator==(const HealthCheck&) const = default;
};

/// Something in the data folder that is made once, before the first start (an empty database). The
/// command makes it under another name, {making}, which then becomes the wanted one: half of it is
/// never taken for the whole.
struct Preparation {
  std::string makes;  ///< path below the data folder
  std::vector<std::string> command;
  bool operator==(const Preparation&) const = default;
};

/// A configuration file of a service, written anew with every generation, as {config}/<name>.
struct ConfigFile {
  std::string name;  ///< a file name
  std::string from;  ///< path beside the manifest; a template, as the service's other strings
  std::string text;  ///< its content; read_companions fills it
  bool operator==(const ConfigFile&) const = default;
};

/// What a service may use of the machine at most; "" and 0: no limit of its own.
struct Limits {
  std::optional<ByteSize> memory;  ///< beyond it the kernel ends the service
  int cpu_percent = 0;             ///< of one core: 200 = two cores
  int tasks = 0;                   ///< processes and threads
  int io_weight = 0;               ///< 1 to 10000; what is not said weighs 100
  std::string cpus;                ///< cores it may run on, "0-3,8"
  bool operator==(const Limits&) const = default;
};

/// How a service runs from an image, where that differs from how it runs natively. In its templates
/// {port}, {host}, {data}, {config}, {model.path} and {secret.NAME} are what the container sees.
struct ContainerTemplate {
  std::vector<std::string> command;  ///< words after the image's name; empty: the image's own
  std::map<std::string, std::string> environment;
  std::vector<std::string> check;  ///< health check within the container; well when it ends with 0
  std::uint16_t port = 0;          ///< on which it listens in the container
  std::string data = "/data";      ///< where it has its data
  std::vector<std::string> temporary;     ///< further folders it may write to, lost when it ends
  std::vector<std::string> capabilities;  ///< that it cannot do without ("CAP_NET_BIND_SERVICE")
  bool operator==(const ContainerTemplate&) const = default;
};

/// The `service:` section. Strings are templates: {payload} {data} {config} {port} {host}
/// {model.path} {model.name} {option.NAME} {exe.NAME} and {secret.NAME} (the path of a file that
/// holds it) are replaced (las(1) and CONTRIBUTING list them).
struct ServiceTemplate {
  /// "deployment": one instance per served model; "service": one instance, which comes with the
  /// module and has its name.
  enum class Kind { Service, Deployment } kind = Kind::Service;
  std::vector<std::string> command;  ///< native; may be empty where there is a container
  std::optional<ContainerTemplate> container;
  std::vector<Preparation> prepare;
  std::vector<ConfigFile> config;
  /// Files that only the service and root can read, by name: templates in which {word} is a random
  /// word that las makes for the service.
  std::map<std::string, std::string> secrets;
  bool notify = false;  ///< it tells systemd when it is ready (sd_notify(3))
  /// Whether it asks everybody who they are. Where it does so only when it is told to,
  /// `auth_command` is added to the command as soon as others than this machine can reach it.
  bool authenticates = false;
  std::vector<std::string> auth_command;
  Limits limits;
  std::map<std::string, std::string> environment;
  std::optional<std::uint16_t> port;  ///< preferred; absent: from the configured range
  HealthCheck health;
  std::string stop_signal = "SIGTERM";
  std::chrono::seconds stop_timeout{20};
  std::vector<std::string> formats;  ///< Deployment: model formats it serves ("gguf")
  std::string api;                   ///< "openai" when it answers /v1/chat/completions
  std::string metrics;  ///< where it tells Prometheus its numbers: "/metrics"; "" = nowhere
  /// What the sandbox must open for this engine, each with its reason (shown in the unit).
  std::map<std::string, std::string> needs_open;
  bool operator==(const ServiceTemplate&) const = default;
};

/// What a module needs of the system besides packages. Each is looked at first, recorded, and taken
/// back when the last module that needs it leaves.
struct SystemChanges {
  /// Kernel parameters, "vm.max_map_count" → the least value (a whole number): a larger one that is
  /// there already stays.
  std::map<std::string, std::string> sysctl;
  std::vector<std::string> groups;  ///< system groups that have to exist
  std::vector<std::string> users;   ///< system accounts (no login, a group of the same name)

  bool empty() const { return sysctl.empty() && groups.empty() && users.empty(); }

  bool operator==(const SystemChanges&) const = default;
};

/// A setting that a user may configure.
struct Option {
  enum class Type { Text, Integer, Boolean, Size, Choice } type = Type::Text;
  std::string name, description, default_value;
  std::vector<std::string> choices;
  bool operator==(const Option&) const = default;
};

struct Manifest {
  int schema = 1;
  std::string name;
  Category category = Category::Tool;
  Version version;  ///< the published format's single version; = the newest release
  std::map<std::string, std::string> description;  ///< by language; "" = the default text
  std::string license, homepage;
  HardwareNeeds needs;
  Dependencies dependencies;
  std::vector<Mode> modes;
  Mode preferred_mode = Mode::Native;
  std::vector<std::string> provides, consumes;  ///< interfaces.*
  /// integrity.checksum: the digest of the one archive that has none of its own; its part of the
  /// releases has it too. Without releases it is kept and compared with nothing.
  std::optional<Digest> checksum;
  /// integrity.signature: verified with the key of the registry that the manifest comes from
  /// (las/registry/manifest_check.hpp); elsewhere there is no key to verify it with.
  std::string signature;
  std::vector<Release> releases;  ///< newest first
  std::optional<ServiceTemplate> service;
  std::vector<Option> options;
  std::vector<ModuleDependency> conflicts;
  SystemChanges system;
  bool deprecated = false;

  std::string origin;     ///< registry name ("built-in", a folder …)
  std::string directory;  ///< where the manifest lies (for `files`)

  std::string summary(std::string_view language = {}) const;
  const Release* find_release(const Version& version) const;
  bool operator==(const Manifest&) const = default;
};

/// "0-3,8", as systemd.resource-control(5) takes AllowedCPUs=.
bool is_cpu_list(const std::string& text);

/// Parses one manifest; nothing if it has errors. LocalAIStack's published manifests (no field of
/// ours in them) are valid: they describe a module without a way to install it. Files beside the
/// manifest are not read: see companions.hpp.
std::optional<Manifest> parse_manifest(std::string_view yaml,
                                       const std::string& file,
                                       Diagnostics& diagnostics);

}  // namespace las::catalog
