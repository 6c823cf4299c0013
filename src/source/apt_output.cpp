// SPDX-License-Identifier: Apache-2.0
#include "apt_output.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <array>

namespace las::source {

namespace {

/// "[1.0]" or "(1.0" without its bracket.
std::string unbracket(std::string_view word) {
  while (!word.empty() && (word.front() == '[' || word.front() == '('))
    word.remove_prefix(1);
  while (!word.empty() && (word.back() == ']' || word.back() == ')'))
    word.remove_suffix(1);
  return std::string(word);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

struct AptSymptom {
  std::string_view text;
  ErrorKind kind;
};

// In order of preference: a full disk also ends in "Failed to fetch", a wrong hash in both.
constexpr std::array<AptSymptom, 20> kAptSymptoms = {{
    {"Could not get lock", ErrorKind::Busy},
    {"Unable to acquire the dpkg frontend lock", ErrorKind::Busy},
    {"No space left on device", ErrorKind::NoSpace},
    {"You don't have enough free space", ErrorKind::NoSpace},
    {"Hash Sum mismatch", ErrorKind::Integrity},
    {"were unauthenticated packages", ErrorKind::Integrity},
    {"cannot be authenticated", ErrorKind::Integrity},
    {"Permission denied", ErrorKind::Permission},
    {"Temporary failure resolving", ErrorKind::Network},
    {"Could not resolve", ErrorKind::Network},
    {"Could not connect", ErrorKind::Network},
    {"Unable to connect", ErrorKind::Network},
    {"Connection failed", ErrorKind::Network},
    {"Connection timed out", ErrorKind::Network},
    {"Failed to fetch", ErrorKind::Network},
    {"Unable to fetch", ErrorKind::Network},
    {"Unable to locate package", ErrorKind::NotFound},
    {"has no installation candidate", ErrorKind::NotFound},
    {"unmet dependencies", ErrorKind::Unsatisfiable},
    {"held broken packages", ErrorKind::Unsatisfiable},
}};

std::string hint_for(ErrorKind kind, std::string_view output) {
  if (contains(output, "dpkg was interrupted"))
    return "dpkg --configure -a";
  if (kind == ErrorKind::NotFound || (kind == ErrorKind::Network && contains(output, "404 ")))
    return "apt-get update";
  return {};
}

/// apt's own words: its "E:" lines, else the last line.
std::string own_words(std::string_view output) {
  std::vector<std::string> errors;
  std::string last;
  for (const std::string& line : text::lines(output)) {
    const std::string_view trimmed = text::trim(line);
    if (trimmed.starts_with("E: "))
      errors.emplace_back(trimmed.substr(3));
    if (!trimmed.empty())
      last = trimmed;
  }
  return errors.empty() ? last : text::join(errors, "; ");
}

}  // namespace

AptChanges parse_apt_simulation(std::string_view output) {
  AptChanges changes;
  for (const std::string& line : text::lines(output)) {
    const std::vector<std::string> words = text::split(line, ' ');
    if (words.size() < 3)
      continue;
    const std::string& name = words[1];
    const bool had_version = words[2].starts_with('[');
    if (words[0] == "Inst" && !had_version)
      changes.installed[name] = unbracket(words[2]);
    else if (words[0] == "Inst" && words.size() > 3)
      changes.upgraded[name] = {unbracket(words[2]), unbracket(words[3])};
    else if (words[0] == "Remv" || words[0] == "Purg")
      changes.removed[name] = unbracket(words[2]);
  }
  return changes;
}

std::map<std::string, std::string> parse_apt_candidates(std::string_view output) {
  std::map<std::string, std::string> candidates;
  std::string package;
  for (const std::string& line : text::lines(output)) {
    if (!line.empty() && line.front() != ' ' && line.back() == ':') {
      package = line.substr(0, line.size() - 1);
      continue;
    }
    const std::string_view field = text::trim(line);
    static constexpr std::string_view kKey = "Candidate: ";
    if (!package.empty() && field.starts_with(kKey) && field.substr(kKey.size()) != "(none)")
      candidates[package] = field.substr(kKey.size());
  }
  return candidates;
}

bool PackageStatus::present() const {
  return !status.empty() && status != "not-installed" && status != "config-files";
}

std::map<std::string, PackageStatus> parse_dpkg_status(std::string_view output) {
  std::map<std::string, PackageStatus> packages;
  for (const std::string& line : text::lines(output)) {
    const std::vector<std::string> fields = text::split(line, '\t');
    if (fields.size() != 4)
      continue;
    const PackageStatus status{fields[2], fields[3]};
    packages[fields[0] + ":" + fields[1]] = status;
    const auto [plain, is_new] = packages.emplace(fields[0], status);
    if (!is_new && !plain->second.installed())
      plain->second = status;
  }
  return packages;
}

Error apt_failure(std::string_view output, std::string message, std::string subject) {
  ErrorKind kind = ErrorKind::Io;
  for (const AptSymptom& symptom : kAptSymptoms) {
    if (contains(output, symptom.text)) {
      kind = symptom.kind;
      break;
    }
  }
  Error error(kind, std::move(message), std::move(subject));
  error.cause(own_words(output));
  const std::string hint = hint_for(kind, output);
  if (!hint.empty())
    error.hint(hint);
  return error;
}

}  // namespace las::source
