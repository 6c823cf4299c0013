// SPDX-License-Identifier: Apache-2.0
#include "las/app/registries.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

namespace las::app {

namespace {

constexpr ByteSize kKeyLimit = ByteSize::kib(4);

}  // namespace

registry::PublicKey read_public_key(Session& session, const std::string& text) {
  if (const auto key = registry::parse_public_key(text))
    return *key;
  const auto status = session.files().status(text);
  if (!status)
    throw Error(ErrorKind::Usage, _("neither a public key of minisign nor a file"), text)
        .hint(_("give the line that begins with RW, or the .pub file of the registry's keeper"));
  const auto key = registry::parse_public_key(session.files().read_file(text, kKeyLimit));
  if (!key)
    throw Error(ErrorKind::Usage, _("the file holds no public key of minisign"), text)
        .hint(_("it is the one that ends with .pub; its last line begins with RW"));
  return *key;
}

registry::SecretKey read_secret_key(Session& session,
                                    const std::string& file,
                                    const std::string& passphrase_file) {
  const std::string content = session.files().read_file(file, kKeyLimit);
  return with_context(
      [&] { return file; },
      [&] {
        if (!registry::is_encrypted(content))
          return registry::parse_secret_key(content);
        std::string passphrase = session.environment().get("LAS_KEY_PASSPHRASE").value_or("");
        if (!passphrase_file.empty()) {
          const auto lines = text::lines(session.files().read_file(passphrase_file, kKeyLimit));
          passphrase = lines.empty() ? std::string() : lines.front();
        }
        return registry::parse_secret_key(content, passphrase);
      });
}

}  // namespace las::app
