// SPDX-License-Identifier: Apache-2.0
#include "support/http_stand_in.hpp"

#include "las/base/text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace las::test {

namespace {

constexpr std::chrono::seconds kPatience{10};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// False when the client has gone.
bool send_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_some(int descriptor, std::string& buffer) {
  char chunk[16 * 1024];
  const ssize_t count = ::recv(descriptor, chunk, sizeof chunk, 0);
  if (count <= 0)
    return false;
  buffer.append(chunk, static_cast<std::size_t>(count));
  return true;
}

std::size_t to_size(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<SeenRequest> read_request(int descriptor) {
  std::string buffer;
  std::size_t end = 0;
  while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_some(descriptor, buffer))
      return std::nullopt;
  }
  const auto lines = text::lines(buffer.substr(0, end));
  const auto words = text::split(text::trim(lines.at(0)), ' ');
  SeenRequest request;
  request.method = words.at(0);
  request.target = words.at(1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    if (colon != std::string::npos)
      request.headers[text::lower(lines[i].substr(0, colon))] =
          std::string(text::trim(std::string_view(lines[i]).substr(colon + 1)));
  }
  request.body = buffer.substr(end + 4);
  const std::size_t length = to_size(request.header("content-length"));
  while (request.body.size() < length) {
    if (!receive_some(descriptor, request.body))
      return std::nullopt;
  }
  return request;
}

std::string answer_header(const Answer& answer, const std::string& name) {
  for (const auto& [key, value] : answer.headers) {
    if (text::lower(key) == name)
      return value;
  }
  return "";
}

/// The first byte a client wants of a resource it may resume; nothing: all of it.
std::optional<std::size_t> wanted_offset(const SeenRequest& request, const Answer& answer) {
  const std::string range = request.header("range");
  const std::string condition = request.header("if-range");
  if (!answer.ranges || answer.status != 200 || !range.starts_with("bytes="))
    return std::nullopt;
  if (!condition.empty() && condition != answer_header(answer, "etag") &&
      condition != answer_header(answer, "last-modified"))
    return std::nullopt;
  return to_size(std::string_view(range).substr(6));
}

}  // namespace

HttpStandIn::HttpStandIn() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (listener_ < 0)
    fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t length = sizeof address;
  if (::bind(listener_, generic, length) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &length) != 0)
    fail("bind");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_connections(); });
}

HttpStandIn::~HttpStandIn() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const int descriptor : open_)
      ::shutdown(descriptor, SHUT_RDWR);
  }
  changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
  acceptor_.join();
  for (std::thread& worker : workers_)
    worker.join();
  ::close(listener_);
}

std::string HttpStandIn::url(std::string_view target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
}

void HttpStandIn::serve(const std::string& target, Answer answer) {
  const std::lock_guard lock(mutex_);
  lasting_[target] = std::move(answer);
}

void HttpStandIn::serve(const std::string& target, const std::string& body) {
  Answer answer;
  answer.body = body;
  serve(target, std::move(answer));
}

void HttpStandIn::serve_once(const std::string& target, Answer answer) {
  const std::lock_guard lock(mutex_);
  once_[target].push_back(std::move(answer));
}

void HttpStandIn::serve_others(std::function<Answer(const SeenRequest&)> handler) {
  const std::lock_guard lock(mutex_);
  others_ = std::move(handler);
}

std::vector<SeenRequest> HttpStandIn::requests() const {
  const std::lock_guard lock(mutex_);
  return log_;
}

std::vector<SeenRequest> HttpStandIn::requests(const std::string& target) const {
  auto all = requests();
  std::erase_if(all, [&](const SeenRequest& request) { return request.target != target; });
  return all;
}

void HttpStandIn::release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

bool HttpStandIn::wait_until_held(int count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return held_ >= count; });
}

void HttpStandIn::hold() {
  std::unique_lock lock(mutex_);
  ++held_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return released_ || closing_; });
  --held_;
}

void HttpStandIn::accept_connections() {
  for (;;) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED))
      continue;
    const std::lock_guard lock(mutex_);
    if (closing_ || descriptor < 0) {
      if (descriptor >= 0)
        ::close(descriptor);
      return;
    }
    open_.push_back(descriptor);
    workers_.emplace_back([this, descriptor] { serve_connection(descriptor); });
  }
}

void HttpStandIn::serve_connection(int descriptor) {
  if (const auto request = read_request(descriptor)) {
    {
      const std::lock_guard lock(mutex_);
      log_.push_back(*request);
    }
    const Answer answer = choose(*request);
    if (!answer.reset)
      send_answer(descriptor, *request, answer);
  }
  // Closing with unread input would reset the connection and take the answer with it.
  ::shutdown(descriptor, SHUT_WR);
  const std::lock_guard lock(mutex_);
  open_.remove(descriptor);
  ::close(descriptor);
}

Answer HttpStandIn::choose(const SeenRequest& request) {
  std::function<Answer(const SeenRequest&)> handler;
  {
    const std::lock_guard lock(mutex_);
    if (auto& queue = once_[request.target]; !queue.empty()) {
      Answer answer = std::move(queue.front());
      queue.pop_front();
      return answer;
    }
    if (const auto found = lasting_.find(request.target); found != lasting_.end())
      return found->second;
    handler = others_;
  }
  if (handler)
    return handler(request);
  Answer missing;
  missing.status = 404;
  missing.body = "no such thing\n";
  return missing;
}

void HttpStandIn::send_answer(int descriptor, const SeenRequest& request, const Answer& answer) {
  std::string_view body = answer.body;
  int status = answer.status;
  std::string head;
  if (const auto offset = wanted_offset(request, answer)) {
    const std::string whole = std::to_string(body.size());
    if (*offset >= body.size()) {
      status = 416;
      head = "Content-Range: bytes */" + whole + "\r\n";
      body = {};
    } else {
      status = 206;
      head = "Content-Range: " +
             answer.content_range.value_or("bytes " + std::to_string(*offset) + "-" +
                                           std::to_string(body.size() - 1) + "/" + whole) +
             "\r\n";
      body.remove_prefix(*offset);
    }
  }
  head = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\nConnection: close\r\n" + head;
  for (const auto& [name, value] : answer.headers)
    head += name + ": " + value + "\r\n";
  if (answer.length && !answer.endless)
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (send_all(descriptor, head + "\r\n") && request.method != "HEAD")
    send_body(descriptor, answer, body);
}

void HttpStandIn::send_body(int descriptor, const Answer& answer, std::string_view body) {
  if (answer.truncate_after)
    body = body.substr(0, std::min(*answer.truncate_after, body.size()));
  if (answer.hold_after) {
    const std::size_t first = std::min(*answer.hold_after, body.size());
    if (!send_all(descriptor, body.substr(0, first)))
      return;
    hold();
    body.remove_prefix(first);
  }
  while (send_all(descriptor, body) && answer.endless && !body.empty()) {
  }
}

}  // namespace las::test
