// SPDX-License-Identifier: Apache-2.0
#include "values.hpp"

#include "keys.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace las::catalog {

namespace {

using document::Node;

// The items of a list, or a single value as a list of one: a fault then names the item.
std::vector<Node> one_or_more(const Node& node) {
  return node.is_scalar() ? std::vector<Node>{node} : node.items();
}

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What publishers write; it becomes part of a folder's name in the store.
bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= 64 && is_alnum(text[0]) &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_alnum(c) || std::string_view(".+~:_-").find(c) != std::string_view::npos;
         });
}

bool is_inner_path(std::string_view path) {
  const auto parts = text::split(path, '/');
  return std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.empty() || part == "." || part == "..";
  });
}

bool is_this_machine(std::string_view url) {
  constexpr std::array<std::string_view, 3> kHosts = {"127.0.0.1", "localhost", "[::1]"};
  const std::string_view rest = url.substr(std::string_view("http://").size());
  return std::any_of(kHosts.begin(), kHosts.end(), [&](std::string_view host) {
    if (!rest.starts_with(host))
      return false;
    const std::string_view behind = rest.substr(host.size());
    return behind.empty() || behind[0] == '/' || behind[0] == ':';
  });
}

}  // namespace

std::optional<Version> read_version(const Node& node) {
  const auto text = node.string();
  if (!text)
    return std::nullopt;
  if (!is_version(*text)) {
    node.fault(fmt::format(fmt::runtime(_("'{}' is not a version")), text->substr(0, 60)));
    return std::nullopt;
  }
  return Version(*text);
}

std::optional<VersionRange> read_range(const Node& node) {
  const auto text = node.string();
  if (!text)
    return std::nullopt;
  auto range = VersionRange::parse(*text);
  if (!range)
    node.fault(fmt::format(fmt::runtime(_("'{}' is not a range of versions")), text->substr(0, 60)),
               _("write it like >=1.2,<2"));
  return range;
}

std::optional<Digest> read_digest(const Node& node) {
  const auto text = node.string();
  if (!text)
    return std::nullopt;
  auto digest = Digest::parse(*text);
  if (!digest)
    node.fault(_("not a digest"), _("write it as sha256: and 64 hexadecimal digits"));
  return digest;
}

std::optional<int> read_int(const Node& node, int min, int max) {
  const auto value = node.integer();
  if (!value)
    return std::nullopt;
  if (*value < min || *value > max) {
    node.fault(fmt::format(fmt::runtime(_("{} is not between {} and {}")), *value, min, max));
    return std::nullopt;
  }
  return static_cast<int>(*value);
}

std::optional<std::chrono::milliseconds> read_duration(const Node& node) {
  const auto text = node.string();
  if (!text)
    return std::nullopt;
  long long number = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), number);
  const std::string unit(parsed.ptr, text->data() + text->size());
  const long long factor = unit == "ms"                  ? 1
                           : unit == "s" || unit.empty() ? 1000
                           : unit == "m"                 ? 60'000
                           : unit == "h"                 ? 3'600'000
                                                         : 0;
  constexpr long long kDay = 86'400'000;
  if (parsed.ec != std::errc{} || factor == 0 || number <= 0 || number > kDay / factor) {
    node.fault(
        fmt::format(fmt::runtime(_("'{}' is not a duration of up to a day")), text->substr(0, 60)),
        _("write it like 30s"));
    return std::nullopt;
  }
  return std::chrono::milliseconds(number * factor);
}

std::string read_name(const Node& node) {
  std::string name = node.required_string();
  if (node.is_scalar() && !text::is_name(name)) {
    node.fault(fmt::format(fmt::runtime(_("'{}' is not a name")), name.substr(0, 60)),
               _("lower-case letters, digits and . _ + -"));
    return {};
  }
  return name;
}

std::string read_inner_path(const Node& node) {
  std::string path = node.required_string();
  if (node.is_scalar() && !is_inner_path(path)) {
    node.fault(_("not a relative path that stays inside its folder"));
    return {};
  }
  return path;
}

std::string read_absolute_path(const Node& node) {
  std::string path = node.required_string();
  if (node.is_scalar() && (!path.starts_with('/') || !is_inner_path(path.substr(1)))) {
    node.fault(_("not an absolute path"));
    return {};
  }
  return path;
}

std::string read_url(const Node& node, bool verified) {
  std::string url = node.required_string();
  if (!node.is_scalar())
    return {};
  const bool known =
      url.starts_with("https://") || url.starts_with("http://") || url.starts_with("file:///");
  // A name before "@" reads like a host and is none.
  const auto host = known ? url.find("//") + 2 : 0;
  const bool disguised =
      url.substr(host, url.find('/', host) - host).find('@') != std::string::npos;
  if (!known || disguised || url.find_first_of(" \t\r\n\"<>\\") != std::string::npos ||
      url.size() <= std::string_view("file:///").size()) {
    node.fault(_("not an address"), _("write it like https://host/path"));
    return {};
  }
  if (url.starts_with("http://") && !verified && !is_this_machine(url)) {
    node.fault(_("an http address can be changed on the way"), _("use https"));
    return {};
  }
  return url;
}

std::vector<std::string> read_urls(const Node& node, bool verified) {
  std::vector<std::string> urls;
  for (const Node& item : one_or_more(node))
    urls.push_back(read_url(item, verified));
  return urls;
}

