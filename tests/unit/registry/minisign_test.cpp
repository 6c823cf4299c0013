// SPDX-License-Identifier: Apache-2.0
#include "las/registry/minisign.hpp"

#include "base64.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"

#include "las/base/text.hpp"

#include <fmt/format.h>

using namespace las;
using namespace las::registry;

namespace {

// Made by minisign 0.11: a key without a passphrase, and what it signed with either algorithm.
constexpr const char* kPublic =
    "untrusted comment: minisign public key FA7F299949BC70\n"
    "RWRwvEmZKX/6AC0LcvCKjzSYY+WgKP06035m4ItPWaNuvYi0tHWeUeAY\n";
constexpr const char* kSecret =
    "untrusted comment: minisign encrypted secret key\n"
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAcLxJmSl/"
    "+gDwcuT3Na90oxXvJ2gpQBY5+2bbWxb+VxQbAuKK7CMwwy0LcvCKjzSYY+"
    "WgKP06035m4ItPWaNuvYi0tHWeUeAYAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
constexpr const char* kMessage = "signed by minisign\n";
constexpr const char* kPrehashed =
    "untrusted comment: signature from minisign secret key\n"
    "RURwvEmZKX/6ALSi/+cKb/0bVZkSC4xwMJm4AAuSEWtQh74szUnXv6LGaG3wkppJRo9OTf/"
    "B2BbV6PU65zp16BnZ1sIKKdoJjQE=\n"
    "trusted comment: prehashed, trusted\n"
    "unfgJ/qEyGmjfBO928+JluF6St+cttMb1CZWsyzqObf0AHNv3MVY/XEBvCDdiW3+I1dqR2I6m2MDRTk4lqwGAg==\n";
constexpr const char* kLegacy =
    "untrusted comment: signature from minisign secret key\n"
    "RWRwvEmZKX/"
    "6ADMM54oUGnEc08MIkKg+UlPQRZfY2XBLB+KXO0yNKxn1FydxGfuthOx3fXBlD4kjdCIgDrzlCmXjw4weK0lP6g"
    "8=\n"
    "trusted comment: legacy, trusted\n"
    "5+NSgi8O/UASgwKqKe9rdNy7Lhl9FIKQ4/xIOXhgJ5D5tNX7K3KRVTos8qSxhBg1gy9rUs273WruBTgZueSYAQ==\n";
// Made by minisign 0.11 with the passphrase "open sesame".
constexpr const char* kLockedPublic = "RWQX8cEf20/DUpBexdbaHxjDbmTJU2W9LG744fHqDTZALBNVoPG+Lwez";
constexpr const char* kLocked =
    "untrusted comment: minisign encrypted secret key\n"
    "RWRTY0Iyi5oERkwSjTeeaF9hqCJ4Mpmm6c2Vr0LZKmt458d/"
    "iMEAAAACAAAAAAAAAEAAAAAA9JllxdpQ18dJIt9LY4RqmMOlL3"
    "RbS4WHW7xd5OtIcH5+ROSaZMfoE6Jv5FLsL82Yx3MXIY9WuHLazFuETt4/O+ZuWJdi7ObwCHMBk7Kn2CUr/"
    "nkH9e5Fug8OgrIURajGRQJW62LEP7Y=\n";

PublicKey public_key() {
  return parse_public_key(kPublic).value();
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("what minisign signed is verified, with either algorithm", "[registry]") {
  for (const char* signature : {kPrehashed, kLegacy}) {
    CHECK(signature_fault(public_key(), kMessage, signature).empty());
    CHECK(signature_fault(public_key(), "signed by nobody\n", signature) ==
          "its content is not what was signed");
    const std::string line = text::lines(signature)[1];
    CHECK(signature_line_fault(public_key(), kMessage, line).empty());
    CHECK_FALSE(signature_line_fault(public_key(), "other", line).empty());
  }
  CHECK(parse_signature(kPrehashed)->trusted_comment == "prehashed, trusted");
  CHECK(parse_signature(kPrehashed)->algorithm == Signature::Algorithm::Prehashed);
  CHECK(parse_signature(kLegacy)->algorithm == Signature::Algorithm::Plain);
}

TEST_CASE("a trusted comment that was changed is noticed", "[registry]") {
  CHECK(signature_fault(public_key(), kMessage, replaced(kPrehashed, ", trusted", ", believed")) ==
        "its trusted comment is not what was signed");
  // The other comment is protected by nothing.
  CHECK(signature_fault(public_key(), kMessage, replaced(kPrehashed, "from minisign", "of mine"))
            .empty());
}

TEST_CASE("a signature by another key says which", "[registry]") {
  const std::string fault =
      signature_fault(parse_public_key(kLockedPublic).value(), kMessage, kPrehashed);
  CHECK(fault == "it is signed with key FA7F299949BC70, not with 52C34FDB1FC1F117");
  // The id proves nothing: the same id with another key.
  PublicKey forged = parse_public_key(kLockedPublic).value();
  forged.id = public_key().id;
  CHECK(signature_fault(forged, kMessage, kPrehashed) == "its content is not what was signed");
}

TEST_CASE("the secret key of minisign signs what minisign would have signed", "[registry]") {
  const SecretKey key = parse_secret_key(kSecret);
  CHECK(public_half(key) == public_key());
  CHECK_FALSE(is_encrypted(kSecret));
  // Ed25519 is deterministic: all but the first comment is the same, byte for byte.
  const auto without_comment = [](const std::string& file) { return file.substr(file.find('\n')); };
  CHECK(without_comment(sign(key, kMessage, "prehashed, trusted")) == without_comment(kPrehashed));
  CHECK(without_comment(sign(key, kMessage, "legacy, trusted", Signature::Algorithm::Plain)) ==
        without_comment(kLegacy));
}

TEST_CASE("a new key is written and read back", "[registry]") {
  const SecretKey key = make_secret_key();
  const SecretKey again = parse_secret_key(secret_key_file(key));
  CHECK(again.seed == key.seed);
  CHECK(again.id == key.id);
  const PublicKey half = public_half(key);
  CHECK(parse_public_key(public_key_file(half)) == half);
  CHECK(parse_public_key(key_line(half)) == half);
  CHECK(signature_fault(half, "message", sign(key, "message", "")).empty());
}

TEST_CASE("a secret key under a passphrase opens with it only", "[registry]") {
  CHECK(is_encrypted(kLocked));
  const auto unasked = test::error_of([] { return parse_secret_key(kLocked); });
  REQUIRE(unasked);
  CHECK(unasked->kind() == ErrorKind::InvalidData);
  CHECK(unasked->hint().find("LAS_KEY_PASSPHRASE") != std::string::npos);
  const auto wrong = test::error_of([] { return parse_secret_key(kLocked, "open barley"); });
  REQUIRE(wrong);
  if (wrong->kind() == ErrorKind::NoSpace) {
    WARN("SKIPPED: no 1 GiB of memory for the key derivation");
    return;
  }
  CHECK(wrong->kind() == ErrorKind::Usage);
  CHECK(public_half(parse_secret_key(kLocked, "open sesame")) ==
        parse_public_key(kLockedPublic).value());
}

TEST_CASE("what is no key and no signature is told from one", "[registry]") {
  for (const std::string& text : {std::string(),
                                  std::string("RWRwvEmZ"),
                                  std::string(kSecret),
                                  std::string(kPrehashed),
                                  "comment\n" + text::lines(kPublic)[1],
                                  replaced(text::lines(kPublic)[1], "RWR", "RUR")})
    CHECK_FALSE(parse_public_key(text));
  for (const std::string& text : {std::string(),
                                  std::string(kPublic),
                                  replaced(kPrehashed, "trusted comment: p", "comment: p"),
                                  replaced(kPrehashed, "RUR", "RXR"),
                                  std::string(kPrehashed) + "more\n"})
    CHECK_FALSE(parse_signature(text));
  for (const std::string& text :
       {std::string(), std::string(kPublic), replaced(kSecret, "RWQAA", "RWQAB")}) {
    const auto fault = test::error_of([&] { return parse_secret_key(text); });
    REQUIRE(fault);
    CHECK(fault->kind() == ErrorKind::InvalidData);
  }
  // One bit of the seed: the public half no longer follows from it.
  const auto damaged =
      test::error_of([] { return parse_secret_key(replaced(kSecret, "+gDwcu", "+gDwcv")); });
  REQUIRE(damaged);
  CHECK(damaged->message() == "the secret key is damaged");
}

TEST_CASE("base64 has one spelling for each value", "[registry]") {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob", "fooba", "foobar"})
    CHECK(from_base64(to_base64(bytes)) == bytes);
  CHECK(to_base64("fooba") == "Zm9vYmE=");
  for (const std::string text : {"Zg", "Zg=", "Zh==", "Zm9vYmF=", "Z===", "Zg==Zg==", "Zm 9", "="})
    CHECK_FALSE(from_base64(text));
}
