// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace las::test {

/// A request as the stand-in saw it.
struct SeenRequest {
  std::string method;
  std::string target;  ///< "/file?x=1", or a whole URL from a proxy's client
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

/// What the stand-in answers, and how it misbehaves.
struct Answer {
  std::string body;
  int status = 200;
  std::map<std::string, std::string> headers;  ///< e.g. Location, ETag, Last-Modified, Retry-After

  bool ranges = true;    ///< honours Range and If-Range (against ETag and Last-Modified)
  bool length = true;    ///< sends Content-Length; otherwise the end of the connection is the end
  bool endless = false;  ///< repeats the body until the client goes away; implies no length
  bool reset = false;    ///< closes the connection without a word
  /// Breaks the connection after this many bytes of the body.
  std::optional<std::size_t> truncate_after;
  /// Sends this many bytes of the body, then holds until HttpStandIn::release().
  std::optional<std::size_t> hold_after;
  std::optional<std::string> content_range;  ///< instead of the right one
};

/// A web server on 127.0.0.1 that tests script: one thread per connection, a log of all requests.
/// It closes its connections after each answer.
class HttpStandIn {
 public:
  HttpStandIn();
  HttpStandIn(const HttpStandIn&) = delete;
  HttpStandIn& operator=(const HttpStandIn&) = delete;
  /// Breaks every connection still open.
  ~HttpStandIn();

  std::uint16_t port() const { return port_; }

  /// "http://127.0.0.1:<port><target>"
  std::string url(std::string_view target) const;

  /// The lasting answer for a target (matched as a whole, query included). Unknown ones get 404.
  void serve(const std::string& target, Answer answer);
  void serve(const std::string& target, const std::string& body);
  /// Answers for the next requests of a target, each used once, before the lasting one.
  void serve_once(const std::string& target, Answer answer);
  /// Decides what no serve() knows.
  void serve_others(std::function<Answer(const SeenRequest&)> handler);

  std::vector<SeenRequest> requests() const;
  /// The requests for one target.
  std::vector<SeenRequest> requests(const std::string& target) const;

  /// Lets every held body, present or future, go on.
  void release();
  /// Waits until `count` bodies are held; false if that does not happen within 10 s.
  bool wait_until_held(int count = 1);

 private:
  void accept_connections();
  void serve_connection(int descriptor);
  Answer choose(const SeenRequest& request);
  void send_answer(int descriptor, const SeenRequest& request, const Answer& answer);
  void send_body(int descriptor, const Answer& answer, std::string_view body);
  void hold();

  int listener_ = -1;
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Answer> lasting_;
  std::map<std::string, std::deque<Answer>> once_;
  std::function<Answer(const SeenRequest&)> others_;
  std::vector<SeenRequest> log_;
  std::list<int> open_;
  int held_ = 0;
  bool released_ = false, closing_ = false;

  std::vector<std::thread> workers_;  ///< touched only by the accepting thread, then the destructor
  std::thread acceptor_;
};

}  // namespace las::test
