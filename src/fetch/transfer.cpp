// SPDX-License-Identifier: Apache-2.0
#include "transfer.hpp"

#include "redirect.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace las::fetch {

namespace {

constexpr int kMostRedirects = 10;
/// The body of a redirect is read so that the connection can be used again, but not for ever.
constexpr std::size_t kMostDropped = 64 * 1024;
constexpr long kStallBytesPerSecond = 1024;
constexpr long kBufferSize = 256 * 1024;

bool is_file_url(const std::string& url) {
  return text::lower(url.substr(0, 7)) == "file://";
}

int parse_status_line(std::string_view line) {
  const auto space = line.find(' ');
  int status = 0;
  if (space != std::string_view::npos)
    std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  return status;
}

void check_headers(const std::map<std::string, std::string>& headers) {
  for (const auto& [name, value] : headers) {
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      throw Error(ErrorKind::InvalidData, _("a request header must not contain line breaks"), name);
  }
}

}  // namespace

Multi::Multi() : curl_(curl_library()), handle_(curl_.multi_init(), curl_.multi_cleanup) {
  if (!handle_)
    throw Error(ErrorKind::Io, _("could not start libcurl"));
}

std::vector<std::pair<Transfer*, CURLcode>> Multi::run(std::chrono::milliseconds longest) {
  const auto check = [this](CURLMcode code) {
    if (code != CURLM_OK)
      throw Error(ErrorKind::Io, _("could not go on downloading"))
          .cause(curl_.multi_strerror(code));
  };
  int running = 0;
  check(curl_.multi_perform(handle_.get(), &running));
  std::vector<std::pair<Transfer*, CURLcode>> ended;
  int remaining = 0;
  while (const CURLMsg* message = curl_.multi_info_read(handle_.get(), &remaining)) {
    if (message->msg != CURLMSG_DONE)
      continue;
    char* owner = nullptr;
    curl_.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
    ended.emplace_back(reinterpret_cast<Transfer*>(owner), message->data.result);
  }
  if (ended.empty()) {
    const int timeout = static_cast<int>(longest.count());
    check(curl_.multi_poll(handle_.get(), nullptr, 0, timeout, nullptr));
  }
  return ended;
}

Transfer::Transfer(Multi& multi, Request request, TransferLimits limits, Sink& sink)
    : curl_(multi.curl_),
      multi_(multi),
      request_(std::move(request)),
      limits_(std::move(limits)),
      sink_(sink),
      started_(std::chrono::steady_clock::now()),
      header_list_(nullptr, curl_.slist_free_all),
      handle_(nullptr, curl_.easy_cleanup) {
  check_headers(request_.headers);
}

Transfer::~Transfer() {
  detach();
}

void Transfer::start() {
  detach();
  configure();
  curl_.multi_add_handle(multi_.handle_.get(), handle_.get());
}

void Transfer::detach() {
  if (!handle_)
    return;
  curl_.multi_remove_handle(multi_.handle_.get(), handle_.get());
  handle_.reset();
}

void Transfer::resume() {
  paused_ = false;
  curl_.easy_pause(handle_.get(), CURLPAUSE_CONT);
}

template <typename Value>
void Transfer::set(CURLoption option, Value value) {
  static_assert(
      std::is_pointer_v<Value> || std::is_same_v<Value, long> || std::is_same_v<Value, curl_off_t>,
      "libcurl reads its variable argument as exactly one of these");
  if (const CURLcode code = curl_.easy_setopt(handle_.get(), option, value); code != CURLE_OK) {
    throw Error(ErrorKind::Io, _("could not prepare a transfer"), shown_url(request_.url))
        .cause(curl_.easy_strerror(code));
  }
}

void Transfer::configure() {
  handle_.reset(curl_.easy_init());
  if (!handle_)
    throw Error(ErrorKind::Io, _("could not start libcurl"));
  head_ = {};
  dropped_ = 0;
  error_text_[0] = '\0';
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_URL, request_.url.c_str());
  // A file is only read where the caller named one: no redirect gets here with such an address.
  set(CURLOPT_PROTOCOLS,
      is_file_url(request_.url) ? long{CURLPROTO_FILE} : long{CURLPROTO_HTTP | CURLPROTO_HTTPS});
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, "las");
  set(CURLOPT_BUFFERSIZE, kBufferSize);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_HEADERFUNCTION, &Transfer::receive_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::receive_body);
  set(CURLOPT_WRITEDATA, this);
  if (limits_.ca_file)
    set(CURLOPT_CAINFO, limits_.ca_file->c_str());
#if LIBCURL_VERSION_NUM >= 0x075700
  // Do not wait for a name lookup that nobody wants any more. Older libraries may refuse: harmless.
  curl_.easy_setopt(handle_.get(), CURLOPT_QUICK_EXIT, 1L);
#endif
  configure_method();
  configure_headers();
  configure_limits();
}

void Transfer::configure_method() {
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
    return;
  }
  if (!request_.body.empty() || request_.method == "POST") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  if (request_.method != "GET" || !request_.body.empty())
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void Transfer::configure_headers() {
  const auto append = [this](const std::string& line) {
    curl_slist* longer = curl_.slist_append(header_list_.get(), line.c_str());
    if (longer == nullptr)
      throw std::bad_alloc();
    static_cast<void>(header_list_.release());
    header_list_.reset(longer);
  };
  header_list_.reset();
  append("Expect:");  // some servers never answer "100-continue"
  for (const auto& [name, value] : request_.headers)
    append(value.empty() ? name + ";" : name + ": " + value);
  set(CURLOPT_HTTPHEADER, header_list_.get());
}

