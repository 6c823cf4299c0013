// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Ed25519 (RFC 8032) and what goes with it, by OpenSSL's libcrypto (opened on first use). Bytes
/// in, bytes out: the texts in which keys and signatures are kept are read elsewhere. Errors: Io
/// when libcrypto refuses, which it does for want of memory only.
namespace las::platform {

using Ed25519PublicKey = std::array<unsigned char, 32>;
using Ed25519Signature = std::array<unsigned char, 64>;
/// RFC 8032 calls it the private key; the public one follows from it. Hazard: a secret.
using Ed25519Seed = std::array<unsigned char, 32>;

Ed25519Seed make_ed25519_seed();
Ed25519PublicKey public_key_of(const Ed25519Seed& seed);

/// The same message and seed always give the same signature.
Ed25519Signature sign(const Ed25519Seed& seed, std::string_view message);
/// False for whatever is wrong; a key that is no point of the curve verifies nothing.
bool verify(const Ed25519PublicKey& key,
            std::string_view message,
            const Ed25519Signature& signature);

/// BLAKE2b with 64 bytes of output, without a key (RFC 7693), as raw bytes.
std::string blake2b_512(std::string_view message);

/// From libcrypto's generator for secrets.
std::string random_bytes(std::size_t count);

/// scrypt (RFC 7914): `size` bytes. `n` is a power of two. Nothing where it would take more memory
/// than `most`, or than there is.
struct ScryptCost {
  std::uint64_t n = 0, r = 8, p = 1;
};

std::optional<std::string> scrypt(std::string_view passphrase,
                                  std::string_view salt,
                                  const ScryptCost& cost,
                                  ByteSize most,
                                  std::size_t size);

}  // namespace las::platform
