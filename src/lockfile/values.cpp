// SPDX-License-Identifier: Apache-2.0
#include "values.hpp"

#include "keys.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/lockfile/document.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::lockfile {

namespace {

// As strict as what may be typed: no operator or second version hides in it.
bool is_version_text(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\n,=<>!^*") == std::string_view::npos;
}

}  // namespace

VersionRange exactly(std::string_view version) {
  if (!is_version_text(version))
    return {};
  return VersionRange::parse("==" + std::string(version)).value_or(VersionRange());
}

void allow_keys(const document::Node& node, const std::string& object) {
  node.allow_only(kKeys.at(object));
}

std::string name_of(const document::Node& node) {
  std::string name = node.required_string();
  if (!name.empty() && !text::is_name(name)) {
    node.fault(_("not a name"), _("a name has up to 64 of a-z, 0-9, '.', '_', '+' and '-'"));
    name.clear();
  }
  return name;
}

std::optional<Digest> digest_of(const document::Node& node) {
  const auto text = node.string();
  if (!text)
    return std::nullopt;
  const auto digest = Digest::parse(*text);
  if (!digest)
    node.fault(_("not a digest"), _("write sha256: and 64 hexadecimal digits"));
  return digest;
}

VersionRange range_of(const document::Node& node) {
  const auto text = node.string();
  if (!text)
    return {};
  const auto range = VersionRange::parse(*text);
  if (!range)
    node.fault(_("not a version range"), _("write for example '>=1.2,<2'"));
  return range.value_or(VersionRange());
}

VersionRange version_of(const document::Node& node) {
  const std::string text = node.required_string();
  if (text.empty())
    return {};
  const VersionRange range = exactly(text);
  if (range.any())
    node.fault(_("not a version"), _("a lock names exactly one"));
  return range;
}

std::optional<Version> least_of(const document::Node& node) {
  const auto text = node.string();
  if (!text)
    return std::nullopt;
  if (!is_version_text(*text)) {
    node.fault(_("not a version"));
    return std::nullopt;
  }
  return Version(*text);
}

std::optional<std::uint16_t> port_of(const document::Node& node) {
  const auto number = node.integer();
  if (!number)
    return std::nullopt;
  if (*number < 1 || *number > 65535) {
    node.fault(_("not a port"), _("a port is a whole number from 1 to 65535"));
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(*number);
}

std::map<std::string, std::string> texts_of(const document::Node& node) {
  std::map<std::string, std::string> texts;
  for (const std::string& key : node.keys())
    texts[key] = node[key].string().value_or("");
  return texts;
}

std::string word_of(const document::Node& node, const std::vector<std::string>& allowed) {
  return node.one_of(allowed).value_or("");
}

}  // namespace las::lockfile
