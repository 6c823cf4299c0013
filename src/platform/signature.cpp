// SPDX-License-Identifier: Apache-2.0
#include "las/platform/signature.hpp"

#include "libcrypto_keys.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <limits>
#include <memory>

namespace las::platform {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)>;

void require(bool worked) {
  if (!worked)
    throw Error(ErrorKind::Io, _("a signature could not be computed"), "libcrypto");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Key key_of(const LibCryptoKeys& crypto, const Ed25519Seed& seed) {
  Key key(crypto.private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()), crypto.key_free);
  require(key != nullptr);
  return key;
}

Context new_context(const LibCryptoKeys& crypto) {
  Context context(crypto.context_new(), crypto.context_free);
  require(context != nullptr);
  return context;
}

}  // namespace

Ed25519Seed make_ed25519_seed() {
  const std::string bytes = random_bytes(std::tuple_size_v<Ed25519Seed>);
  Ed25519Seed seed{};
  std::copy(bytes.begin(), bytes.end(), seed.begin());
  return seed;
}

Ed25519PublicKey public_key_of(const Ed25519Seed& seed) {
  const LibCryptoKeys& crypto = LibCryptoKeys::get();
  Ed25519PublicKey key{};
  std::size_t size = key.size();
  require(crypto.raw_public_key(key_of(crypto, seed).get(), key.data(), &size) == 1 &&
          size == key.size());
  return key;
}

Ed25519Signature sign(const Ed25519Seed& seed, std::string_view message) {
  const LibCryptoKeys& crypto = LibCryptoKeys::get();
  const Key key = key_of(crypto, seed);
  const Context context = new_context(crypto);
  Ed25519Signature signature{};
  std::size_t size = signature.size();
  require(crypto.sign_init(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  require(crypto.sign(context.get(), signature.data(), &size, bytes_of(message), message.size()) ==
              1 &&
          size == signature.size());
  return signature;
}

bool verify(const Ed25519PublicKey& public_key,
            std::string_view message,
            const Ed25519Signature& signature) {
  const LibCryptoKeys& crypto = LibCryptoKeys::get();
  const Key key(crypto.public_key(EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size()),
                crypto.key_free);
  if (!key)
    return false;
  const Context context = new_context(crypto);
  require(crypto.verify_init(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  return crypto.verify(context.get(),
                       signature.data(),
                       signature.size(),
                       bytes_of(message),
                       message.size()) == 1;
}

std::string blake2b_512(std::string_view message) {
  const LibCryptoKeys& crypto = LibCryptoKeys::get();
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  require(crypto.digest(
              message.data(), message.size(), bytes.data(), &size, crypto.blake2b512(), nullptr) ==
          1);
  return {bytes.begin(), bytes.begin() + size};
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  require(count <= std::size_t{std::numeric_limits<int>::max()} &&
          LibCryptoKeys::get().random(reinterpret_cast<unsigned char*>(bytes.data()),
                                      static_cast<int>(count)) == 1);
  return bytes;
}

std::optional<std::string> scrypt(std::string_view passphrase,
                                  std::string_view salt,
                                  const ScryptCost& cost,
                                  ByteSize most,
                                  std::size_t size) {
  std::string key(size, '\0');
  const bool worked = LibCryptoKeys::get().scrypt(passphrase.data(),
                                                  passphrase.size(),
                                                  bytes_of(salt),
                                                  salt.size(),
                                                  cost.n,
                                                  cost.r,
                                                  cost.p,
                                                  most.bytes(),
                                                  reinterpret_cast<unsigned char*>(key.data()),
                                                  size) == 1;
  return worked ? std::optional(std::move(key)) : std::nullopt;
}

}  // namespace las::platform
