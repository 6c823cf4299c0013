// SPDX-License-Identifier: Apache-2.0
#include "las/base/text.hpp"
#include "las/platform/signature.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::service {
namespace {

namespace fs = std::filesystem;

/// Beside the files that are made of it; no file of a service has such a name.
constexpr const char* kWordFile = ".word";
constexpr std::uint32_t kForOwner = 0600;
constexpr std::uint32_t kForReaders = 0444;

std::string make_word() {
  constexpr std::size_t kBytes = 32;
  std::string word;
  for (const char byte : platform::random_bytes(kBytes))
    word += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return word;
}

}  // namespace

std::string secret_word(const platform::FileReader& files, const fs::path& directory) {
  return std::string(text::trim(files.read_file(directory / kWordFile)));
}

bool is_read_by_preparation(const state::ServiceInstance& service, const fs::path& secret) {
  const auto names_it = [&](const std::string& word) {
    return word.find(secret.string()) != std::string::npos;
  };
  return std::any_of(service.prepare.begin(), service.prepare.end(), [&](const auto& path) {
    return std::any_of(path.command.begin(), path.command.end(), names_it);
  });
}

void make_secrets(platform::FileSystem& files,
                  const state::ServiceInstance& service,
                  const fs::path& directory) {
  if (service.secrets.empty())
    return;
  files.make_directories(directory.parent_path(), 0700);
  files.make_directories(directory, 0700);
  if (!files.exists(directory / kWordFile))
    files.replace_file(directory / kWordFile, make_word() + "\n", kForOwner);
  const std::string word = secret_word(files, directory);
  const bool another_user = service.container && !service.container->user.empty();
  for (const auto& [name, pattern] : service.secrets) {
    const std::string content = text::expand(pattern, {{"word", word}});
    // Users that this machine does not know read the file itself, by a mount. The folder keeps
    // everybody else out.
    const std::uint32_t mode =
        another_user || is_read_by_preparation(service, directory / name) ? kForReaders : kForOwner;
    const auto status = files.status(directory / name);
    if (files.try_read(directory / name) != content)
      files.replace_file(directory / name, content, mode);
    else if (status && status->mode != mode)
      files.set_mode(directory / name, mode);
  }
}

}  // namespace las::service
