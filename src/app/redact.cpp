// SPDX-License-Identifier: Apache-2.0
#include "las/app/doctor.hpp"

#include <regex>
#include <utility>

namespace las::app {

namespace {

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// Whole words only: the user "a" is not every a.
void replace_word(std::string& text, const std::string& word, std::string_view by) {
  if (word.empty())
    return;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    const bool begins = at == 0 || !is_word(text[at - 1]) || !is_word(word.front());
    const std::size_t end = at + word.size();
    const bool ends = end == text.size() || !is_word(text[end]) || !is_word(word.back());
    if (!begins || !ends) {
      at = end;
      continue;
    }
    text.replace(at, word.size(), by);
    at += by.size();
  }
}

}  // namespace

std::string redact(std::string text, const platform::Environment& environment) {
  // Credentials first: what looks like one may hold a user's name.
  static const std::vector<std::pair<std::regex, std::string>> kPatterns = {
      {std::regex(R"(([a-z][a-z0-9+.-]*://)[^/@\s"']+@)", std::regex::icase), "$1REDACTED@"},
      {std::regex(
           R"((\b[\w-]*(?:token|secret|password|passwd|api[_-]?key|credential)[\w-]*["']?\s*[:=]\s*["']?)[^\s"',}]+)",
           std::regex::icase),
       "$1REDACTED"},
      {std::regex(R"((authorization:?\s*(?:bearer|basic)\s+)\S+)", std::regex::icase),
       "$1REDACTED"},
      {std::regex(R"(\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)",
                  std::regex::icase),
       "UUID"},
      {std::regex(R"(\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b)", std::regex::icase), "MAC"},
      {std::regex(R"(\b(?!127\.|0\.0\.0\.0)(?:\d{1,3}\.){3}\d{1,3}\b(?!\.\d))"), "ADDRESS"},
      // IPv6: "::" somewhere, or at least five groups (a time of day has three).
      {std::regex(R"((?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4})", std::regex::icase), "ADDRESS"},
      {std::regex(R"([0-9a-f]{1,4}(?::[0-9a-f]{1,4})*::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?)",
                  std::regex::icase),
       "ADDRESS"},
      {std::regex(R"([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+)"), "MAIL"},
      {std::regex(R"(/home/[^/\s"':]+)"), "/home/USER"},
  };
  for (const auto& [pattern, by] : kPatterns)
    text = std::regex_replace(text, pattern, by);
  if (environment.home.size() > 1)
    replace_word(text, environment.home, "HOME");
  replace_word(text, environment.host_name, "HOST");
  for (const char* name : {"SUDO_USER", "USER", "LOGNAME"}) {
    if (const auto user = environment.get(name); user && *user != "root")
      replace_word(text, *user, "USER");
  }
  if (environment.user != "root")
    replace_word(text, environment.user, "USER");
  return text;
}

}  // namespace las::app
