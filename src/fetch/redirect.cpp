// SPDX-License-Identifier: Apache-2.0
#include "redirect.hpp"

#include "curl_library.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <fmt/format.h>

namespace las::fetch {

namespace {

/// One part of a parsed URL; "" when it has none.
std::string url_part(const CurlLibrary& curl, CURLU* url, CURLUPart part) {
  char* value = nullptr;
  if (curl.url_get(url, part, &value, CURLU_DEFAULT_PORT) != CURLUE_OK)
    return "";
  std::string text = value;
  curl.free(value);
  return text;
}

bool safe_for_strangers(const std::string& header) {
  static constexpr std::array<std::string_view, 6> kSafe = {
      "accept", "accept-language", "content-type", "if-range", "range", "user-agent"};
  return std::find(kSafe.begin(), kSafe.end(), text::lower(header)) != kSafe.end();
}

}  // namespace

std::optional<Origin> origin_of(const std::string& url) {
  const CurlLibrary& curl = curl_library();
  const std::unique_ptr<CURLU, decltype(curl.url_cleanup)> parsed(curl.url_new(), curl.url_cleanup);
  if (curl.url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return std::nullopt;
  return Origin{text::lower(url_part(curl, parsed.get(), CURLUPART_SCHEME)),
                text::lower(url_part(curl, parsed.get(), CURLUPART_HOST)),
                url_part(curl, parsed.get(), CURLUPART_PORT)};
}

std::optional<std::string> redirect_refusal(const std::string& from, const std::string& to) {
  const auto source = origin_of(from);
  const auto target = origin_of(to);
  if (!target || (target->scheme != "http" && target->scheme != "https"))
    return fmt::format(fmt::runtime(_("redirect to {} refused")), shown_url(to));
  if (target->scheme == "http" && (!source || source->scheme != "http"))
    return fmt::format(fmt::runtime(_("redirect from https to {} refused")), shown_url(to));
  return std::nullopt;
}

Request redirected(Request request, int status, const std::string& to) {
  // As browsers and curl do: only 307 and 308 repeat a request that carries a body.
  const bool becomes_get =
      (status == 303 && request.method != "HEAD") || (status < 303 && request.method == "POST");
  if (becomes_get) {
    request.method = "GET";
    request.body.clear();
    std::erase_if(request.headers,
                  [](const auto& header) { return text::lower(header.first) == "content-type"; });
  }
  if (origin_of(request.url) != origin_of(to)) {
    std::erase_if(request.headers,
                  [](const auto& header) { return !safe_for_strangers(header.first); });
  }
  request.url = to;
  return request;
}

std::string shown_url(const std::string& url) {
  const auto start = url.find("://");
  if (start == std::string::npos)
    return url;
  const auto host = start + 3;
  const auto end = std::min(url.find_first_of("/?#", host), url.size());
  const auto at = url.rfind('@', end);
  if (at == std::string::npos || at < host || at >= end)
    return url;
  return url.substr(0, host) + url.substr(at + 1);
}

}  // namespace las::fetch
