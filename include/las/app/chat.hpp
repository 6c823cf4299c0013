// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/app/session.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace las::app {

struct ChatMessage {
  std::string role, content;
};

struct ChatRequest {
  std::string service;  ///< id; "" = the only one that answers chats
  std::vector<ChatMessage> messages;
  std::optional<int> max_tokens;
  std::optional<double> temperature;
};

struct ChatResult {
  std::string text;
  std::string finish_reason;                               ///< "stop", "length" ...
  std::uint64_t prompt_tokens = 0, completion_tokens = 0;  ///< as the engine counted; 0 unknown
  double seconds_to_first_token = 0;
  /// As the engine says ("timings" of its last event), else between the first and the last read by
  /// our clock; 0 unknown: the whole answer may have come at once.
  double tokens_per_second = 0;
};

/// Streams one answer of POST /v1/chat/completions (server-sent events, OpenAI's format); `on_text`
/// gets every piece as it comes. Errors: NotFound, Network (does it run? see hint), Io with the
/// engine's own message for a non-2xx answer, Interrupted.
ChatResult chat(Session& session,
                const ChatRequest& request,
                const std::function<void(std::string_view)>& on_text,
                const Activity& activity);

/// Takes apart a stream of server-sent events: feed bytes as they come, `on_data` gets the payload
/// of each complete event. Source: WHATWG HTML, "Server-sent events", 9.2.6.
class EventStreamParser {
 public:
  explicit EventStreamParser(std::function<void(std::string_view)> on_data)
      : on_data_(std::move(on_data)) {}

  void feed(std::string_view bytes);

 private:
  void line(std::string_view text);
  std::function<void(std::string_view)> on_data_;
  std::string buffer_, data_;
};

}  // namespace las::app
