// SPDX-License-Identifier: Apache-2.0
#include "las/registry/manifest_check.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/document/node.hpp"

#include <fmt/format.h>

namespace las::registry {

namespace {

// What every signature line of minisign begins with: "Ed" or "ED" and the first bits of the key id.
bool is_signature_line(std::string_view value) {
  constexpr std::size_t kLine = 100;  // base64 of 74 bytes
  return value.size() == kLine && (value.starts_with("RU") || value.starts_with("RW"));
}

std::string signature_of(std::string_view manifest, std::string* name) {
  Diagnostics ignored;
  const document::Node root = document::parse(manifest, {}, ignored);
  if (!root.is_map())
    return {};
  if (name != nullptr)
    *name = root["name"].string().value_or("");
  const document::Node integrity = root["integrity"];
  return integrity.is_map() ? integrity["signature"].string().value_or("") : std::string();
}

// The manifest as it was before its signature was written into it; nothing where the line holds
// more than that (the signature would not cover it), or there are several.
std::optional<std::string> without_signature_line(std::string_view manifest,
                                                  std::string_view signature) {
  const std::size_t at = manifest.find(signature);
  if (at == std::string_view::npos || manifest.find(signature, at + 1) != std::string_view::npos)
    return std::nullopt;
  const std::size_t before = manifest.rfind('\n', at);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t after = manifest.find('\n', at);
  const std::size_t end = after == std::string_view::npos ? manifest.size() : after + 1;
  std::string line(text::trim(manifest.substr(begin, end - begin)));
  std::erase_if(line, [](char c) { return c == '"' || c == '\''; });
  if (line != "signature: " + std::string(signature))
    return std::nullopt;
  return std::string(manifest.substr(0, begin)) + std::string(manifest.substr(end));
}

std::string signature_fault_of(std::string_view manifest,
                               const std::string& signature,
                               const PublicKey& key,
                               const FileOf& file_of) {
  if (is_signature_line(signature)) {
    const auto signed_text = without_signature_line(manifest, signature);
    return signed_text ? signature_line_fault(key, *signed_text, signature)
                       : _("its signature does not stand on a line of its own");
  }
  const auto file = file_of(signature);
  if (!file)
    return fmt::format(fmt::runtime(_("its signature {} is not beside it")), signature);
  return signature_fault(key, manifest, *file);
}

}  // namespace

std::string manifest_fault(std::string_view manifest,
                           const std::string& name,
                           const PublicKey& key,
                           const FileOf& file_of) {
  std::string own;
  const std::string signature = signature_of(manifest, &own);
  if (!own.empty() && own != name)
    return fmt::format(fmt::runtime(_("it is the manifest of {}")), own);
  return signature.empty() ? std::string() : signature_fault_of(manifest, signature, key, file_of);
}

std::string signature_file_of(std::string_view manifest) {
  const std::string signature = signature_of(manifest, nullptr);
  return is_signature_line(signature) ? std::string() : signature;
}

}  // namespace las::registry
