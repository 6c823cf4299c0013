// SPDX-License-Identifier: Apache-2.0
#include "npm_cli.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace las::source {

namespace {

using Json = nlohmann::json;

// npm's variables are its settings, with any case and "-" as "_" (npm's documentation: "config").
constexpr std::string_view kSetting = "npm_config_";

bool is_about_the_registry(std::string_view setting) {
  static constexpr std::array<std::string_view, 12> kKept = {"registry",
                                                             "proxy",
                                                             "https_proxy",
                                                             "http_proxy",
                                                             "noproxy",
                                                             "ca",
                                                             "cafile",
                                                             "strict_ssl",
                                                             "maxsockets",
                                                             "fetch_timeout",
                                                             "local_address",
                                                             "nodedir"};
  // "//host/path/:_authToken" and "@scope:registry".
  return setting.starts_with("//") || setting.starts_with('@') ||
         std::find(kKept.begin(), kKept.end(), setting) != kKept.end();
}

struct NpmSymptom {
  std::string_view text;
  ErrorKind kind;
};

constexpr std::array<NpmSymptom, 26> kNpmSymptoms = {{
    {"code EINTEGRITY", ErrorKind::Integrity},
    {"code ENOSPC", ErrorKind::NoSpace},
    {"code EUSAGE", ErrorKind::InvalidData},
    {"code EBADPLATFORM", ErrorKind::NotFound},
    {"code E404", ErrorKind::NotFound},
    {"code ETARGET", ErrorKind::NotFound},
    {"code EACCES", ErrorKind::Permission},
    {"code EPERM", ErrorKind::Permission},
    {"code E401", ErrorKind::Permission},
    {"code E403", ErrorKind::Permission},
    {"code ENOTFOUND", ErrorKind::Network},
    {"code EAI_AGAIN", ErrorKind::Network},
    {"code ECONNREFUSED", ErrorKind::Network},
    {"code ECONNRESET", ErrorKind::Network},
    {"code ECONNABORTED", ErrorKind::Network},
    {"code EHOSTUNREACH", ErrorKind::Network},
    {"code ENETUNREACH", ErrorKind::Network},
    {"code ETIMEDOUT", ErrorKind::Network},
    {"code ERR_SOCKET_TIMEOUT", ErrorKind::Network},
    {"code EIDLETIMEOUT", ErrorKind::Network},
    {"code FETCH_ERROR", ErrorKind::Network},
    {"code E429", ErrorKind::Network},
    {"code E5", ErrorKind::Network},
    {"code SELF_SIGNED_CERT", ErrorKind::Network},
    {"code UNABLE_TO_", ErrorKind::Network},
    {"code CERT_", ErrorKind::Network},
}};

// "npm error text" (npm 10.6 and later) or "npm ERR! text"; "" for other lines.
std::string_view told(std::string_view line) {
  for (const std::string_view prefix : {"npm error ", "npm ERR! "}) {
    if (line.starts_with(prefix))
      return text::trim(line.substr(prefix.size()));
  }
  return {};
}

}  // namespace

catalog::NpmLock read_npm_lock(const std::string& json, const std::string& name) {
  Diagnostics diagnostics;
  auto lock = catalog::parse_npm_lock(json, name, diagnostics);
  if (!lock)
    throw Error(ErrorKind::InvalidData, _("the lock of an npm source cannot be used"), name)
        .cause(diagnostics.empty() ? std::string() : diagnostics.items().front().to_string());
  return *std::move(lock);
}

std::string render_package_json(const catalog::NpmLock& lock) {
  Json dependencies = Json::object();
  for (const catalog::NpmPackage& package : lock.wanted)
    dependencies[package.name] = package.version;
  return Json{{"name", "payload"}, {"private", true}, {"dependencies", dependencies}}.dump(2) +
         "\n";
}

std::string render_npm_lock(const catalog::NpmLock& lock, const std::string& json) {
  const Json given = Json::parse(json);
  Json packages = {{"", Json::parse(render_package_json(lock))}};
  for (const catalog::NpmPackage& package : lock.packages)
    packages[package.path] = given.at("packages").at(package.path);
  return Json{{"name", "payload"},
              {"lockfileVersion", 3},
              {"requires", true},
              {"packages", packages}}
             .dump(2) +
         "\n";
}

std::map<std::string, std::string> npm_environment(std::map<std::string, std::string> variables) {
  for (const char* name : {"NODE_OPTIONS", "NODE_PATH", "NODE_ENV", "INIT_CWD"})
    variables.erase(name);
  std::erase_if(variables, [](const auto& variable) {
    const std::string name = text::lower(variable.first);
    if (!name.starts_with(kSetting))
      return name.starts_with("npm_");
    std::string setting = name.substr(kSetting.size());
    if (!setting.starts_with("//"))
      std::replace(setting.begin(), setting.end(), '-', '_');
    return !is_about_the_registry(setting);
  });
  return variables;
}

Error npm_failure(std::string_view output, std::string message, std::string subject) {
  ErrorKind kind = ErrorKind::Io;
  std::string cause;
  for (const std::string& line : text::lines(output)) {
    const std::string_view words = told(line);
    if (words.empty())
      continue;
    if (words.starts_with("code ")) {
      const auto symptom =
          std::find_if(kNpmSymptoms.begin(), kNpmSymptoms.end(), [&](const NpmSymptom& one) {
            return words.starts_with(one.text);
          });
      if (symptom != kNpmSymptoms.end())
        kind = symptom->kind;
    } else if (cause.empty() && !words.starts_with("syscall ") && !words.starts_with("errno ")) {
      cause = words;
    }
  }
  if (kind == ErrorKind::Integrity)
    cause = _("npm was given bytes that do not match the lock");
  return Error(kind, std::move(message), std::move(subject)).cause(std::move(cause));
}

}  // namespace las::source
