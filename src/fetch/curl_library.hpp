// SPDX-License-Identifier: Apache-2.0
#pragma once

// Deprecated options are used on purpose: their successors are unknown to libcurl 7.81.
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

namespace las::fetch {

/// What las calls of libcurl, opened on first use: loading it costs more start-up time than all the
/// rest of las, and most commands never talk to a server.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_free) free;

  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_pause) easy_pause;
  decltype(&::curl_easy_strerror) easy_strerror;

  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_strerror) multi_strerror;

  decltype(&::curl_url) url_new;
  decltype(&::curl_url_cleanup) url_cleanup;
  decltype(&::curl_url_set) url_set;
  decltype(&::curl_url_get) url_get;
};

/// Throws NotFound, with the loader's words, where libcurl is not installed.
const CurlLibrary& curl_library();

}  // namespace las::fetch
