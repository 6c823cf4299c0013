// SPDX-License-Identifier: Apache-2.0
// Secret key files of minisign: algorithm, key derivation and checksum algorithm (two bytes each),
// salt, cost, then key id, seed, public key and checksum, these four under the passphrase if there
// is one.
#include "base64.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/registry/minisign.hpp"

#include <algorithm>
#include <vector>

namespace las::registry {

namespace {

constexpr std::string_view kSecretComment = "untrusted comment: ";
constexpr std::string_view kNoDerivation("\0\0", 2);
constexpr std::size_t kSalt = 32, kNumber = 8, kChecksum = 32;
constexpr std::size_t kHidden = 8 + 32 + 32 + kChecksum;
constexpr std::size_t kWhole = 6 + kSalt + 2 * kNumber + kHidden;

/// minisign's own cost takes 1 GiB. A file that asks for more is not one of its.
constexpr ByteSize kMostMemory = ByteSize::mib(1100);

struct Fields {
  bool encrypted = false;
  std::string salt;
  std::uint64_t operations = 0, memory = 0;
  std::string hidden;
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    number = number << 8U | static_cast<unsigned char>(bytes[i]);
  return number;
}

Fields split(std::string_view text) {
  const Error fault = Error(ErrorKind::InvalidData, _("this is not a secret key of minisign"))
                          .hint(_("make one with: las registry keygen FILE"));
  const std::vector<std::string> lines = text::lines(text);
  if (lines.size() < 2 || !lines[0].starts_with(kSecretComment))
    throw fault;
  const auto decoded = from_base64(text::trim(lines[1]));
  if (!decoded || decoded->size() != kWhole || !decoded->starts_with("Ed"))
    throw fault;
  const std::string_view bytes = *decoded;
  const std::string_view derivation = bytes.substr(2, 2);
  if (derivation != "Sc" && derivation != kNoDerivation)
    throw fault;
  Fields fields;
  fields.encrypted = derivation == "Sc";
  fields.salt = bytes.substr(6, kSalt);
  fields.operations = little_endian(bytes.substr(6 + kSalt, kNumber));
  fields.memory = little_endian(bytes.substr(6 + kSalt + kNumber, kNumber));
  fields.hidden = bytes.substr(kWhole - kHidden);
  return fields;
}

/// How libsodium turns its two limits into the cost of scrypt
/// (crypto_pwhash_scryptsalsa208sha256, pickparams).
platform::ScryptCost cost_of(std::uint64_t operations, std::uint64_t memory) {
  constexpr std::uint64_t kLeastOperations = 32768, kMostProduct = 0x3fffffff;
  platform::ScryptCost cost;
  operations = std::max(operations, kLeastOperations);
  const bool bound_by_operations = operations < memory / 32;
  const std::uint64_t most =
      bound_by_operations ? operations / (cost.r * 4) : memory / (cost.r * 128);
  int exponent = 1;
  while (exponent < 63 && std::uint64_t{1} << exponent <= most / 2)
    ++exponent;
  cost.n = std::uint64_t{1} << exponent;
  if (!bound_by_operations)
    cost.p = std::min(operations / 4 / cost.n, kMostProduct) / cost.r;
  return cost;
}

std::string reveal(const Fields& fields, std::string_view passphrase) {
  if (passphrase.empty())
    throw Error(ErrorKind::InvalidData, _("the secret key needs its passphrase"))
        .hint(
            _("put it into the variable LAS_KEY_PASSPHRASE or name a file with --passphrase-file"));
  const auto stream = platform::scrypt(
      passphrase, fields.salt, cost_of(fields.operations, fields.memory), kMostMemory, kHidden);
  if (!stream)
    throw Error(ErrorKind::NoSpace, _("not enough memory to open the secret key"))
        .hint(_("its passphrase takes 1 GiB of memory; a key without one takes none"));
  std::string plain = fields.hidden;
  for (std::size_t i = 0; i < plain.size(); ++i)
    plain[i] = static_cast<char>(plain[i] ^ (*stream)[i]);
  return plain;
}

}  // namespace

SecretKey make_secret_key() {
  SecretKey key;
  key.seed = platform::make_ed25519_seed();
  const std::string id = platform::random_bytes(key.id.size());
  std::copy(id.begin(), id.end(), key.id.begin());
  return key;
}

PublicKey public_half(const SecretKey& key) {
  return {key.id, platform::public_key_of(key.seed)};
}

std::string secret_key_file(const SecretKey& key) {
  const auto public_key = platform::public_key_of(key.seed);
  std::string bytes = "Ed" + std::string(kNoDerivation) + "B2";
  bytes.append(kSalt + 2 * kNumber, '\0');
  bytes.append(key.id.begin(), key.id.end());
  bytes.append(key.seed.begin(), key.seed.end());
  bytes.append(public_key.begin(), public_key.end());
  bytes.append(kChecksum, '\0');  // as minisign leaves it in a key without a passphrase
  return std::string(kSecretComment) + "minisign secret key " + to_string(key.id) + "\n" +
         to_base64(bytes) + "\n";
}

bool is_encrypted(std::string_view text) {
  return split(text).encrypted;
}

SecretKey parse_secret_key(std::string_view text, std::string_view passphrase) {
  const Fields fields = split(text);
  const std::string plain = fields.encrypted ? reveal(fields, passphrase) : fields.hidden;
  SecretKey key;
  std::copy_n(plain.begin(), key.id.size(), key.id.begin());
  std::copy_n(plain.begin() + 8, key.seed.size(), key.seed.begin());
  const auto public_key = platform::public_key_of(key.seed);
  // Its own checksum would say the same.
  if (!std::equal(public_key.begin(), public_key.end(), plain.begin() + 8 + 32, [](auto a, char b) {
        return a == static_cast<unsigned char>(b);
      })) {
    if (fields.encrypted)
      throw Error(ErrorKind::Usage, _("the passphrase does not open the secret key"));
    throw Error(ErrorKind::InvalidData, _("the secret key is damaged"))
        .hint(_("take it from a backup, or make a new one with: las registry keygen FILE"));
  }
  return key;
}

}  // namespace las::registry
