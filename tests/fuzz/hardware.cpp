// SPDX-License-Identifier: Apache-2.0
// Every parser of the hardware room: one file of one machine of tests/data/hardware is replaced by
// the input and the machine is probed in memory; the parsers of texts that no such machine has get
// the input as it is. Nothing may crash, throw anything but las::Error, or leave a fact that is
// neither known nor says why.
#include "captured_facts.hpp"
#include "cdi.hpp"
#include "fuzz.hpp"
#include "packages.hpp"
#include "probe_files.hpp"
#include "profile_fields.hpp"
#include "recorded_tree.hpp"
#include "rootless.hpp"
#include "scrub.hpp"
#include "storage.hpp"
#include "toolkits.hpp"

#include "las/base/error.hpp"
#include "las/hardware/describe.hpp"

#include <filesystem>
#include <stdexcept>

namespace {

using namespace las;
using namespace las::hardware;
namespace fs = std::filesystem;

/// A stand-in: a probe of a captured machine runs no program.
class NoPrograms : public platform::ProcessRunner {
 public:
  platform::ProcessResult run(const platform::Command&,
                              const Activity&,
                              std::optional<std::chrono::milliseconds>,
                              const std::function<void(std::string_view)>&) override {
    throw std::logic_error("a probe ran a program");
  }

  platform::ProcessIdentity spawn_detached(const platform::DetachedCommand&) override {
    throw std::logic_error("a probe started a process");
  }

  bool alive(const platform::ProcessIdentity&) const override { return false; }

  std::optional<platform::ProcessIdentity> identify(pid_t) const override { return std::nullopt; }

  void signal_group(const platform::ProcessIdentity&, int) override {}

  bool wait_gone(const platform::ProcessIdentity&, std::chrono::milliseconds) override {
    return true;
  }

  std::optional<fs::path> find_program(std::string_view, std::string_view) const override {
    return std::nullopt;
  }
};

struct Machine {
  Tree tree;
  std::vector<std::string> files;  ///< paths of those that can be replaced
};

std::vector<Machine> load_machines() {
  const auto files = platform::make_posix_file_system();
  std::vector<Machine> machines;
  for (const std::string& name : files->list_directory(fs::path(LAS_TEST_DATA) / "hardware")) {
    const fs::path root = fs::path(LAS_TEST_DATA) / "hardware" / name;
    if (files->status(root)->kind != platform::FileKind::Directory)
      continue;
    Machine& machine = machines.emplace_back();
    platform::walk(*files, root, [&](const fs::path& path, const platform::FileStatus& status) {
      CaptureEntry entry{CaptureEntry::Kind::Directory, path.string(), {}};
      if (status.kind == platform::FileKind::Symlink) {
        entry.kind = CaptureEntry::Kind::Symlink;
        entry.content = files->read_symlink(root / path).string();
      } else if (status.kind == platform::FileKind::Regular) {
        entry.kind = CaptureEntry::Kind::File;
        entry.content = files->read_file(root / path);
        // hwloc reads these, and it is not ours to fuzz.
        if (!path.string().starts_with("sys/devices/system/"))
          machine.files.push_back("/" + path.string());
      }
      machine.tree["/" + path.string()] = std::move(entry);
    });
  }
  return machines;
}

const std::vector<Machine>& machines() {
  static const std::vector<Machine> kMachines = load_machines();
  return kMachines;
}

void require(bool good, const char* what) {
  if (!good)
    throw std::logic_error(what);
}

struct NoSilentFact {
  template <typename T>
  void operator()(const char* name, const Fact<T>& fact) const {
    require(fact.is_known() ? !fact.origin.empty() : !fact.unknown.empty(), name);
  }
};

// Whatever is in a profile, the rest of las can work with it.
void use_profile(const HardwareProfile& profile) {
  require(from_json(to_json(profile)) == profile, "the profile changes on its way through JSON");
  named_facts(profile);
  for (const std::string& section : section_names())
    describe(profile, section);
  profile.total_vram();
}

void check_probed(const HardwareProfile& profile) {
  for_each_section(
      profile, [&](const char*, const auto& section) { for_each_fact(section, NoSilentFact{}); });
  for (const Gpu& gpu : profile.gpus.value.value_or(std::vector<Gpu>{}))
    for_each_fact(gpu, NoSilentFact{});
  for (const Storage& storage : profile.storage)
    for_each_fact(storage, NoSilentFact{});
  use_profile(profile);
}

void probe_machine(const Machine& machine, const std::string& path, const std::string& content) {
  Tree tree = machine.tree;
  tree[path].content = content;
  NoPrograms programs;
  NullReporter reporter;
  const Cancellation cancellation;
  ProbeOptions options;
  options.sysroot = "/";
  options.storage = {{"models", "/var/lib/my models/blobs"}};
  const Activity activity{reporter, cancellation};
  const HardwareProfile profile =
      probe_files(TreeReader(tree), {}, programs, options, activity, false);
  check_probed(profile);
  for (const auto& [kept, entry] : scrubbed(tree, {}, {"/var/lib/my models/blobs"}))
    require(entry.path == kept.substr(1), "a scrubbed entry has two names");
}

template <typename Body>
void may_fail(Body&& body) {
  try {
    body();
  } catch (const Error&) {
  }
}

void parse_text(const std::string& text) {
  parse_cdi_json(text);
  parse_cdi_yaml(text);
  parse_cuda_version_json(text);
  parse_cuda_header(text);
  installed_package(text, "podman");
  count_subordinate_ids(text, "user", 1000);
  mount_of(text, "/var/lib/las");
  IdentityScrubber()(text);
  may_fail([&] { use_profile(from_json(text)); });
  may_fail([&] {
    HardwareProfile profile;
    add_captured_facts(text, profile);
  });
}

}  // namespace

// The first three bytes choose the machine and its file; the rest is the content.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || machines().empty())
    return 0;
  const Machine& machine = machines()[data[0] % machines().size()];
  const std::size_t file = (data[1] * 256U + data[2]) % machine.files.size();
  const std::string content(reinterpret_cast<const char*>(data) + 3, size - 3);
  probe_machine(machine, machine.files[file], content);
  parse_text(content);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  const auto add = [&](std::size_t machine, std::size_t file, const std::string& content) {
    std::string seed = {
        static_cast<char>(machine), static_cast<char>(file / 256), static_cast<char>(file % 256)};
    seeds.push_back(seed + content);
  };
  for (std::size_t i = 0; i < machines().size(); ++i) {
    const Machine& machine = machines()[i];
    for (std::size_t j = 0; j < machine.files.size(); ++j)
      add(i, j, machine.tree.at(machine.files[j]).content);
  }
  add(0, 0, to_json(HardwareProfile()));
  add(0, 0, R"({"schema": 1, "os": {"glibc": {"value": "2.36", "origin": "confstr"}},
    "gpus": {"0000:01:00.0": {"vram": {"value": 25757220864, "origin": "NVML"}}}})");
  add(0, 0, R"({"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu"})");
  add(0, 0, "cdiVersion: 0.5.0\nkind: \"nvidia.com/gpu\"\n");
  add(0, 0, R"({"cuda": {"name": "CUDA SDK", "version": "12.4.1"}})");
  add(0, 0, "Package: podman\nStatus: install ok installed\nVersion: 5:4.3.1-8\n\n");
  add(0, 0, "user:100000:65536\n1000:1:2\n");
  return seeds;
}
