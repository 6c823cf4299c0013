// SPDX-License-Identifier: Apache-2.0
#include "location.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/registry/refresh.hpp"

#include <charconv>

namespace las::registry {

namespace {

constexpr std::string_view kFile = "file://";

// The part of a URL that names who answers: "user@host:port".
std::string_view authority_of(std::string_view url) {
  const auto start = url.find("://");
  if (start == std::string_view::npos)
    return {};
  url.remove_prefix(start + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

bool is_host_text(std::string_view authority) {
  return !authority.empty() &&
         authority.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
             std::string_view::npos;
}

// Where no one between can change bytes, or read which modules somebody looks at.
bool is_loopback(std::string_view authority) {
  if (authority.starts_with("[::1]"))
    return authority.size() == 5 || authority[5] == ':';
  const std::string_view host = authority.substr(0, authority.find(':'));
  return host == "localhost" || (host.starts_with("127.") &&
                                 host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned int value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, fault] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (fault != std::errc() || digits.size() != 2 || end != digits.data() + 2 || value == 0)
      return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

}  // namespace

std::optional<std::filesystem::path> file_of_url(const std::string& url) {
  if (text::lower(url.substr(0, kFile.size())) != kFile || url.size() <= kFile.size() ||
      url[kFile.size()] != '/')
    return std::nullopt;
  const auto path = percent_decoded(std::string_view(url).substr(kFile.size()));
  return path ? std::optional<std::filesystem::path>(*path) : std::nullopt;
}

std::string check_url(const std::string& url) {
  const std::string_view authority = authority_of(url);
  // Said without the URL: it would show them.
  if (authority.find('@') != std::string_view::npos)
    throw Error(ErrorKind::Usage, _("the address of a registry must not hold credentials"))
        .hint(_("leave out what stands before the @"));
  const std::string scheme = text::lower(url.substr(0, url.find("://")));
  const bool file = file_of_url(url).has_value();
  const bool secure = scheme == "https" && is_host_text(authority);
  const bool local = scheme == "http" && is_host_text(authority) && is_loopback(authority);
  if (!file && !secure && !local)
    throw Error(ErrorKind::Usage, _("not the address of a registry"), url)
        .hint(_("it begins with https://, or with file:/// for a folder of this machine"));
  for (const char c : url) {
    if (c <= ' ' || c > '~' || c == '?' || c == '#')
      throw Error(ErrorKind::Usage, _("not the address of a registry"), url)
          .hint(_("it names a folder: no query, no fragment, no space"));
  }
  std::string out = url;
  while (out.ends_with('/'))
    out.pop_back();
  return out;
}

}  // namespace las::registry
