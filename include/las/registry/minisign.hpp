// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/signature.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>

/// Keys and signatures in the files of minisign (jedisct1/minisign, its README: "Signature format",
/// "Public key format", "Secret key format"), so that either tool verifies what the other signed:
///
///     untrusted comment: <text that nothing protects>
///     base64(<algorithm> <key id> <signature>)
///     trusted comment: <text>
///     base64(<signature over the signature and the trusted comment>)
///
/// Algorithm "ED" signs the BLAKE2b-512 of the message, "Ed" (older) the message itself. Text in,
/// values out; nothing here reads or writes a file.
namespace las::registry {

/// Eight bytes that tell keys apart; no secret and no proof.
using KeyId = std::array<unsigned char, 8>;
std::string to_string(const KeyId& id);  ///< as minisign writes it: "7A71CAE59A915767"

struct PublicKey {
  KeyId id{};
  platform::Ed25519PublicKey key{};
  bool operator==(const PublicKey&) const = default;
};

/// The one line that `minisign -P` takes ("RW…"), or a whole .pub file. Nothing for anything else.
std::optional<PublicKey> parse_public_key(std::string_view text);
std::string key_line(const PublicKey& key);
std::string public_key_file(const PublicKey& key);

struct SecretKey {
  KeyId id{};
  platform::Ed25519Seed seed{};  ///< Hazard: a secret
};

SecretKey make_secret_key();
PublicKey public_half(const SecretKey& key);
/// Without a passphrase, like `minisign -G -W`: whoever can read the file can sign.
std::string secret_key_file(const SecretKey& key);
/// Whether a secret key file needs a passphrase. InvalidData for what is no such file.
bool is_encrypted(std::string_view text);
/// InvalidData for what is no secret key file, or has a passphrase and none is given; Usage for a
/// wrong one; NoSpace where the memory for it is not to be had (minisign takes 1 GiB).
SecretKey parse_secret_key(std::string_view text, std::string_view passphrase = {});

struct Signature {
  enum class Algorithm { Plain, Prehashed } algorithm = Algorithm::Prehashed;
  KeyId id{};
  platform::Ed25519Signature signature{}, global{};
  std::string trusted_comment;
};

/// Nothing for what is no signature file.
std::optional<Signature> parse_signature(std::string_view text);
/// The signature file of `message`. Comments are single lines. Deterministic.
std::string sign(const SecretKey& key,
                 std::string_view message,
                 const std::string& trusted_comment,
                 Signature::Algorithm algorithm = Signature::Algorithm::Prehashed);

/// Why `signature_file` is no signature of `message` by `key`, as a clause for people; "" if it is
/// one, its trusted comment included.
std::string signature_fault(const PublicKey& key,
                            std::string_view message,
                            std::string_view signature_file);

/// The same for the bare line of a signature ("RU…"), which has no trusted comment.
std::string signature_line_fault(const PublicKey& key,
                                 std::string_view message,
                                 std::string_view line);

}  // namespace las::registry
