// SPDX-License-Identifier: Apache-2.0
#include "support/catch.hpp"
#include "unit/plan/scenario.hpp"

#include "las/base/text.hpp"
#include "las/platform/file_system.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>

namespace scenario {

using namespace las;  // NOLINT: test code about the rooms of las

namespace {

using hardware::Fact;
using hardware::Gpu;
using hardware::HardwareProfile;

constexpr const char* kOrigin = "scenario";
const std::set<std::string> kSections = {
    "MACHINE", "POLICY", "MODE", "CATALOG", "INSTALLED", "ARGS", "EXPECT"};

[[noreturn]] void slip(const std::string& what, const std::string& text) {
  throw std::runtime_error(what + ": " + text);
}

std::vector<std::string> words(const std::string& line) {
  std::vector<std::string> all;
  for (const std::string& word : text::split(line, ' ')) {
    if (!word.empty())
      all.push_back(word);
  }
  return all;
}

// Lines with something on them; "#" begins a comment line.
std::vector<std::string> full_lines(const std::string& section) {
  std::vector<std::string> all;
  for (const std::string& line : text::lines(section)) {
    const std::string_view trimmed = text::trim(line);
    if (!trimmed.empty() && trimmed[0] != '#')
      all.emplace_back(trimmed);
  }
  return all;
}

// "unknown REASON" is a fact that could not be read.
template <typename T>
Fact<T> fact(const std::string& value, const std::function<T(const std::string&)>& parse) {
  constexpr std::string_view kUnknown = "unknown";
  if (std::string_view(value).starts_with(kUnknown))
    return Fact<T>::missing(std::string(text::trim(value.substr(kUnknown.size()))));
  return Fact<T>::known(parse(value), kOrigin);
}

Version to_version(const std::string& value) {
  return Version(value);
}

ByteSize to_size(const std::string& value) {
  const auto size = ByteSize::parse(value);
  if (!size)
    slip("not a size", value);
  return *size;
}

int to_int(const std::string& value) {
  return std::stoi(value);
}

hardware::GpuVendor to_vendor(const std::string& name) {
  for (const auto vendor : {hardware::GpuVendor::Nvidia,
                            hardware::GpuVendor::Amd,
                            hardware::GpuVendor::Intel,
                            hardware::GpuVendor::Other}) {
    if (hardware::to_string(vendor) == name)
      return vendor;
  }
  slip("unknown vendor", name);
}

// nvidia 24564MiB cc=8.9 driver=550.54 cuda=12.4
void add_gpu(const std::string& text, HardwareProfile& profile) {
  const std::vector<std::string> parts = words(text);
  Gpu gpu;
  gpu.vendor = to_vendor(parts.at(0));
  gpu.vram = fact<ByteSize>(parts.at(1), to_size);
  gpu.compute_capability = Fact<Version>::missing("not read");
  for (std::size_t i = 2; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    const std::string key = parts[i].substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : parts[i].substr(equals + 1);
    if (key == "cc")
      gpu.compute_capability = fact<Version>(value, to_version);
    else if (key == "driver")
      profile.tools.nvidia_driver = fact<Version>(value, to_version);
    else if (key == "cuda")
      profile.tools.cuda_driver = fact<Version>(value, to_version);
    else if (key == "gfx")
      gpu.gfx_target = Fact<std::string>::known(value, kOrigin);
    else
      slip("unknown part of a gpu", parts[i]);
  }
  if (!profile.gpus.value)
    profile.gpus = Fact<std::vector<Gpu>>::known({}, kOrigin);
  profile.gpus.value->push_back(std::move(gpu));
}

HardwareProfile plain_machine() {
  HardwareProfile profile;
  profile.os.id = Fact<std::string>::known("debian", kOrigin);
  profile.os.version = Fact<std::string>::known("12", kOrigin);
  profile.os.architecture = Fact<std::string>::known("x86_64", kOrigin);
  profile.os.glibc = Fact<Version>::known(Version("2.36"), kOrigin);
  profile.cpu.cores = Fact<int>::known(8, kOrigin);
  profile.cpu.threads = profile.cpu.usable_threads = Fact<int>::known(16, kOrigin);
  profile.cpu.features =
      Fact<std::vector<std::string>>::known({"avx", "avx2", "f16c", "fma"}, kOrigin);
  profile.memory.total = profile.memory.effective =
      Fact<ByteSize>::known(ByteSize::gib(16), kOrigin);
  profile.gpus = Fact<std::vector<Gpu>>::known({}, kOrigin);
  profile.nvlink = Fact<bool>::known(false, kOrigin);
  profile.tools.nvidia_driver = Fact<Version>::missing("no driver is loaded");
  profile.tools.cuda_driver = Fact<Version>::missing("no driver is loaded");
  profile.tools.systemd = Fact<Version>::known(Version("252.22"), kOrigin);
  profile.tools.python = Fact<Version>::known(Version("3.11.2"), kOrigin);
  profile.tools.podman = Fact<Version>::missing("there is no podman in PATH");
  profile.tools.docker = Fact<Version>::missing("there is no docker in PATH");
  profile.tools.rocm = Fact<Version>::missing("there is no ROCm");
  return profile;
}

void refuse_faults(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics.items())
    slip("fault", diagnostic.to_string());
}

// name version variant reason [needs=a,b] [mode=m] [range=r] [wants=variant] [held]
void add_installed(const std::string& line, state::Generation& generation) {
  const std::vector<std::string> parts = words(line);
  if (parts.size() < 4)
    slip("not an installed module", line);
  state::InstalledModule module;
  module.name = parts[0];
  module.version = parts[1];
  module.variant = parts[2];
  module.mode = "native";
  state::WorldEntry entry;
  entry.module = module.name;
  const std::string& reason = parts[3];
  if (reason != "user" && reason != "dependency" && reason != "optional")
    slip("unknown reason", reason);
  module.reason = reason == "user"         ? state::Reason::User
                  : reason == "dependency" ? state::Reason::Dependency
                                           : state::Reason::Optional;
  for (std::size_t i = 4; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    const std::string key = parts[i].substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : parts[i].substr(equals + 1);
    if (key == "needs")
      module.requires_modules = text::split(value, ',');
    else if (key == "mode")
      module.mode = value;
    else if (key == "range")
      entry.range = value;
    else if (key == "wants")
      entry.variant = value;
    else if (key == "held")
      entry.held = true;
    else
      slip("unknown part of an installed module", parts[i]);
  }
  entry.wished = module.reason == state::Reason::User;
  if (entry.wished || entry.held)
    generation.world.push_back(entry);
  generation.modules.push_back(std::move(module));
}

}  // namespace