bool is_locked_requirement(std::string_view requirement) {
  const std::string marker = " --hash=";
  const auto first = requirement.find(marker);
  if (first == std::string_view::npos || requirement.find('\n') != std::string_view::npos)
    return false;
  const std::string_view head = text::trim(requirement.substr(0, first));
  if (head.empty() || head[0] == '-' || head.find("==") == std::string_view::npos ||
      head.find(" -") != std::string_view::npos || head.find('@') != std::string_view::npos)
    return false;
  for (const std::string& word : text::split(requirement.substr(first + 1), ' ')) {
    if (word.empty())
      continue;
    if (!word.starts_with("--hash=") || word.find(':') == std::string::npos ||
        !Digest::parse(word.substr(std::string_view("--hash=").size())))
      return false;
  }
  return true;
}

std::vector<std::string> read_packages(const Node& node) {
  std::vector<std::string> packages;
  for (const Node& item : one_or_more(node)) {
    const std::string name = item.required_string();
    // deb-control(5); also keeps what begins with "-" from becoming an option of apt.
    const bool good =
        name.size() >= 2 && name.size() <= 128 && is_alnum(name[0]) &&
        std::all_of(name.begin(), name.end(), [](char c) {
          return (is_alnum(c) && (c < 'A' || c > 'Z')) || c == '+' || c == '-' || c == '.';
        });
    if (good)
      packages.push_back(name);
    else if (item.is_scalar())
      item.fault(
          fmt::format(fmt::runtime(_("'{}' is not the name of a package")), name.substr(0, 60)));
  }
  return packages;
}

bool is_sysctl_name(std::string_view name) {
  constexpr std::size_t kLongest = 128;
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return is_alnum(c) || c == '_' || c == '-' || c == '.';
  });
  return characters && name.size() <= kLongest && name.find('.') != std::string_view::npos &&
         name.front() != '.' && name.back() != '.' && name.find("..") == std::string_view::npos;
}

std::vector<std::string> read_accounts(const Node& node) {
  constexpr std::size_t kLongest = 31;
  std::vector<std::string> names;
  for (const Node& item : one_or_more(node)) {
    const std::string name = item.required_string();
    const bool good = !name.empty() && name.size() <= kLongest &&
                      ((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_') &&
                      std::all_of(name.begin(), name.end(), [](char c) {
                        return (is_alnum(c) && (c < 'A' || c > 'Z')) || c == '_' || c == '-';
                      });
    if (good)
      names.push_back(name);
    else if (item.is_scalar())
      item.fault(
          fmt::format(fmt::runtime(_("'{}' is not the name of an account")), name.substr(0, 60)));
  }
  return names;
}

std::vector<ModuleDependency> read_modules(const Node& node) {
  std::vector<ModuleDependency> modules;
  for (const Node& item : one_or_more(node)) {
    const std::string spec = item.required_string();
    if (!item.is_scalar())
      continue;
    const auto at = spec.find('@');
    const std::string name = spec.substr(0, at);
    std::optional<VersionRange> range =
        at == std::string::npos ? VersionRange() : VersionRange::parse(spec.substr(at + 1));
    if (at != std::string::npos && text::trim(spec.substr(at + 1)).empty())
      range.reset();  // a range was begun
    if (text::is_name(name) && range)
      modules.push_back({name, *range});
    else
      item.fault(fmt::format(fmt::runtime(_("'{}' is not a module")), spec.substr(0, 60)),
                 _("write it like name or name@>=1.2"));
  }
  return modules;
}

std::vector<std::string> read_words(const Node& node, const std::vector<std::string>& of) {
  std::vector<std::string> words;
  for (const Node& item : one_or_more(node)) {
    if (auto word = item.one_of(of))
      words.push_back(*word);
  }
  return words;
}

namespace {

// os-release(5): the ID of a distribution.
bool is_os_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) {
    return (is_alnum(c) && (c < 'A' || c > 'Z')) || c == '.' || c == '_' || c == '-';
  });
}

// Name → range; nothing behind the name is any version.
std::map<std::string, VersionRange> read_ranges(const Node& node) {
  std::map<std::string, VersionRange> ranges;
  for (const std::string& name : node.keys()) {
    if (!name.starts_with("x-"))
      ranges[name] = read_range(node[name]).value_or(VersionRange());
  }
  return ranges;
}

}  // namespace

HardwareNeeds read_hardware(const Node& node) {
  constexpr int kMaxCores = 1 << 16;
  HardwareNeeds needs;
  node.allow_only(kKeys.at("hardware"));
  const Node cpu = node["cpu"], memory = node["memory"], gpu = node["gpu"];
  cpu.allow_only(kKeys.at("hardware.cpu"));
  memory.allow_only(kKeys.at("hardware.memory"));
  gpu.allow_only(kKeys.at("hardware.gpu"));
  needs.cores_min = read_int(cpu["cores_min"], 0, kMaxCores);
  needs.cpu_features = cpu["features"].strings();
  needs.architectures = read_words(cpu["architectures"], kArchitectures);
  needs.ram_min = memory["ram_min"].size();
  needs.vram_min = gpu["vram_min"].size();
  needs.multi_gpu = gpu["multi_gpu"].boolean();
  needs.gpu_vendor = gpu["vendor"].one_of(kGpuVendors);
  needs.compute_capability_min = read_version(gpu["compute_capability_min"]);
  needs.driver_min = read_version(gpu["driver_min"]);
  needs.cuda_min = read_version(gpu["cuda_min"]);
  needs.glibc_min = read_version(node["glibc_min"]);
  needs.os = read_ranges(node["os"]);
  for (const auto& [id, range] : needs.os) {
    if (!is_os_id(id))
      node["os"][id].fault(
          fmt::format(fmt::runtime(_("'{}' is not the ID of a distribution")), id.substr(0, 60)),
          _("write it as in /etc/os-release, like debian"));
  }
  node["tools"].allow_only(kTools);
  needs.tools = read_ranges(node["tools"]);
  return needs;
}

}  // namespace las::catalog
