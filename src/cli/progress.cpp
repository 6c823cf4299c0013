// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::cli {

namespace {

using nlohmann::ordered_json;

template <typename... Cases>
struct overloaded : Cases... {
  using Cases::operator()...;
};

template <typename... Cases>
overloaded(Cases...) -> overloaded<Cases...>;

class ProgressReporter : public Reporter {
 public:
  ProgressReporter(const Streams& streams, ProgressStyle style, Severity least, bool color)
      : streams_(streams), style_(style), least_(least), color_(color) {}

  void report(const Event& event) override {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (style_ == ProgressStyle::Json) {
      streams_.err << to_json(event).dump(-1, ' ', false, ordered_json::error_handler_t::replace)
                   << std::endl;
      return;
    }
    std::visit(overloaded{
                   [&](const event::Started& e) { started(e); },
                   [&](const event::Progress& e) { progressed(e); },
                   [&](const event::Finished& e) { finished(e); },
                   [&](const event::Message& e) { message(e); },
               },
               event);
  }

 private:
  struct Item {
    std::string title;
    std::optional<std::uint64_t> total;
    std::uint64_t done = 0;
  };

  void started(const event::Started& e) {
    items_[e.id] = {e.title, e.total, 0};
    if (style_ == ProgressStyle::Plain)
      streams_.err << e.title << (e.total ? " (" + ByteSize(*e.total).to_string() + ")" : "")
                   << std::endl;
    if (style_ == ProgressStyle::Bar)
      draw();
  }

  void progressed(const event::Progress& e) {
    Item& item = items_[e.id];
    item.done = e.done;
    if (e.total)
      item.total = e.total;
    if (style_ == ProgressStyle::Bar)
      draw();
  }

  void finished(const event::Finished& e) {
    const Item item = items_[e.id];
    items_.erase(e.id);
    if (style_ == ProgressStyle::None)
      return;
    erase_bar();
    if (style_ == ProgressStyle::Bar || !e.ok || !e.note.empty())
      streams_.err << item.title << ": " << (e.ok ? _("done") : _("failed"))
                   << (e.note.empty() ? "" : " (" + e.note + ")") << std::endl;
    if (style_ == ProgressStyle::Bar)
      draw();
  }

  void message(const event::Message& e) {
    if (e.severity < least_)
      return;
    erase_bar();
    switch (e.severity) {
      case Severity::Debug:
        streams_.err << (color_ ? "\033[2m" : "") << "debug: " << e.room << ": " << e.text
                     << (color_ ? "\033[0m" : "") << std::endl;
        break;
      case Severity::Info:
        streams_.err << e.text << std::endl;
        break;
      case Severity::Warning:
        streams_.err << (color_ ? "\033[33m" : "") << _("warning") << (color_ ? "\033[0m" : "")
                     << ": " << e.text << std::endl;
        break;
      case Severity::Error:
        streams_.err << _("error") << ": " << e.text << std::endl;
        break;
    }
    if (style_ == ProgressStyle::Bar)
      draw();
  }

  void erase_bar() {
    if (drawn_)
      streams_.err << "\r\033[K" << std::flush;
    drawn_ = false;
  }

  // One line for whatever runs: the sum when several downloads run at once.
  void draw() {
    if (items_.empty())
      return;
    std::uint64_t done = 0, total = 0;
    bool known = true;
    for (const auto& [id, item] : items_) {
      done += item.done;
      total += item.total.value_or(0);
      known = known && item.total.has_value();
    }
    std::string title = items_.begin()->second.title;
    if (items_.size() > 1)
      title += fmt::format(" +{}", items_.size() - 1);
    std::string line;
    if (known && total > 0) {
      const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
      const auto filled = static_cast<std::size_t>(part * 20);
      line = fmt::format("[{}{}] {:3.0f}% {} ",
                         std::string(filled, '#'),
                         std::string(20 - filled, '.'),
                         part * 100,
                         ByteSize(done).to_string());
    } else if (done > 0) {
      line = ByteSize(done).to_string() + " ";
    }
    line += title;
    const auto width = static_cast<std::size_t>(std::max(20, streams_.width - 1));
    if (line.size() > width)
      line.resize(width);
    streams_.err << "\r\033[K" << line << std::flush;
    drawn_ = true;
  }

  static ordered_json to_json(const Event& event) {
    return std::visit(
        overloaded{
            [](const event::Started& e) {
              ordered_json json = {{"event", "started"}, {"id", e.id}, {"title", e.title}};
              json["total"] = e.total ? ordered_json(*e.total) : ordered_json(nullptr);
              return json;
            },
            [](const event::Progress& e) {
              ordered_json json = {{"event", "progress"}, {"id", e.id}, {"done", e.done}};
              json["total"] = e.total ? ordered_json(*e.total) : ordered_json(nullptr);
              return json;
            },
            [](const event::Finished& e) {
              return ordered_json{
                  {"event", "finished"}, {"id", e.id}, {"ok", e.ok}, {"note", e.note}};
            },
            [](const event::Message& e) {
              return ordered_json{{"event", "message"},
                                  {"severity", std::string(to_string(e.severity))},
                                  {"room", e.room},
                                  {"text", e.text}};
            },
        },
        event);
  }

  const Streams& streams_;
  ProgressStyle style_;
  Severity least_;
  bool color_;
  std::mutex mutex_;
  std::map<std::string, Item> items_;
  bool drawn_ = false;
};

}  // namespace

std::unique_ptr<Reporter> make_progress_reporter(const Streams& streams,
                                                 ProgressStyle style,
                                                 Severity least,
                                                 bool color) {
  return std::make_unique<ProgressReporter>(streams, style, least, color);
}

}  // namespace las::cli
