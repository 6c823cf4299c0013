// SPDX-License-Identifier: Apache-2.0
#include "las/registry/manifest_check.hpp"

#include "support/catch.hpp"

#include "las/base/text.hpp"

using namespace las;
using namespace las::registry;

namespace {

const std::string kPlain = "name: alpha\ncategory: tool\nversion: '1.0'\n";

std::string inline_signature(const SecretKey& key, const std::string& text) {
  return text::lines(sign(key, text, ""))[1];
}

std::optional<std::string> no_file(std::string_view) {
  return std::nullopt;
}

}  // namespace

TEST_CASE("a manifest stands under its own name only", "[registry]") {
  const PublicKey key = public_half(make_secret_key());
  CHECK(manifest_fault(kPlain, "alpha", key, no_file).empty());
  CHECK(manifest_fault(kPlain, "beta", key, no_file) == "it is the manifest of alpha");
  // For a las that knows more; the catalog leaves it out.
  CHECK(manifest_fault("schema: 99\nname: alpha\nnew: field\n", "alpha", key, no_file).empty());
}

TEST_CASE("a signature beside the manifest must be the registry's", "[registry]") {
  const SecretKey key = make_secret_key();
  const std::string manifest = kPlain + "integrity:\n  signature: manifest.yaml.minisig\n";
  CHECK(signature_file_of(manifest) == "manifest.yaml.minisig");
  const auto with = [&](const std::string& signature) {
    return manifest_fault(manifest, "alpha", public_half(key), [&](std::string_view path) {
      return path == "manifest.yaml.minisig" ? std::optional(signature) : std::nullopt;
    });
  };
  CHECK(with(sign(key, manifest, "")).empty());
  CHECK(with(sign(key, kPlain, "")) == "its content is not what was signed");
  CHECK(with(sign(make_secret_key(), manifest, "")).starts_with("it is signed with key "));
  CHECK(with("nonsense") == "its signature file is none");
  CHECK(manifest_fault(manifest, "alpha", public_half(key), no_file) ==
        "its signature manifest.yaml.minisig is not beside it");
}

TEST_CASE("a signature within the manifest covers all but its own line", "[registry]") {
  const SecretKey key = make_secret_key();
  const PublicKey half = public_half(key);
  const std::string unsigned_text =
      kPlain + "integrity:\n  checksum: " + std::string(64, 'a') + "\n";
  const std::string signature = inline_signature(key, unsigned_text);
  const std::string manifest = unsigned_text + "  signature: \"" + signature + "\"\n";
  CHECK(manifest_fault(manifest, "alpha", half, no_file).empty());
  CHECK(signature_file_of(manifest).empty());
  const std::string changed = "license: other\n" + manifest;
  CHECK(manifest_fault(changed, "alpha", half, no_file) == "its content is not what was signed");
  // In one line with something else, that would not be covered.
  const std::string beside = kPlain + "integrity: {checksum: " + std::string(64, 'a') +
                             ", signature: " + signature + "}\n";
  CHECK(manifest_fault(beside, "alpha", half, no_file) ==
        "its signature does not stand on a line of its own");
}
