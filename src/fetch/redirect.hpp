// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/fetch/fetch.hpp"

#include <map>
#include <optional>
#include <string>

namespace las::fetch {

/// Who answers at a URL; read by libcurl's own parser so that both always agree.
struct Origin {
  std::string scheme, host, port;
  bool operator==(const Origin&) const = default;
};

/// Nothing for what libcurl does not take for a URL.
std::optional<Origin> origin_of(const std::string& url);

/// Why a server at `from` may not send us to `to`; nothing if it may. https never falls back to
/// http, and nothing leads from the network to files of this machine.
std::optional<std::string> redirect_refusal(const std::string& from, const std::string& to);

/// The request to send after `status` (301, 302, 303, 307, 308) pointed at `to`. Another origin
/// gets no header that may carry a credential.
Request redirected(Request request, int status, const std::string& to);

/// `url` without user name and password, for messages.
std::string shown_url(const std::string& url);

}  // namespace las::fetch
