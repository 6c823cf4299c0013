// SPDX-License-Identifier: Apache-2.0
#include "las/base/digest.hpp"

#include "las/base/text.hpp"

#include <algorithm>

namespace las {

Digest::Digest()
    : Digest("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") {}

Digest::Digest(std::string algorithm, std::string hex)
    : algorithm_(std::move(algorithm)), hex_(std::move(hex)) {}

std::optional<Digest> Digest::parse(std::string_view text) {
  std::string algorithm = "sha256";
  std::string hex(text);
  if (const auto colon = hex.find(':'); colon != std::string::npos) {
    algorithm = hex.substr(0, colon);
    hex.erase(0, colon + 1);
  }
  const std::size_t expected = algorithm == "sha256" ? 64 : algorithm == "sha512" ? 128 : 0;
  hex = text::lower(hex);
  const bool is_hex = std::all_of(hex.begin(), hex.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (expected == 0 || hex.size() != expected || !is_hex)
    return std::nullopt;
  return Digest(std::move(algorithm), std::move(hex));
}

Digest Digest::sha256(std::string hex) {
  return Digest("sha256", std::move(hex));
}

}  // namespace las
