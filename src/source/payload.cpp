// SPDX-License-Identifier: Apache-2.0
#include "payload.hpp"

#include "entry_path.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"

#include <fmt/format.h>

namespace las::source {

namespace fs = std::filesystem;
using platform::FileKind;

namespace {

constexpr int kLinkHops = 40;
constexpr std::uint32_t kExecuteBits = 0111;

}  // namespace

std::vector<PayloadFile> read_manifest_files(const platform::FileReader& files,
                                             const std::vector<catalog::ManifestFile>& wanted,
                                             const std::string& manifest_directory) {
  std::vector<PayloadFile> out;
  for (const catalog::ManifestFile& file : wanted) {
    fs::path path = manifest_directory;
    for (const std::string& part : manifest_parts(file.from)) {
      path /= part;
      const auto status = files.status(path);
      if (!status)
        throw Error(ErrorKind::InvalidData,
                    _("a file that the manifest names is not beside it"),
                    file.from);
      if (status->kind == FileKind::Symlink)
        throw Error(
            ErrorKind::InvalidData, _("a file that the manifest names is a symlink"), file.from);
    }
    const std::vector<std::string> to = manifest_parts(file.to);
    if (to.empty())
      throw Error(ErrorKind::InvalidData,
                  _("a file of the manifest has no place in the payload"),
                  file.from);
    out.push_back({to_path(to).string(), files.read_file(path), file.executable});
  }
  return out;
}

void place_manifest_files(platform::FileSystem& files,
                          const std::vector<PayloadFile>& placed,
                          const fs::path& payload) {
  for (const PayloadFile& file : placed) {
    const fs::path target = payload / file.to;
    fs::path parent = payload;
    for (const fs::path& part : fs::path(file.to).parent_path()) {
      parent /= part;
      const auto status = files.status(parent);
      if (status && status->kind != FileKind::Directory)
        throw Error(ErrorKind::InvalidData,
                    _("a file of the manifest does not lie in a real folder"),
                    file.to);
    }
    if (files.exists(target))
      throw Error(
          ErrorKind::InvalidData, _("a file of the manifest is in the payload already"), file.to);
    files.make_directories(target.parent_path());
    const auto writer = files.create_file(target, file.executable ? 0755 : 0644);
    writer->write(file.content);
    writer->close();
  }
}

void require_lock(const std::vector<InputArtifact>& artifacts,
                  const InputArtifact& lock,
                  const std::string& subject) {
  if (artifacts.size() != 1 || artifacts.front().from != lock.from)
    throw Error(ErrorKind::Unsatisfiable,
                fmt::format(fmt::runtime(_("not made of a lock that is called {}")), lock.from),
                subject);
  const Digest& wanted = artifacts.front().digest;
  if (wanted != lock.digest)
    throw Error(ErrorKind::Integrity, _("the catalog names another lock"), subject)
        .cause(fmt::format(
            fmt::runtime(_("{}, wanted {}")), lock.digest.to_string(), wanted.to_string()));
}

bool is_executable(const platform::FileReader& files, fs::path path) {
  for (int hop = 0; hop < kLinkHops; ++hop) {
    const auto status = files.status(path);
    if (!status)
      return false;
    if (status->kind != FileKind::Symlink)
      return status->kind == FileKind::Regular && (status->mode & kExecuteBits) != 0;
    path = path.parent_path() / files.read_symlink(path);
  }
  return false;
}

void check_executables(const platform::FileReader& files,
                       const std::map<std::string, std::string>& executables,
                       const fs::path& payload) {
  for (const auto& [name, relative] : executables) {
    if (is_executable(files, payload / to_path(manifest_parts(relative))))
      continue;
    throw Error(
        ErrorKind::InvalidData, _("the payload lacks an executable that the manifest names"), name)
        .cause(relative);
  }
}

std::string identity_of(const std::vector<PayloadFile>& placed) {
  std::string out;
  for (const PayloadFile& file : placed) {
    out += fmt::format("file {} {} {}\n",
                       file.to,
                       file.executable ? "executable" : "plain",
                       platform::digest_of(file.content).to_string());
  }
  return out;
}

std::string make_store_name(std::string_view module,
                            std::string_view version,
                            std::string_view identity) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-";
  std::string safe_version(version);
  for (char& c : safe_version) {
    if (kPlain.find(c) == std::string_view::npos)
      c = '_';
  }
  return fmt::format("{}-{}-{}", module, safe_version, platform::digest_of(identity).short_hex());
}

}  // namespace las::source
