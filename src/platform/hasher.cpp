// SPDX-License-Identifier: Apache-2.0
#include "las/platform/hasher.hpp"

#include "libcrypto.hpp"
#include "short_digest.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <array>

namespace las::platform {

struct Hasher::State {
  const LibCrypto& crypto = LibCrypto::get();
  EVP_MD_CTX* context = nullptr;
  std::string algorithm;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ~State() {
    if (context != nullptr)
      crypto.context_free(context);
  }
};

namespace {

void require(int result) {
  if (result != 1)
    throw Error(ErrorKind::Io, _("the digest could not be computed"), "libcrypto");
}

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

}  // namespace

Hasher::Hasher(std::string_view algorithm) {
  if (algorithm != "sha256" && algorithm != "sha512")
    throw Error(ErrorKind::InvalidData, _("unknown digest algorithm"), std::string(algorithm));
  state_ = std::make_unique<State>();
  state_->algorithm = algorithm;
  state_->context = state_->crypto.context_new();
  if (state_->context == nullptr)
    throw Error(ErrorKind::Io, _("the digest could not be computed"), "libcrypto");
  const EVP_MD* kind = algorithm == "sha256" ? state_->crypto.sha256() : state_->crypto.sha512();
  require(state_->crypto.init(state_->context, kind, nullptr));
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const char> bytes) {
  if (!state_)
    throw Error(ErrorKind::InvalidData, _("the digest was already taken"));
  require(state_->crypto.update(state_->context, bytes.data(), bytes.size()));
}

Digest Hasher::finish() {
  if (!state_)
    throw Error(ErrorKind::InvalidData, _("the digest was already taken"));
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  require(state_->crypto.finish(state_->context, bytes.data(), &size));
  const std::string text =
      state_->algorithm + ":" + to_hex(std::span<const unsigned char>(bytes.data(), size));
  state_.reset();
  return Digest::parse(text).value();
}

Digest digest_of(std::string_view content) {
  constexpr std::size_t kNotWorthOpeningLibCrypto = std::size_t{16} << 10U;
  if (content.size() <= kNotWorthOpeningLibCrypto)
    return Digest::sha256(short_sha256(content));
  Hasher hasher;
  hasher.update(content);
  return hasher.finish();
}

Digest digest_of_file(const fs::path& path, std::string_view algorithm) {
  Hasher hasher(algorithm);
  make_posix_file_system()->scan_file(path,
                                      [&](std::span<const char> bytes) { hasher.update(bytes); });
  return hasher.finish();
}

}  // namespace las::platform
