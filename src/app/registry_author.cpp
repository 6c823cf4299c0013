// SPDX-License-Identifier: Apache-2.0
#include "las/app/registry_author.hpp"

#include "las/app/registries.hpp"
#include "las/base/i18n.hpp"

#include <charconv>

namespace las::app {

namespace fs = std::filesystem;

namespace {

std::chrono::system_clock::time_point time_of_build(Session& session) {
  const auto text = session.environment().get("SOURCE_DATE_EPOCH");
  if (!text)
    return session.clock().now();
  // Until the year 2262, where the clock ends.
  constexpr long long kLast = 9'223'372'036;
  long long seconds = -1;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  if (fault != std::errc() || end != text->data() + text->size() || seconds < 0 || seconds > kLast)
    throw Error(ErrorKind::Usage, _("SOURCE_DATE_EPOCH is no number of seconds"), *text)
        .hint(_("leave it unset to sign with the present time"));
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}

}  // namespace

registry::Built build_registry(Session& session,
                               const RegistryBuildRequest& request,
                               bool only_check) {
  const registry::SecretKey key =
      read_secret_key(session, request.key_file, request.passphrase_file);
  const auto folder = session.files().status(request.manifests);
  if (!folder || folder->kind != platform::FileKind::Directory)
    throw Error(ErrorKind::Usage, _("not a folder of manifests"), request.manifests)
        .hint(_("it holds NAME.yaml files, or NAME/manifest.yaml"));
  Diagnostics diagnostics;
  const registry::Publication publication = registry::read_publication(
      session.files(), request.manifests, registry::public_half(key), diagnostics);
  diagnostics.throw_if_errors(_("the manifests have faults, so nothing was published"));
  registry::BuildRequest build;
  build.registry = request.name;
  build.version = request.version;
  build.created = time_of_build(session);
  build.lifetime = std::chrono::hours(24) * request.days;
  build.only_check = only_check;
  return registry::build_tree(session.files(), publication, fs::absolute(request.tree), key, build);
}

registry::TreeReport verify_registry_tree(Session& session,
                                          const std::string& tree,
                                          const std::string& key) {
  return registry::verify_tree(
      session.files(), tree, read_public_key(session, key), session.clock().now());
}

NewKey make_registry_key(Session& session, const std::string& file, bool only_check) {
  NewKey made{fs::absolute(file), fs::absolute(file), {}};
  made.public_file.replace_extension(".pub");
  if (made.public_file == made.secret_file)
    made.public_file += ".pub";
  for (const fs::path& path : {made.secret_file, made.public_file}) {
    if (session.files().exists(path))
      throw Error(ErrorKind::Usage, _("there is a file already"), path.string())
          .hint(_("a key that is lost is lost for good: choose another name"));
  }
  const registry::SecretKey key = registry::make_secret_key();
  made.key = registry::public_half(key);
  if (only_check)
    return made;
  const auto write = [&](const fs::path& path, const std::string& content, std::uint32_t mode) {
    const auto out = session.files().create_file(path, mode);
    out->write(std::span<const char>(content.data(), content.size()));
    out->sync();
    out->close();
  };
  write(made.secret_file, registry::secret_key_file(key), 0600);
  write(made.public_file, registry::public_key_file(made.key), 0644);
  return made;
}

}  // namespace las::app