Sections split(const std::string& text) {
  Sections sections;
  std::string* current = nullptr;
  for (const std::string& line : text::lines(text)) {
    if (line.starts_with('@')) {
      const std::string name = line.substr(1);
      if (kSections.count(name) == 0)
        slip("unknown section", line);
      current = &sections[name];
    } else if (current != nullptr) {
      *current += line + "\n";
    } else if (!line.empty() && !line.starts_with('#')) {
      slip("text before the first section", line);
    }
  }
  if (sections.count("ARGS") == 0 || sections.count("EXPECT") == 0)
    slip("missing section", "@ARGS and @EXPECT are needed");
  return sections;
}

HardwareProfile machine(const std::string& section) {
  HardwareProfile profile = plain_machine();
  const std::map<std::string, Fact<Version> hardware::Tools::*> tools = {
      {"podman", &hardware::Tools::podman},
      {"docker", &hardware::Tools::docker},
      {"python3", &hardware::Tools::python},
      {"rocm", &hardware::Tools::rocm},
      {"systemd", &hardware::Tools::systemd}};
  for (const std::string& line : full_lines(section)) {
    const auto colon = line.find(':');
    const std::string key = line.substr(0, colon);
    const std::string value(
        text::trim(colon == std::string::npos ? "" : std::string_view(line).substr(colon + 1)));
    if (key == "arch")
      profile.os.architecture = Fact<std::string>::known(value, kOrigin);
    else if (key == "os" && words(value).size() == 2)
      std::tie(profile.os.id, profile.os.version) =
          std::make_tuple(Fact<std::string>::known(words(value)[0], kOrigin),
                          Fact<std::string>::known(words(value)[1], kOrigin));
    else if (key == "glibc")
      profile.os.glibc = fact<Version>(value, to_version);
    else if (key == "cores")
      profile.cpu.cores = fact<int>(value, to_int);
    else if (key == "features")
      profile.cpu.features = Fact<std::vector<std::string>>::known(words(value), kOrigin);
    else if (key == "ram")
      profile.memory.total = profile.memory.effective = fact<ByteSize>(value, to_size);
    else if (key == "gpu" && std::string_view(value).starts_with("unknown"))
      profile.gpus = fact<std::vector<Gpu>>(value, nullptr);
    else if (key == "gpu")
      add_gpu(value, profile);
    else if (key == "os")
      profile.os.id = Fact<std::string>::known(value, kOrigin);
    else if (key == "nvlink")
      profile.nvlink = Fact<bool>::known(value == "yes", kOrigin);
    else if (const auto tool = tools.find(key); tool != tools.end())
      profile.tools.*(tool->second) = fact<Version>(value, to_version);
    else
      slip("unknown key of a machine", key);
  }
  return profile;
}

