// SPDX-License-Identifier: Apache-2.0
#include "las/app/chat.hpp"

#include "las/app/services.hpp"
#include "las/base/i18n.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::app {

using nlohmann::json;

namespace {

state::ServiceInstance choose_service(Session& session, const std::string& name) {
  if (!name.empty()) {
    const ServiceView view = services(session, {name}).front();
    if (view.url.empty())
      throw Error(ErrorKind::Usage, _("this service does not answer chats"), name);
    return view.instance;
  }
  std::vector<state::ServiceInstance> able;
  for (const ServiceView& view : services(session, {})) {
    if (!view.url.empty())
      able.push_back(view.instance);
  }
  if (able.empty())
    throw Error(ErrorKind::NotFound, _("no model is being served"))
        .hint(_("start one with: las serve MODEL"));
  if (able.size() > 1)
    throw Error(ErrorKind::Usage, _("several models are being served"))
        .hint(_("say which: las chat NAME \"...\"; see them with: las status"));
  return able.front();
}

json request_body(const state::ServiceInstance& service, const ChatRequest& request) {
  json body = {{"model", service.model},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}},
               {"messages", json::array()}};
  for (const ChatMessage& message : request.messages)
    body["messages"].push_back({{"role", message.role}, {"content", message.content}});
  if (request.max_tokens)
    body["max_tokens"] = *request.max_tokens;
  if (request.temperature)
    body["temperature"] = *request.temperature;
  return body;
}

// The human part of an engine's error answer: {"error": {"message": …}} or the bare body.
std::string error_text(const std::string& body) {
  const json parsed = json::parse(body, nullptr, false);
  if (parsed.is_object() && parsed.contains("error")) {
    const json& error = parsed["error"];
    if (error.is_string())
      return error.get<std::string>();
    if (error.is_object() && error.contains("message") && error["message"].is_string())
      return error["message"].get<std::string>();
  }
  return body.substr(0, 300);
}

}  // namespace

void EventStreamParser::feed(std::string_view bytes) {
  buffer_ += bytes;
  std::size_t start = 0;
  for (auto end = buffer_.find('\n'); end != std::string::npos; end = buffer_.find('\n', start)) {
    std::string_view text = std::string_view(buffer_).substr(start, end - start);
    if (text.ends_with('\r'))
      text.remove_suffix(1);
    line(text);
    start = end + 1;
  }
  buffer_.erase(0, start);
}

void EventStreamParser::line(std::string_view text) {
  if (text.empty()) {
    if (!data_.empty())
      on_data_(data_);
    data_.clear();
    return;
  }
  if (!text.starts_with("data:"))
    return;  // comments, ids and event names carry nothing for us
  text.remove_prefix(5);
  if (text.starts_with(' '))
    text.remove_prefix(1);
  if (!data_.empty())
    data_ += '\n';
  data_ += text;
}

ChatResult chat(Session& session,
                const ChatRequest& request,
                const std::function<void(std::string_view)>& on_text,
                const Activity& activity) {
  const state::ServiceInstance service = choose_service(session, request.service);
  ChatResult result;
  // Several pieces may come with one read, so what is timed is reads: between the first and the
  // last of them the pieces came that are not in the first.
  std::uint64_t pieces = 0, in_first_read = 0;
  std::optional<double> rate_of_engine;
  const auto begin = session.clock().steady_now();
  auto first = begin, last = begin, now = begin;

  EventStreamParser parser([&](std::string_view data) {
    if (data == "[DONE]")
      return;
    const json event = json::parse(data, nullptr, false);
    if (!event.is_object())
      return;
    if (event.contains("error"))
      throw Error(ErrorKind::Io, _("the engine reported an error"), service.id)
          .cause(error_text(std::string(data)));
    if (const auto usage = event.find("usage"); usage != event.end() && usage->is_object()) {
      result.prompt_tokens = usage->value("prompt_tokens", std::uint64_t{0});
      result.completion_tokens = usage->value("completion_tokens", std::uint64_t{0});
    }
    if (const auto timings = event.find("timings"); timings != event.end() && timings->is_object())
      if (const auto rate = timings->find("predicted_per_second");
          rate != timings->end() && rate->is_number())
        rate_of_engine = rate->get<double>();
    const auto choices = event.find("choices");
    if (choices == event.end() || !choices->is_array() || choices->empty())
      return;
    const json& choice = choices->front();
    if (const auto reason = choice.find("finish_reason");
        reason != choice.end() && reason->is_string())
      result.finish_reason = reason->get<std::string>();
    const auto delta = choice.find("delta");
    if (delta == choice.end() || !delta->is_object())
      return;
    const auto content = delta->find("content");
    if (content == delta->end() || !content->is_string())
      return;
    last = now;
    if (pieces++ == 0)
      first = now;
    if (now == first)
      ++in_first_read;
    const std::string text = content->get<std::string>();
    result.text += text;
    on_text(text);
  });

  fetch::Request http;
  http.method = "POST";
  http.url =
      fmt::format("http://{}:{}/v1/chat/completions", service.reachable_host(), service.port);
  http.headers = {{"Content-Type", "application/json"}, {"Accept", "text/event-stream"}};
  if (service.asks_for_word)
    http.headers["Authorization"] =
        "Bearer " + service::secret_word(session.files(), session.layout().secrets(service.id));
  http.body = request_body(service, request).dump(-1, ' ', false, json::error_handler_t::replace);
  http.timeout = std::chrono::milliseconds(0);  // an answer may take as long as it takes
  fetch::Response response;
  try {
    response = session.fetcher().stream(
        http,
        [&](std::string_view bytes) {
          now = session.clock().steady_now();
          parser.feed(bytes);
          return true;
        },
        activity);
  } catch (Error& error) {
    if (error.kind() == ErrorKind::Network)
      error.hint(fmt::format(
          fmt::runtime(_("does it run? see: las status {}; start it with: las start {}")),
          service.id,
          service.id));
    throw;
  }
  if (response.status < 200 || response.status > 299)
    throw Error(ErrorKind::Io,
                fmt::format(fmt::runtime(_("the engine answered {}")), response.status),
                service.id)
        .cause(error_text(response.body))
        .hint(fmt::format(fmt::runtime(_("see its output with: {}")), "las logs " + service.id));

  const std::chrono::duration<double> to_first = first - begin, streaming = last - first;
  result.seconds_to_first_token = to_first.count();
  const std::uint64_t tokens = result.completion_tokens != 0 ? result.completion_tokens : pieces;
  if (rate_of_engine) {
    result.tokens_per_second = *rate_of_engine;
  } else if (streaming.count() > 0) {
    const double later = static_cast<double>(pieces - in_first_read) / static_cast<double>(pieces);
    result.tokens_per_second = later * static_cast<double>(tokens) / streaming.count();
  }
  return result;
}

}  // namespace las::app
