// SPDX-License-Identifier: Apache-2.0
#include "deb_packages.hpp"

#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::source {
namespace {

struct Stanza {
  std::string_view text;
  std::map<std::string, std::string> fields;  ///< names in lower case

  std::string get(const std::string& name) const {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  }
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

Stanza parse_stanza(std::string_view text) {
  Stanza stanza{text, {}};
  for (const std::string& line : text::lines(text)) {
    const auto colon = line.find(':');
    // What begins with a space goes on with the field before: nothing of that is asked for.
    if (line.empty() || line.front() == ' ' || colon == std::string::npos)
      continue;
    stanza.fields[lower(line.substr(0, colon))] = std::string(text::trim(line.substr(colon + 1)));
  }
  return stanza;
}

std::vector<Stanza> parse_status(std::string_view status) {
  std::vector<Stanza> stanzas;
  while (!status.empty()) {
    const auto end = std::min(status.find("\n\n"), status.size());
    if (Stanza stanza = parse_stanza(status.substr(0, end)); !stanza.get("package").empty())
      stanzas.push_back(std::move(stanza));
    status.remove_prefix(std::min(end + 2, status.size()));
  }
  return stanzas;
}

// "a (>= 1) | b, c:any" names a, b and c. Of alternatives all count: which of them is there settles
// which is meant.
std::vector<std::string> package_names(std::string_view relation) {
  std::vector<std::string> names;
  for (const std::string& group : text::split(relation, ',')) {
    for (const std::string& one : text::split(group, '|')) {
      const std::string_view trimmed = text::trim(one);
      if (!trimmed.empty())
        names.emplace_back(trimmed.substr(0, trimmed.find_first_of(" (:")));
    }
  }
  return names;
}

}  // namespace

std::string bare_machine(std::string_view status) {
  const std::vector<Stanza> stanzas = parse_status(status);
  std::map<std::string, std::vector<const Stanza*>> by_name;  // also by what they provide
  std::vector<const Stanza*> open;
  for (const Stanza& stanza : stanzas) {
    if (!stanza.get("status").ends_with(" installed"))
      continue;
    by_name[stanza.get("package")].push_back(&stanza);
    for (const std::string& provided : package_names(stanza.get("provides")))
      by_name[provided].push_back(&stanza);
    if (stanza.get("essential") == "yes" || stanza.get("priority") == "required")
      open.push_back(&stanza);
  }
  std::set<const Stanza*> base;
  while (!open.empty()) {
    const Stanza* stanza = open.back();
    open.pop_back();
    if (!base.insert(stanza).second)
      continue;
    for (const char* field : {"pre-depends", "depends"}) {
      for (const std::string& name : package_names(stanza->get(field))) {
        if (const auto found = by_name.find(name); found != by_name.end())
          open.insert(open.end(), found->second.begin(), found->second.end());
      }
    }
  }
  std::string out;
  for (const Stanza& stanza : stanzas) {
    if (base.contains(&stanza)) {
      out += stanza.text;
      out += "\n\n";
    }
  }
  return out;
}

std::vector<DebFile> parse_print_uris(std::string_view output) {
  std::vector<DebFile> files;
  for (const std::string& line : text::lines(output)) {
    // 'ADDRESS' FILE SIZE SHA256:HEX
    const auto quote = line.rfind("' ");
    if (!line.starts_with('\'') || quote == std::string::npos)
      continue;
    const auto words = text::split(line.substr(quote + 2), ' ');
    if (words.empty())
      continue;
    constexpr std::string_view kDigest = "SHA256:";
    DebFile file{words.front(), {}};
    if (words.back().starts_with(kDigest))
      file.digest = words.back().substr(kDigest.size());
    files.push_back(std::move(file));
  }
  return files;
}

bool matches_any(std::string_view package, const std::vector<std::string>& patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return pattern.ends_with('*') ? package.starts_with(pattern.substr(0, pattern.size() - 1))
                                  : package == pattern;
  });
}

std::string launcher(const std::string& program, const std::vector<std::string>& library_folders) {
  const std::string start = fmt::format("exec {} \"$@\"\n", text::shell_word(program));
  // Empty it would be a folder too: the working directory.
  if (library_folders.empty())
    return "#!/bin/sh\n" + start;
  return fmt::format(
      "#!/bin/sh\n"
      "LD_LIBRARY_PATH={}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\n"
      "export LD_LIBRARY_PATH\n"
      "{}",
      text::shell_word(text::join(library_folders, ":")),
      start);
}

}  // namespace las::source
