// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "curl_library.hpp"
#include "rate_gate.hpp"

#include "las/fetch/fetch.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace las::fetch {

class Transfer;

/// Several transfers under way in one thread.
class Multi {
 public:
  Multi();

  /// Moves every transfer on and waits until something happens, `longest` at most. Gives those that
  /// came to an end; each is to be asked with Transfer::ended.
  std::vector<std::pair<Transfer*, CURLcode>> run(std::chrono::milliseconds longest);

 private:
  friend class Transfer;
  const CurlLibrary& curl_;
  std::unique_ptr<CURLM, decltype(&::curl_multi_cleanup)> handle_;
};

struct ResponseHead {
  int status = 0;                              ///< 0: a local file
  std::map<std::string, std::string> headers;  ///< names in lower case

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

/// Takes the answer behind all redirects. Returning false ends the transfer without a fault;
/// exceptions leave through Transfer::ended.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;
  virtual bool begin(const ResponseHead& head) = 0;
  virtual bool body(std::string_view bytes) = 0;
};

struct TransferLimits {
  std::chrono::milliseconds whole{0};  ///< all hops together; zero: none
  std::chrono::seconds connect{15};
  std::chrono::seconds stall{0};  ///< zero: no stall guard
  RateGate* gate = nullptr;       ///< null: as fast as it comes
  std::optional<std::string> ca_file;
};

/// What became of a transfer.
struct Outcome {
  int status = 0;
  int curl_code = CURLE_OK;
  std::string fault;  ///< "" when an answer came, whatever its status
  std::optional<std::chrono::seconds> retry_after;
};

/// One request and its answer; redirects are followed here and not by libcurl, so that every hop
/// passes redirect_refusal and other origins see no credentials.
class Transfer {
 public:
  Transfer(Multi& multi, Request request, TransferLimits limits, Sink& sink);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  void start();
  /// To be called with what Multi::run gave. Nothing: it goes on at another address.
  std::optional<Outcome> ended(CURLcode code);

  /// Held back by the gate.
  bool paused() const { return paused_; }

  void resume();

 private:
  static std::size_t receive_header(char* data, std::size_t size, std::size_t count, void* user);
  static std::size_t receive_body(char* data, std::size_t size, std::size_t count, void* user);

  void configure();
  void configure_method();
  void configure_headers();
  void configure_limits();
  template <typename Value>
  void set(CURLoption option, Value value);
  void detach();

  template <typename Body>
  bool guarded(Body&& body);
  bool take_header_line(std::string_view line);
  bool take_body(std::string_view bytes);
  bool begin();
  bool redirecting() const;
  std::optional<Outcome> follow();
  Outcome failed(CURLcode code, std::string fault) const;
  std::string fault_text(CURLcode code) const;

  const CurlLibrary& curl_;
  Multi& multi_;
  Request request_;
  TransferLimits limits_;
  Sink& sink_;
  std::chrono::steady_clock::time_point started_;

  // The list is declared before the handle that points at it.
  std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)> header_list_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> handle_;

  ResponseHead head_;
  bool begun_ = false, stopped_ = false, paused_ = false;
  int redirects_ = 0;
  std::size_t dropped_ = 0;
  std::exception_ptr error_;
};

}  // namespace las::fetch
