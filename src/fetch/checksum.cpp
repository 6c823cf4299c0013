// SPDX-License-Identifier: Apache-2.0
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/fetch/fetch.hpp"

#include <nlohmann/json.hpp>

namespace las::fetch {

namespace {

struct NamedDigest {
  std::string name;
  Digest digest;
};

/// Bare hex digits: their number tells the algorithm.
std::optional<Digest> parse_hex(std::string_view hex) {
  constexpr std::size_t kSha512Digits = 128;
  if (hex.find(':') != std::string_view::npos)
    return std::nullopt;
  return Digest::parse(hex.size() == kSha512Digits ? "sha512:" + std::string(hex)
                                                   : std::string(hex));
}

/// "<hex>  <name>", "<hex> *<name>" (coreutils) or "SHA256 (<name>) = <hex>" (BSD).
std::optional<NamedDigest> parse_sums_line(std::string_view line) {
  line = text::trim(line);
  if (const auto open = line.find(" ("), close = line.rfind(") = ");
      open != std::string_view::npos && close != std::string_view::npos && open < close) {
    const std::string algorithm = text::lower(line.substr(0, open));
    const auto digest = Digest::parse(algorithm + ":" + std::string(line.substr(close + 4)));
    if (digest)
      return NamedDigest{std::string(line.substr(open + 2, close - open - 2)), *digest};
  }
  const auto space = line.find_first_of(" \t");
  if (space == std::string_view::npos)
    return std::nullopt;
  const auto digest = parse_hex(line.substr(0, space));
  if (!digest)
    return std::nullopt;
  std::string_view name = text::trim(line.substr(space));
  if (name.starts_with('*'))
    name.remove_prefix(1);
  return NamedDigest{std::string(name), *digest};
}

std::vector<NamedDigest> parse_sums(std::string_view document) {
  std::vector<NamedDigest> entries;
  for (const std::string& line : text::lines(document)) {
    if (auto entry = parse_sums_line(line))
      entries.push_back(std::move(*entry));
  }
  return entries;
}

std::vector<NamedDigest> parse_release_assets(std::string_view document) {
  const auto json = nlohmann::json::parse(document, nullptr, false);
  std::vector<NamedDigest> entries;
  if (!json.is_object() || !json.contains("assets") || !json["assets"].is_array())
    return entries;
  for (const auto& asset : json["assets"]) {
    if (!asset.is_object() || !asset.contains("name") || !asset["name"].is_string() ||
        !asset.contains("digest") || !asset["digest"].is_string())
      continue;
    if (const auto digest = Digest::parse(asset["digest"].get<std::string>()))
      entries.push_back({asset["name"].get<std::string>(), *digest});
  }
  return entries;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

/// The one digest on which all entries accepted by `matches` agree; contradictions give nothing.
template <typename Matches>
std::optional<Digest> agreed_digest(const std::vector<NamedDigest>& entries, Matches matches) {
  std::optional<Digest> found;
  for (const NamedDigest& entry : entries) {
    if (!matches(entry.name))
      continue;
    // A document may list the same file under both algorithms.
    if (found && found->algorithm() == entry.digest.algorithm() && *found != entry.digest)
      return std::nullopt;
    if (!found || entry.digest.algorithm() == "sha256")
      found = entry.digest;
  }
  return found;
}

bool is_listed(const std::vector<NamedDigest>& entries, std::string_view name) {
  for (const NamedDigest& entry : entries) {
    if (entry.name == name)
      return true;
  }
  return false;
}

}  // namespace

std::optional<Digest> find_checksum(std::string_view document,
                                    std::string_view format,
                                    std::string_view file_name) {
  if (format == "release-assets") {
    return agreed_digest(parse_release_assets(document),
                         [&](const std::string& name) { return name == file_name; });
  }
  if (format != "sums") {
    throw Error(ErrorKind::InvalidData,
                _("this checksum document format is not known"),
                std::string(format));
  }
  // "<file>.sha256" documents often hold the digits alone.
  if (const auto alone = parse_hex(text::trim(document)))
    return alone;
  const auto entries = parse_sums(document);
  if (is_listed(entries, file_name))
    return agreed_digest(entries, [&](const std::string& name) { return name == file_name; });
  return agreed_digest(entries,
                       [&](const std::string& name) { return base_name(name) == file_name; });
}

}  // namespace las::fetch
