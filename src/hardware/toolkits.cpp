// SPDX-License-Identifier: Apache-2.0
#include "toolkits.hpp"

#include "parse.hpp"

#include "las/base/i18n.hpp"

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::hardware {

namespace {

namespace fs = std::filesystem;

Fact<Version> cuda_at(const platform::FileReader& files, const fs::path& folder) {
  if (const auto text = files.try_read(folder / "version.json")) {
    if (const auto version = parse_cuda_version_json(*text))
      return Fact<Version>::known(*version, (folder / "version.json").string());
  }
  if (const auto text = files.try_read(folder / "version.txt")) {  // "CUDA Version 10.2.89"
    if (const auto version = first_version(*text))
      return Fact<Version>::known(*version, (folder / "version.txt").string());
  }
  // Toolkits put together from single packages, and those in images, have neither.
  if (const auto text = files.try_read(folder / "include" / "cuda.h")) {
    if (const auto version = parse_cuda_header(*text))
      return Fact<Version>::known(*version, (folder / "include" / "cuda.h").string());
  }
  return {};
}

Fact<Version> rocm_at(const platform::FileReader& files, const fs::path& folder) {
  const fs::path file = folder / ".info" / "version";  // "6.2.0-66"
  const auto text = files.try_read(file);
  const auto version = text ? first_version(*text) : std::nullopt;
  return version ? Fact<Version>::known(*version, file.string()) : Fact<Version>{};
}

// What the administrator made the usual one, or else the newest beside it.
template <typename Look>
Fact<Version> usual_or_newest(const platform::FileReader& files,
                              const fs::path& usual,
                              Look&& look,
                              std::string why) {
  Fact<Version> best = look(files, usual);
  if (best.is_known())
    return best;
  for (const std::string& name :
       try_list(files, usual.parent_path()).value_or(std::vector<std::string>{})) {
    if (!name.starts_with(usual.filename().string() + "-"))
      continue;
    Fact<Version> found = look(files, usual.parent_path() / name);
    if (found.is_known() && (!best.is_known() || *best.value < *found.value))
      best = std::move(found);
  }
  return best.is_known() ? best : Fact<Version>::missing(std::move(why));
}

}  // namespace

std::optional<Version> parse_cuda_version_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto cuda = json.is_object() ? json.find("cuda") : json.end();
  if (!json.is_object() || cuda == json.end() || !cuda->is_object())
    return std::nullopt;
  const auto version = cuda->find("version");
  if (version == cuda->end() || !version->is_string())
    return std::nullopt;
  return first_version(version->get<std::string>());
}

// "#define CUDA_VERSION 12080" is 12.8: a thousand for the major, ten for the minor number.
std::optional<Version> parse_cuda_header(std::string_view text) {
  constexpr std::string_view kDefine = "#define CUDA_VERSION ";
  const std::size_t at = text.find(kDefine);
  if (at == std::string_view::npos)
    return std::nullopt;
  std::string_view digits = text.substr(at + kDefine.size());
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  const auto number = parse_unsigned(digits);
  if (!number || *number < 1000)
    return std::nullopt;
  return Version(fmt::format("{}.{}", *number / 1000, *number % 1000 / 10));
}

Fact<Version> read_cuda_toolkit(const platform::FileReader& files) {
  return usual_or_newest(
      files, "/usr/local/cuda", cuda_at, _("there is no CUDA toolkit in /usr/local"));
}

Fact<Version> read_rocm(const platform::FileReader& files) {
  return usual_or_newest(files, "/opt/rocm", rocm_at, _("there is no ROCm in /opt"));
}

}  // namespace las::hardware
