// SPDX-License-Identifier: Apache-2.0
#include "scrub.hpp"

#include "storage.hpp"

#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

namespace las::hardware {

namespace fs = std::filesystem;

namespace {

enum class Fate { Drop, Exists, Keep };

struct Rule {
  std::string_view prefix;  ///< of the absolute path
  Fate fate;
};

// The first rule that fits decides; what fits none is dropped.
constexpr std::array<Rule, 26> kRules = {{{"/etc/os-release", Fate::Keep},
                                          {"/usr/lib/os-release", Fate::Keep},
                                          {"/proc/cpuinfo", Fate::Keep},
                                          {"/proc/meminfo", Fate::Keep},
                                          {"/proc/version", Fate::Keep},
                                          {"/proc/self/cgroup", Fate::Keep},
                                          {"/proc/self/status", Fate::Keep},
                                          {"/proc/self/mountinfo", Fate::Keep},
                                          {"/proc/1/cgroup", Fate::Keep},
                                          {"/proc/sys/kernel/osrelease", Fate::Keep},
                                          {"/proc/sys/kernel/arch", Fate::Keep},
                                          {"/proc/driver/nvidia", Fate::Keep},
                                          {"/proc/device-tree", Fate::Keep},
                                          {"/proc/self", Fate::Exists},
                                          {"/sys/", Fate::Keep},
                                          {"/run/systemd/container", Fate::Keep},
                                          {"/run/systemd/system", Fate::Exists},
                                          {"/run/.containerenv", Fate::Exists},
                                          {"/.dockerenv", Fate::Exists},
                                          {"/dev/", Fate::Exists},
                                          {"/usr/local/cuda", Fate::Keep},
                                          {"/opt/rocm", Fate::Keep},
                                          {"/lib", Fate::Exists},
                                          {"/usr/lib", Fate::Exists},
                                          {"/usr/local/lib", Fate::Exists},
                                          {"/var/run", Fate::Exists}}};

// Parts of the names of files that tell one machine from another of its model.
constexpr std::array<std::string_view, 9> kIdentities = {
    "serial", "uuid", "unique_id", "asset_tag", "wwid", "wwn", "nguid", "eui", "hostname"};

constexpr std::size_t kLargest = std::size_t{1} << 20;

Fate fate_of(const std::string& path, const CaptureEntry& entry) {
  const std::string name = text::lower(fs::path(path).filename().string());
  for (const std::string_view identity : kIdentities) {
    if (name.find(identity) != std::string::npos)
      return Fate::Drop;
  }
  for (const Rule& rule : kRules) {
    if (path.starts_with(rule.prefix)) {
      const bool too_large = entry.content.size() > kLargest;
      return rule.fate == Fate::Keep && too_large ? Fate::Exists : rule.fate;
    }
  }
  return Fate::Drop;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

void replace_word(std::string& text, const std::string& word, const std::string& by) {
  constexpr std::size_t kShortest = 3;
  if (word.size() < kShortest || word == "root")
    return;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    const std::size_t end = at + word.size();
    if ((at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]))) {
      at = end;
      continue;
    }
    text.replace(at, word.size(), by);
    at += by.size();
  }
}

// Only lines whose key is (or is not) one of `keys`.
std::string lines_with(const std::string& content,
                       std::initializer_list<std::string_view> keys,
                       bool wanted) {
  std::string out;
  for (const std::string& line : text::lines(content)) {
    const std::string_view key = text::trim(std::string_view(line).substr(0, line.find(':')));
    if ((std::find(keys.begin(), keys.end(), key) != keys.end()) == wanted)
      out += line + "\n";
  }
  return out;
}

// "Linux version 6.1.0-18-amd64 (who@where) ..." without who built it, and where.
std::string kernel_version(const std::string& content) {
  std::vector<std::string> words = text::split(content.substr(0, content.find('\n')), ' ');
  words.resize(std::min<std::size_t>(words.size(), 3));
  return text::join(words, " ") + "\n";
}

std::string escaped(const std::string& point) {
  std::string out;
  for (const char c : point) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\\')
      out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

std::string mounts(const std::string& content, const std::vector<fs::path>& storage) {
  std::string out;
  for (const fs::path& path : storage) {
    const auto mount = mount_of(content, path);
    if (!mount)
      continue;
    const std::string line = fmt::format(
        "1 0 {} / {} rw - {} none rw\n", mount->number, escaped(mount->point), mount->file_system);
    if (out.find(line) == std::string::npos)
      out += line;
  }
  return out;
}

}  // namespace

std::string IdentityScrubber::operator()(const std::string& text) {
  constexpr std::string_view kUuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  constexpr std::string_view kMac = "xx:xx:xx:xx:xx:xx";
  const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  const auto fits = [&](std::size_t at, std::string_view shape) {
    if (at + shape.size() > text.size())
      return false;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (shape[i] == 'x' ? !is_hex(text[at + i]) : text[at + i] != shape[i])
        return false;
    }
    const std::size_t end = at + shape.size();
    return end == text.size() || !(is_hex(text[end]) || text[end] == ':' || text[end] == '-');
  };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool start = at == 0 || !(is_hex(text[at - 1]) || text[at - 1] == ':');
    const std::string_view shape = start && fits(at, kUuid)  ? kUuid
                                   : start && fits(at, kMac) ? kMac
                                                             : std::string_view();
    if (shape.empty()) {
      out += text[at++];
      continue;
    }
    const std::string key = text::lower(text.substr(at, shape.size()));
    const std::size_t number = seen_.emplace(key, seen_.size() + 1).first->second;
    out += shape == kUuid
               ? fmt::format("00000000-0000-4000-8000-{:012x}", number)
               : fmt::format("02:00:00:00:{:02x}:{:02x}", number / 256 % 256, number % 256);
    at += shape.size();
  }
  return out;
}

Tree scrubbed(const Tree& tree,
              const platform::Environment& environment,
              const std::vector<fs::path>& storage) {
  const auto without_names = [&](std::string text) {
    replace_word(text, environment.host_name, "host");
    replace_word(text, environment.user, "user");
    return text;
  };
  IdentityScrubber identities;
  Tree out;
  for (const auto& [path, entry] : tree) {
    const Fate fate = fate_of(path, entry);
    if (fate == Fate::Drop)
      continue;
    CaptureEntry kept = entry;
    std::string new_path = path;
    if (entry.kind == CaptureEntry::Kind::File && fate == Fate::Exists)
      kept.content.clear();
    if (path.starts_with("/sys/fs/cgroup")) {
      new_path = without_names(path);
      kept.path = new_path.substr(1);
    }
    if (entry.kind == CaptureEntry::Kind::File) {
      if (path.ends_with("/cgroup"))
        kept.content = without_names(kept.content);
      else if (path == "/proc/self/status")
        kept.content = lines_with(kept.content, {"Cpus_allowed_list"}, true);
      else if (path == "/proc/cpuinfo")
        kept.content = lines_with(kept.content, {"Serial"}, false);
      else if (path == "/proc/version")
        kept.content = kernel_version(kept.content);
      else if (path == "/proc/self/mountinfo")
        kept.content = without_names(mounts(kept.content, storage));
      kept.content = identities(kept.content);
    }
    out[new_path] = std::move(kept);
  }
  return out;
}

}  // namespace las::hardware