void Transfer::configure_limits() {
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(limits_.connect.count()));
  if (limits_.whole.count() > 0) {
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - started_);
    set(CURLOPT_TIMEOUT_MS,
        static_cast<long>(std::max<std::int64_t>(1, (limits_.whole - passed).count())));
  }
  if (limits_.stall.count() > 0) {
    // A transfer that we slow down ourselves has not stalled while anything comes at all.
    set(CURLOPT_LOW_SPEED_LIMIT, limits_.gate != nullptr ? 1L : kStallBytesPerSecond);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(limits_.stall.count()));
  }
}

template <typename Body>
bool Transfer::guarded(Body&& body) {
  try {
    return body();
  } catch (...) {  // must not pass through libcurl's C frames; ended() throws it on
    error_ = std::current_exception();
    return false;
  }
}

std::size_t Transfer::receive_header(char* data, std::size_t, std::size_t count, void* user) {
  auto& self = *static_cast<Transfer*>(user);
  const std::string_view line(data, count);
  return self.guarded([&] { return self.take_header_line(line); }) ? count : 0;
}

std::size_t Transfer::receive_body(char* data, std::size_t, std::size_t count, void* user) {
  auto& self = *static_cast<Transfer*>(user);
  // After resume() libcurl may offer more although the last piece was turned down.
  if (self.stopped_ || self.error_)
    return 0;
  if (self.limits_.gate != nullptr && !self.redirecting() && !self.limits_.gate->admit(count)) {
    self.paused_ = true;
    return CURL_WRITEFUNC_PAUSE;  // libcurl keeps these bytes for us
  }
  const std::string_view bytes(data, count);
  return self.guarded([&] { return self.take_body(bytes); }) ? count : 0;
}

bool Transfer::take_header_line(std::string_view line) {
  line = text::trim(line);
  if (begun_)
    return true;  // trailers of a chunked body
  if (line.starts_with("HTTP/")) {
    head_ = {};
    head_.status = parse_status_line(line);
    return true;
  }
  if (line.empty()) {
    const bool final_answer = head_.status >= 200;  // not "100 Continue"
    return !final_answer || redirecting() || begin();
  }
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string& value = head_.headers[text::lower(text::trim(line.substr(0, colon)))];
    value += (value.empty() ? "" : ", ") + std::string(text::trim(line.substr(colon + 1)));
  }
  return true;
}

bool Transfer::take_body(std::string_view bytes) {
  if (redirecting()) {
    dropped_ += bytes.size();
    return dropped_ <= kMostDropped;
  }
  if (!begun_ && !begin())
    return false;
  stopped_ = !sink_.body(bytes);
  return !stopped_;
}

bool Transfer::begin() {
  begun_ = true;
  stopped_ = !sink_.begin(head_);
  return !stopped_;
}

bool Transfer::redirecting() const {
  const int status = head_.status;
  const bool moved =
      status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  return moved && head_.headers.contains("location");
}

std::optional<Outcome> Transfer::ended(CURLcode code) {
  if (error_) {
    detach();
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
  if (redirecting())
    return follow();
  if (code != CURLE_OK && !stopped_)
    return failed(code, fault_text(code));
  if (!begun_)  // an empty local file
    begin();
  Outcome outcome;
  outcome.status = head_.status;
  curl_off_t retry_after = 0;
  curl_.easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &retry_after);
  if (retry_after > 0)
    outcome.retry_after = std::chrono::seconds(retry_after);
  detach();
  return outcome;
}

std::optional<Outcome> Transfer::follow() {
  const char* next = nullptr;
  curl_.easy_getinfo(handle_.get(), CURLINFO_REDIRECT_URL, &next);
  if (next == nullptr)
    return failed(CURLE_WEIRD_SERVER_REPLY, _("redirect to an address that is none"));
  const std::string target = next;
  if (++redirects_ > kMostRedirects)
    return failed(CURLE_TOO_MANY_REDIRECTS, _("too many redirects"));
  if (auto refusal = redirect_refusal(request_.url, target))
    return failed(CURLE_UNSUPPORTED_PROTOCOL, std::move(*refusal));
  request_ = redirected(std::move(request_), head_.status, target);
  start();
  return std::nullopt;
}

Outcome Transfer::failed(CURLcode code, std::string fault) const {
  curl_off_t reached = 0;
  curl_.easy_getinfo(handle_.get(), CURLINFO_PRETRANSFER_TIME_T, &reached);
  Outcome outcome;
  outcome.status = head_.status;
  // A host that swallows connection attempts is as absent as one that refuses them.
  outcome.curl_code =
      code == CURLE_OPERATION_TIMEDOUT && reached == 0 ? CURLE_COULDNT_CONNECT : code;
  outcome.fault = std::move(fault);
  return outcome;
}

std::string Transfer::fault_text(CURLcode code) const {
  return error_text_[0] != '\0' ? error_text_.data() : curl_.easy_strerror(code);
}

}  // namespace las::fetch
