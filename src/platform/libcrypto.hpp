// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/shared_library.hpp"

#include <openssl/evp.h>

namespace las::platform {

/// The few functions of OpenSSL's libcrypto that las needs, opened on first use.
struct LibCrypto {
  decltype(&::EVP_MD_CTX_new) context_new = nullptr;
  decltype(&::EVP_MD_CTX_free) context_free = nullptr;
  decltype(&::EVP_sha256) sha256 = nullptr;
  decltype(&::EVP_sha512) sha512 = nullptr;
  decltype(&::EVP_DigestInit_ex) init = nullptr;
  decltype(&::EVP_DigestUpdate) update = nullptr;
  decltype(&::EVP_DigestFinal_ex) finish = nullptr;

  static const LibCrypto& get() {
    static const LibCrypto instance;
    return instance;
  }

 private:
  LibCrypto() {
    const SharedLibrary library{"libcrypto.so.3"};
    library.load(context_new, "EVP_MD_CTX_new");
    library.load(context_free, "EVP_MD_CTX_free");
    library.load(sha256, "EVP_sha256");
    library.load(sha512, "EVP_sha512");
    library.load(init, "EVP_DigestInit_ex");
    library.load(update, "EVP_DigestUpdate");
    library.load(finish, "EVP_DigestFinal_ex");
  }
};

}  // namespace las::platform
