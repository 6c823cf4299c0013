// SPDX-License-Identifier: Apache-2.0
#include "las/platform/signature.hpp"

#include "support/catch.hpp"

using namespace las;
using namespace las::platform;

namespace {

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

template <typename Array>
Array array_of(std::string_view hex) {
  const std::string bytes = from_hex(hex);
  Array array{};
  REQUIRE(bytes.size() == array.size());
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

}  // namespace

TEST_CASE("Ed25519 gives the signatures of RFC 8032", "[platform]") {
  // RFC 8032, 7.1, TEST 1 (no message) and TEST 3 (two bytes).
  struct Vector {
    const char *seed, *key, *message, *signature;
  };

  for (const Vector& vector :
       {Vector{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
               "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
               "",
               "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc6"
               "1e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        Vector{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
               "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
               "af82",
               "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae"
               "67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"}}) {
    const auto seed = array_of<Ed25519Seed>(vector.seed);
    const auto key = array_of<Ed25519PublicKey>(vector.key);
    const auto signature = array_of<Ed25519Signature>(vector.signature);
    const std::string message = from_hex(vector.message);
    CHECK(public_key_of(seed) == key);
    CHECK(sign(seed, message) == signature);
    CHECK(verify(key, message, signature));
    CHECK_FALSE(verify(key, message + "x", signature));
    auto other = signature;
    other[40] ^= 1;
    CHECK_FALSE(verify(key, message, other));
  }
}

TEST_CASE("a key that is no point of the curve verifies nothing", "[platform]") {
  Ed25519PublicKey key{};
  key.fill(0xff);
  CHECK_FALSE(verify(key, "message", Ed25519Signature{}));
}

TEST_CASE("two new keys differ", "[platform]") {
  CHECK(make_ed25519_seed() != make_ed25519_seed());
}

TEST_CASE("BLAKE2b and scrypt give what their RFCs say", "[platform]") {
  // RFC 7693, appendix A.
  CHECK(blake2b_512("abc") ==
        from_hex("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                 "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"));
  // RFC 7914, 12: "password", "NaCl", N = 1024, r = 8, p = 16.
  CHECK(scrypt("password", "NaCl", {1024, 8, 16}, ByteSize::mib(32), 64) ==
        from_hex("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                 "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"));
  CHECK_FALSE(scrypt("password", "NaCl", {1 << 20, 8, 1}, ByteSize::mib(32), 64));
}
