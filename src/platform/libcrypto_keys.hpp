// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/shared_library.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

namespace las::platform {

/// What signing and verifying need of libcrypto. A table of its own, so that hashing, which is
/// common, does not look these up.
struct LibCryptoKeys {
  decltype(&::EVP_MD_CTX_new) context_new = nullptr;
  decltype(&::EVP_MD_CTX_free) context_free = nullptr;
  decltype(&::EVP_PKEY_new_raw_private_key) private_key = nullptr;
  decltype(&::EVP_PKEY_new_raw_public_key) public_key = nullptr;
  decltype(&::EVP_PKEY_get_raw_public_key) raw_public_key = nullptr;
  decltype(&::EVP_PKEY_free) key_free = nullptr;
  decltype(&::EVP_DigestSignInit) sign_init = nullptr;
  decltype(&::EVP_DigestSign) sign = nullptr;
  decltype(&::EVP_DigestVerifyInit) verify_init = nullptr;
  decltype(&::EVP_DigestVerify) verify = nullptr;
  decltype(&::EVP_blake2b512) blake2b512 = nullptr;
  decltype(&::EVP_Digest) digest = nullptr;
  decltype(&::EVP_PBE_scrypt) scrypt = nullptr;
  decltype(&::RAND_bytes) random = nullptr;

  static const LibCryptoKeys& get() {
    static const LibCryptoKeys instance;
    return instance;
  }

 private:
  LibCryptoKeys() {
    const SharedLibrary library{"libcrypto.so.3"};
    library.load(context_new, "EVP_MD_CTX_new");
    library.load(context_free, "EVP_MD_CTX_free");
    library.load(private_key, "EVP_PKEY_new_raw_private_key");
    library.load(public_key, "EVP_PKEY_new_raw_public_key");
    library.load(raw_public_key, "EVP_PKEY_get_raw_public_key");
    library.load(key_free, "EVP_PKEY_free");
    library.load(sign_init, "EVP_DigestSignInit");
    library.load(sign, "EVP_DigestSign");
    library.load(verify_init, "EVP_DigestVerifyInit");
    library.load(verify, "EVP_DigestVerify");
    library.load(blake2b512, "EVP_blake2b512");
    library.load(digest, "EVP_Digest");
    library.load(scrypt, "EVP_PBE_scrypt");
    library.load(random, "RAND_bytes");
  }
};

}  // namespace las::platform
