// SPDX-License-Identifier: Apache-2.0
#include "pip.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>

namespace las::source {

namespace {

constexpr std::string_view kHash = "--hash=";

bool is_hash(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, std::size_t>, 3> kAlgorithms = {
      {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}}};
  if (!word.starts_with(kHash))
    return false;
  word.remove_prefix(kHash.size());
  return std::any_of(kAlgorithms.begin(), kAlgorithms.end(), [&](const auto& algorithm) {
    return word.starts_with(algorithm.first) &&
           word.size() == algorithm.first.size() + algorithm.second &&
           word.find_first_not_of("0123456789abcdef", algorithm.first.size()) ==
               std::string_view::npos;
  });
}

bool is_pinned_name(std::string_view text) {
  static constexpr std::string_view kName =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const auto equals = text.find("==");
  if (equals == std::string_view::npos || equals == 0)
    return false;
  std::string_view name = text.substr(0, equals), version = text.substr(equals + 2);
  const auto extras = name.find('[');
  if (extras != std::string_view::npos) {
    if (!name.ends_with(']') ||
        name.substr(extras).find_first_not_of(std::string(kName) + "[],") != std::string_view::npos)
      return false;
    name = name.substr(0, extras);
  }
  return !name.empty() && name.front() != '-' && name.front() != '.' &&
         name.find_first_not_of(kName) == std::string_view::npos && !version.empty() &&
         version.find_first_not_of(std::string(kName) + "+!") == std::string_view::npos;
}

void check_requirement(const std::string& requirement) {
  const auto refuse = [&](std::string message) {
    throw Error(ErrorKind::InvalidData, std::move(message), requirement.substr(0, 80));
  };
  if (requirement.find_first_of("\r\n\\$#") != std::string::npos)
    refuse(_("a python requirement is not one line"));
  const auto options = requirement.find(" --");
  const std::string_view head =
      text::trim(std::string_view(requirement).substr(0, requirement.find_first_of(";")));
  if (!is_pinned_name(head.substr(0, head.find(" --"))))
    refuse(_("a python requirement is not name==version"));
  if (options == std::string::npos)
    refuse(_("a python requirement has no hash"));
  for (const std::string& word : text::split(requirement.substr(options + 1), ' ')) {
    if (!word.empty() && !is_hash(word))
      refuse(_("a python requirement has an option other than a strong hash"));
  }
}

std::string normal_project(std::string_view name) {
  std::string out;
  for (const char c : text::lower(name)) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator)
      out += c;
    else if (!out.ends_with('-'))
      out += '-';
  }
  return out;
}

struct PipSymptom {
  std::string_view text;
  ErrorKind kind;
};

constexpr std::array<PipSymptom, 22> kPipSymptoms = {{
    {"THESE PACKAGES DO NOT MATCH THE HASHES", ErrorKind::Integrity},
    {"No space left on device", ErrorKind::NoSpace},
    {"Temporary failure in name resolution", ErrorKind::Network},
    {"Name or service not known", ErrorKind::Network},
    {"NewConnectionError", ErrorKind::Network},
    {"NameResolutionError", ErrorKind::Network},
    {"ConnectTimeoutError", ErrorKind::Network},
    {"ReadTimeoutError", ErrorKind::Network},
    {"Read timed out", ErrorKind::Network},
    {"ProtocolError", ErrorKind::Network},
    {"ProxyError", ErrorKind::Network},
    {"SSLError", ErrorKind::Network},
    {"Max retries exceeded", ErrorKind::Network},
    {"Connection broken", ErrorKind::Network},
    {"Connection refused", ErrorKind::Network},
    {"Connection reset", ErrorKind::Network},
    {"IncompleteRead", ErrorKind::Network},
    {"Network is unreachable", ErrorKind::Network},
    {"HTTP error 5", ErrorKind::Network},
    {"Server Error for url", ErrorKind::Network},
    {"No matching distribution found", ErrorKind::NotFound},
    {"Permission denied", ErrorKind::Permission},
}};

}  // namespace

std::string render_lock(std::vector<std::string> requirements) {
  if (requirements.empty())
    throw Error(ErrorKind::InvalidData, _("a python source has no requirements"));
  for (const std::string& requirement : requirements)
    check_requirement(requirement);
  std::sort(requirements.begin(), requirements.end());
  return text::join(requirements, "\n") + "\n";
}

std::string requirement_name(std::string_view requirement) {
  return std::string(text::trim(requirement.substr(0, requirement.find_first_of("; "))));
}

bool requires_project(std::string_view requirement, std::string_view project) {
  return normal_project(requirement.substr(0, requirement.find_first_of("[= ;"))) ==
         normal_project(project);
}

Error pip_failure(std::string_view output, std::string message, std::string subject) {
  ErrorKind kind = ErrorKind::Io;
  for (const PipSymptom& symptom : kPipSymptoms) {
    if (output.find(symptom.text) != std::string_view::npos) {
      kind = symptom.kind;
      break;
    }
  }
  // pip's last "ERROR:" is its conclusion, but a network fault is told by a warning before it.
  std::string cause;
  for (const std::string& line : text::lines(output)) {
    const bool is_symptom = kind == ErrorKind::Network && line.starts_with("WARNING: Retrying");
    if (line.starts_with("ERROR: ") || (is_symptom && cause.empty()))
      cause = line.substr(line.find(": ") + 2);
    if (is_symptom)
      break;
  }
  if (kind == ErrorKind::Integrity)
    cause = _("pip was given bytes that do not match the lock");
  return Error(kind, std::move(message), std::move(subject)).cause(std::move(cause));
}

}  // namespace las::source
