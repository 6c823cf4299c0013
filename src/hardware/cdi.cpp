// SPDX-License-Identifier: Apache-2.0
#include "cdi.hpp"

#include "parse.hpp"

#include "las/base/text.hpp"

#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

namespace las::hardware {

namespace {

std::optional<std::string> spec(const std::string& kind, const std::string& version) {
  const std::string clean_kind = printable(kind);
  const std::string clean_version = printable(version);
  // VENDOR/CLASS
  if (clean_kind.find('/') == std::string::npos || clean_version.empty() ||
      (clean_kind + clean_version).find(' ') != std::string::npos)
    return std::nullopt;
  return clean_kind + " " + clean_version;
}

std::string scalar(std::string_view text) {
  text = text::trim(text.substr(0, text.find(" #")));
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front())
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

}  // namespace

std::optional<std::string> parse_cdi_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    return std::nullopt;
  const auto value = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return spec(value("kind"), value("cdiVersion"));
}

std::optional<std::string> parse_cdi_yaml(std::string_view text) {
  std::string kind, version;
  for (const std::string& line : text::lines(text)) {
    constexpr std::string_view kKind = "kind:", kVersion = "cdiVersion:";
    if (line.starts_with(kKind))
      kind = scalar(std::string_view(line).substr(kKind.size()));
    else if (line.starts_with(kVersion))
      version = scalar(std::string_view(line).substr(kVersion.size()));
  }
  return spec(kind, version);
}

Fact<std::vector<std::string>> read_cdi_specs(const platform::FileReader& files) {
  std::set<std::string> specs;
  for (const std::filesystem::path folder : {"/etc/cdi", "/var/run/cdi"}) {
    for (const std::string& name : try_list(files, folder).value_or(std::vector<std::string>{})) {
      const bool json = name.ends_with(".json");
      if (!json && !name.ends_with(".yaml"))
        continue;
      const auto text = files.try_read(folder / name);
      if (!text)
        continue;
      if (auto found = json ? parse_cdi_json(*text) : parse_cdi_yaml(*text))
        specs.insert(std::move(*found));
    }
  }
  return Fact<std::vector<std::string>>::known({specs.begin(), specs.end()},
                                               "/etc/cdi, /var/run/cdi");
}

}  // namespace las::hardware