catalog::Catalog catalog(const std::string& section, const std::string& source_directory) {
  Diagnostics diagnostics;
  if (text::trim(section) == "shipped") {
    const auto files = platform::make_posix_file_system();
    auto shipped = catalog::load_catalog(
        *files, {{"built-in", source_directory + "/share/manifests"}}, diagnostics);
    refuse_faults(diagnostics);
    return shipped;
  }
  constexpr std::string_view kFile = "file ";
  if (const std::string_view word = text::trim(section); word.starts_with(kFile)) {
    const std::string name(word.substr(kFile.size()));
    return catalog(platform::make_posix_file_system()->read_file(
                       std::filesystem::path(source_directory) / "tests/scenario" / name),
                   source_directory);
  }
  std::vector<catalog::Manifest> manifests;
  std::string document;
  const auto finish = [&] {
    if (text::trim(document).empty())
      return;
    if (auto manifest = catalog::parse_manifest(document, "@CATALOG", diagnostics))
      manifests.push_back(std::move(*manifest));
    document.clear();
  };
  for (const std::string& line : text::lines(section)) {
    if (line == "---")
      finish();
    else
      document += line + "\n";
  }
  finish();
  refuse_faults(diagnostics);
  return catalog::Catalog(std::move(manifests));
}

std::vector<policy::Rule> policy(const std::string& section, const std::string& source_directory) {
  if (text::trim(section).empty())
    return {};
  Diagnostics diagnostics;
  std::vector<policy::Rule> rules;
  if (text::trim(section) == "shipped") {
    const std::filesystem::path folder = source_directory + "/share/policies";
    const auto files = platform::make_posix_file_system();
    for (const std::string& name : files->list_directory(folder)) {
      auto more = policy::parse_rules(files->read_file(folder / name), name, diagnostics);
      rules.insert(rules.end(), more.begin(), more.end());
    }
  } else {
    rules = policy::parse_rules(section, "@POLICY", diagnostics);
  }
  refuse_faults(diagnostics);
  return rules;
}

state::Generation installed(const std::string& section) {
  state::Generation generation;
  for (const std::string& line : full_lines(section))
    add_installed(line, generation);
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(generation.modules.begin(), generation.modules.end(), by_name);
  std::sort(generation.world.begin(), generation.world.end(), [](const auto& a, const auto& b) {
    return a.module < b.module;
  });
  return generation;
}

namespace {

// "--variant=V" belongs to the wish before it; the others to the request.
bool take_flag(const std::string& argument, resolve::Request& request) {
  const auto equals = argument.find('=');
  const std::string flag = argument.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : argument.substr(equals + 1);
  if (!argument.starts_with("--"))
    return false;
  if (flag == "--variant" && !request.install.empty())
    request.install.back().variant = value;
  else if (flag == "--mode" && !request.install.empty())
    request.install.back().mode = value;
  else if (flag == "--prefer")
    request.prefer.push_back(value);
  else if (flag == "--with-optional")
    request.optionals = resolve::Optionals::Bring;
  else if (flag == "--no-optional")
    request.optionals = resolve::Optionals::Drop;
  else
    slip("unknown flag", argument);
  return true;
}

}  // namespace

resolve::Request request(const std::string& section) {
  resolve::Request request;
  for (const std::string& line : full_lines(section)) {
    std::vector<std::string> arguments = words(line);
    const std::string command = arguments.at(0);
    arguments.erase(arguments.begin());
    if (command == "install") {
      for (const std::string& argument : arguments) {
        if (!take_flag(argument, request))
          request.install.push_back(resolve::parse_wish(argument));
      }
    } else if (command == "remove") {
      request.remove = arguments;
    } else if (command == "upgrade") {
      request.upgrade = arguments;
      request.upgrade_all = arguments.empty();
    } else if (command == "hold") {
      request.hold = arguments;
    } else if (command == "unhold") {
      request.unhold = arguments;
    } else if (command != "autoremove") {  // which is the request for nothing
      slip("unknown command", line);
    }
  }
  return request;
}

}  // namespace scenario

TEST_CASE("a scenario with a slip in it is no scenario", "[plan][scenario]") {
  CHECK_THROWS_WITH(scenario::split("@ARGS\ninstall a\n@EXPETC\n"), "unknown section: @EXPETC");
  CHECK_THROWS_WITH(scenario::split("install a\n"), "text before the first section: install a");
  CHECK_THROWS_WITH(scenario::split("@ARGS\ninstall a\n"),
                    "missing section: @ARGS and @EXPECT are needed");
  CHECK_THROWS_WITH(scenario::machine("rma: 4GB\n"), "unknown key of a machine: rma");
  CHECK_THROWS_WITH(scenario::machine("gpu: nvidia 8GB cc:8.9\n"), "unknown part of a gpu: cc:8.9");
  CHECK_THROWS_WITH(scenario::request("instal a\n"), "unknown command: instal a");
  CHECK_THROWS_WITH(scenario::installed("a 1 cpu usr\n"), "unknown reason: usr");
  CHECK_THROWS(scenario::catalog("name: Bad Name\n", "."));
}
