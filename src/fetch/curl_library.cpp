// SPDX-License-Identifier: Apache-2.0
#include "curl_library.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/shared_library.hpp"

namespace las::fetch {

namespace {

CurlLibrary open_curl() {
  const platform::SharedLibrary library({"libcurl.so.4", "libcurl-gnutls.so.4"});
  CurlLibrary curl{};
  library.load(curl.global_init, "curl_global_init");
  library.load(curl.slist_append, "curl_slist_append");
  library.load(curl.slist_free_all, "curl_slist_free_all");
  library.load(curl.free, "curl_free");
  library.load(curl.easy_init, "curl_easy_init");
  library.load(curl.easy_cleanup, "curl_easy_cleanup");
  library.load(curl.easy_setopt, "curl_easy_setopt");
  library.load(curl.easy_getinfo, "curl_easy_getinfo");
  library.load(curl.easy_pause, "curl_easy_pause");
  library.load(curl.easy_strerror, "curl_easy_strerror");
  library.load(curl.multi_init, "curl_multi_init");
  library.load(curl.multi_cleanup, "curl_multi_cleanup");
  library.load(curl.multi_add_handle, "curl_multi_add_handle");
  library.load(curl.multi_remove_handle, "curl_multi_remove_handle");
  library.load(curl.multi_perform, "curl_multi_perform");
  library.load(curl.multi_poll, "curl_multi_poll");
  library.load(curl.multi_info_read, "curl_multi_info_read");
  library.load(curl.multi_strerror, "curl_multi_strerror");
  library.load(curl.url_new, "curl_url");
  library.load(curl.url_cleanup, "curl_url_cleanup");
  library.load(curl.url_set, "curl_url_set");
  library.load(curl.url_get, "curl_url_get");
  if (const CURLcode code = curl.global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK)
    throw Error(ErrorKind::Io, _("could not start libcurl")).cause(curl.easy_strerror(code));
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary curl = open_curl();
  return curl;
}

}  // namespace las::fetch
