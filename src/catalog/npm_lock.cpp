// SPDX-License-Identifier: Apache-2.0
#include "las/catalog/npm_lock.hpp"

#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::catalog {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kFolder = "node_modules/";
constexpr std::string_view kSha512 = "sha512-";
constexpr std::size_t kSha512Length = 88;  // 64 bytes in base64
constexpr std::size_t kMaxFaults = 100;

class Reader {
 public:
  Reader(const std::string& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  std::optional<NpmLock> read(std::string_view text) {
    const Json root = Json::parse(text, nullptr, false);
    if (!root.is_object()) {
      fault({}, _("not a package-lock.json"));
      return std::nullopt;
    }
    if (root.value("lockfileVersion", Json()) != 3)
      fault(
          "lockfileVersion", _("is not 3"), "npm install --package-lock-only --lockfile-version=3");
    NpmLock lock;
    const auto packages = root.find("packages");
    if (packages == root.end() || !packages->is_object()) {
      fault("packages", _("missing key"));
      return std::nullopt;
    }
    for (const auto& [path, entry] : packages->items()) {
      if (faults_ >= kMaxFaults)
        break;
      if (!path.empty())
        read_package(path, entry, lock);
    }
    read_root(packages->value("", Json::object()), lock);
    if (faults_ > 0)
      return std::nullopt;
    return lock;
  }

 private:
  void fault(std::string path, std::string message, std::string suggestion = {}) {
    if (++faults_ <= kMaxFaults)
      diagnostics_.add({Severity::Error,
                        file_,
                        0,
                        0,
                        text::printable(path),
                        std::move(message),
                        std::move(suggestion)});
  }

  static std::string word(const Json& entry, const char* key) {
    const auto found = entry.find(key);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
  }

  static bool is_true(const Json& entry, const char* key) {
    const auto found = entry.find(key);
    return found != entry.end() && *found == true;
  }

  // "node_modules/a/node_modules/@s/b" → "@s/b"; "" for any other path.
  static std::string name_in(std::string_view path) {
    std::string name;
    while (!path.empty()) {
      if (!path.starts_with(kFolder))
        return {};
      path.remove_prefix(kFolder.size());
      const auto end = path.find("/node_modules/");
      name = path.substr(0, end);
      if (!is_npm_package(name))
        return {};
      path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
    return name;
  }

  void read_package(const std::string& path, const Json& entry, NpmLock& lock) {
    NpmPackage package;
    package.path = path;
    package.name = name_in(path);
    if (package.name.empty() || !entry.is_object()) {
      fault(path, _("is not a package below node_modules"));
      return;
    }
    package.version = word(entry, "version");
    package.integrity = word(entry, "integrity");
    package.has_install_scripts = is_true(entry, "hasInstallScript");
    if (package.version.empty() || is_true(entry, "link"))
      fault(path, _("is not a version from the registry"));
    if (entry.contains("resolved"))
      fault(path + ".resolved",
            _("names a place, and each machine has its own registry"),
            "npm install --package-lock-only --omit-lockfile-registry-resolved");
    // Inside another's archive, whose digest covers it.
    const bool bundled = is_true(entry, "inBundle") && package.integrity.empty();
    const bool strong = package.integrity.starts_with(kSha512) &&
                        package.integrity.size() == kSha512.size() + kSha512Length &&
                        package.integrity.find_first_of(" \n?") == std::string::npos;
    if (!bundled && !strong)
      fault(path + ".integrity", _("is not one sha512"));
    if (bundled && path.find("/node_modules/") == std::string::npos)
      fault(path, _("is not inside another package"));
    lock.packages.push_back(std::move(package));
  }

  void read_root(const Json& root, NpmLock& lock) {
    if (!root.is_object()) {
      fault("packages", _("missing key"));
      return;
    }
    lock.name = word(root, "name");
    for (const char* key :
         {"workspaces", "optionalDependencies", "peerDependencies", "bundleDependencies"})
      if (root.contains(key))
        fault(key, _("is not for the root of a lock"), _("put it under dependencies"));
    const Json wanted = root.value("dependencies", Json::object());
    if (!wanted.is_object() || wanted.empty()) {
      fault("packages..dependencies", _("missing key"));
      return;
    }
    for (const auto& [name, version] : wanted.items()) {
      const auto found =
          std::find_if(lock.packages.begin(), lock.packages.end(), [&](const NpmPackage& package) {
            return package.path == std::string(kFolder) + name;
          });
      if (found == lock.packages.end() || !version.is_string() ||
          version.get<std::string>() != found->version)
        fault("packages..dependencies." + name, _("is not the version that the lock has of it"));
      else
        lock.wanted.push_back(*found);
    }
  }

  const std::string& file_;
  Diagnostics& diagnostics_;
  std::size_t faults_ = 0;
};

}  // namespace

bool is_npm_package(std::string_view name) {
  const auto is_part = [](std::string_view part) {
    return !part.empty() && part[0] != '.' && part[0] != '-' && part.size() <= 214 &&
           std::all_of(part.begin(), part.end(), [](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    std::string_view("._~-").find(c) != std::string_view::npos;
           });
  };
  if (!name.starts_with('@'))
    return is_part(name) && name != "node_modules";
  const auto slash = name.find('/');
  return slash != std::string_view::npos && is_part(name.substr(1, slash - 1)) &&
         is_part(name.substr(slash + 1));
}

std::optional<NpmLock> parse_npm_lock(std::string_view json,
                                      const std::string& file,
                                      Diagnostics& diagnostics) {
  return Reader(file, diagnostics).read(json);
}

}  // namespace las::catalog
