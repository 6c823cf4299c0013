// SPDX-License-Identifier: Apache-2.0
#include "curl_fetcher.hpp"
#include "redirect.hpp"
#include "transfer.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

namespace las::fetch {

namespace {

constexpr std::chrono::milliseconds kPoll{50};

using OnData = std::function<bool(std::string_view)>;

/// Collects the body, or hands it on as it comes if the answer is a success.
class ExchangeSink : public Sink {
 public:
  ExchangeSink(const Request& request, const OnData* on_data)
      : request_(request), on_data_(on_data) {}

  bool begin(const ResponseHead& head) override {
    response_.status = head.status;
    response_.headers = head.headers;
    return true;
  }

  bool body(std::string_view bytes) override {
    if (on_data_ != nullptr && response_.status / 100 == 2)
      return (*on_data_)(bytes);
    if (response_.body.size() + bytes.size() > request_.body_limit.bytes()) {
      throw Error(
          ErrorKind::InvalidData, _("the server's answer is too long"), shown_url(request_.url))
          .cause("> " + request_.body_limit.to_string());
    }
    response_.body += bytes;
    return true;
  }

  Response take() { return std::move(response_); }

 private:
  const Request& request_;
  const OnData* on_data_;
  Response response_;
};

Response run_exchange(const Request& request,
                      const OnData* on_data,
                      const FetchOptions& options,
                      const Activity& activity) {
  const auto origin = origin_of(request.url);
  if (!origin || (origin->scheme != "http" && origin->scheme != "https")) {
    throw Error(
        ErrorKind::InvalidData, _("this is not an http or https address"), shown_url(request.url));
  }
  ExchangeSink sink(request, on_data);
  TransferLimits limits;
  limits.whole = request.timeout;
  limits.connect = options.connect_timeout;
  limits.ca_file = options.ca_file;
  Multi multi;
  Transfer transfer(multi, request, limits, sink);
  transfer.start();
  for (;;) {
    activity.cancellation.throw_if_requested();
    for (const auto& [ended, code] : multi.run(kPoll)) {
      const auto outcome = ended->ended(code);
      if (!outcome)
        continue;
      if (outcome->fault.empty())
        return sink.take();
      throw Error(ErrorKind::Network, _("no answer"), shown_url(request.url)).cause(outcome->fault);
    }
  }
}

}  // namespace

Response CurlFetcher::exchange(const Request& request, const Activity& activity) {
  return run_exchange(request, nullptr, options_, activity);
}

Response CurlFetcher::stream(const Request& request,
                             const std::function<bool(std::string_view)>& on_data,
                             const Activity& activity) {
  return run_exchange(request, &on_data, options_, activity);
}

}  // namespace las::fetch
