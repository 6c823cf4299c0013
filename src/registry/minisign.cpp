// SPDX-License-Identifier: Apache-2.0
#include "las/registry/minisign.hpp"

#include "base64.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace las::registry {

namespace {

constexpr std::string_view kComment = "untrusted comment: ";
constexpr std::string_view kTrusted = "trusted comment: ";
constexpr std::string_view kPlain = "Ed", kPrehashed = "ED";

std::string as_text(const auto& bytes) {
  return {bytes.begin(), bytes.end()};
}

void take(std::string_view& bytes, auto& into) {
  std::copy_n(bytes.begin(), into.size(), into.begin());
  bytes.remove_prefix(into.size());
}

struct SignatureLine {
  Signature::Algorithm algorithm;
  KeyId id{};
  platform::Ed25519Signature signature{};
};

std::optional<SignatureLine> parse_signature_line(std::string_view line) {
  const auto decoded = from_base64(line);
  if (!decoded || decoded->size() != 2 + 8 + 64)
    return std::nullopt;
  std::string_view bytes = *decoded;
  const std::string_view algorithm = bytes.substr(0, 2);
  if (algorithm != kPlain && algorithm != kPrehashed)
    return std::nullopt;
  SignatureLine out{
      algorithm == kPlain ? Signature::Algorithm::Plain : Signature::Algorithm::Prehashed, {}, {}};
  bytes.remove_prefix(2);
  take(bytes, out.id);
  take(bytes, out.signature);
  return out;
}

std::string signed_bytes(Signature::Algorithm algorithm, std::string_view message) {
  return algorithm == Signature::Algorithm::Plain ? std::string(message)
                                                  : platform::blake2b_512(message);
}

std::string line_fault(const PublicKey& key, std::string_view message, const SignatureLine& line) {
  if (line.id != key.id)
    return fmt::format(fmt::runtime(_("it is signed with key {}, not with {}")),
                       to_string(line.id),
                       to_string(key.id));
  if (!platform::verify(key.key, signed_bytes(line.algorithm, message), line.signature))
    return _("its content is not what was signed");
  return {};
}

}  // namespace

std::string to_string(const KeyId& id) {
  // minisign prints the eight bytes as a little-endian number, without leading zeros.
  std::uint64_t number = 0;
  for (auto byte = id.rbegin(); byte != id.rend(); ++byte)
    number = number << 8U | *byte;
  return fmt::format("{:X}", number);
}

std::optional<PublicKey> parse_public_key(std::string_view text) {
  const std::vector<std::string> lines = text::lines(text);
  if (lines.empty() || lines.size() > 2 || (lines.size() == 2 && !lines[0].starts_with(kComment)))
    return std::nullopt;
  const auto decoded = from_base64(text::trim(lines.back()));
  if (!decoded || decoded->size() != 2 + 8 + 32 || !decoded->starts_with(kPlain))
    return std::nullopt;
  std::string_view bytes = *decoded;
  bytes.remove_prefix(2);
  PublicKey key;
  take(bytes, key.id);
  take(bytes, key.key);
  return key;
}

std::string key_line(const PublicKey& key) {
  return to_base64(std::string(kPlain) + as_text(key.id) + as_text(key.key));
}

std::string public_key_file(const PublicKey& key) {
  return fmt::format("{}minisign public key {}\n{}\n", kComment, to_string(key.id), key_line(key));
}

std::optional<Signature> parse_signature(std::string_view text) {
  const std::vector<std::string> lines = text::lines(text);
  if (lines.size() != 4 || !lines[0].starts_with(kComment) || !lines[2].starts_with(kTrusted))
    return std::nullopt;
  const auto line = parse_signature_line(lines[1]);
  const auto global = from_base64(lines[3]);
  if (!line || !global || global->size() != 64)
    return std::nullopt;
  Signature signature{
      line->algorithm, line->id, line->signature, {}, lines[2].substr(kTrusted.size())};
  std::string_view bytes = *global;
  take(bytes, signature.global);
  return signature;
}

std::string sign(const SecretKey& key,
                 std::string_view message,
                 const std::string& trusted_comment,
                 Signature::Algorithm algorithm) {
  const auto signature = platform::sign(key.seed, signed_bytes(algorithm, message));
  const auto global = platform::sign(key.seed, as_text(signature) + trusted_comment);
  const std::string_view name = algorithm == Signature::Algorithm::Plain ? kPlain : kPrehashed;
  return fmt::format("{}signature by key {}\n{}\n{}{}\n{}\n",
                     kComment,
                     to_string(key.id),
                     to_base64(std::string(name) + as_text(key.id) + as_text(signature)),
                     kTrusted,
                     trusted_comment,
                     to_base64(as_text(global)));
}

std::string signature_fault(const PublicKey& key,
                            std::string_view message,
                            std::string_view signature_file) {
  const auto signature = parse_signature(signature_file);
  if (!signature)
    return _("its signature file is none");
  std::string fault =
      line_fault(key, message, {signature->algorithm, signature->id, signature->signature});
  if (fault.empty() &&
      !platform::verify(
          key.key, as_text(signature->signature) + signature->trusted_comment, signature->global))
    fault = _("its trusted comment is not what was signed");
  return fault;
}

std::string signature_line_fault(const PublicKey& key,
                                 std::string_view message,
                                 std::string_view line) {
  const auto parsed = parse_signature_line(line);
  return parsed ? line_fault(key, message, *parsed) : _("its signature is none");
}

}  // namespace las::registry
