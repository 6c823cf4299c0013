// SPDX-License-Identifier: Apache-2.0
#include "progress.hpp"

#include "command.hpp"

#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"

#include <algorithm>
#include <chrono>
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

  // What failed in the middle leaves no half line behind.
  ~ProgressReporter() override { say(""); }

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
  static constexpr std::chrono::milliseconds kBetweenDraws{50};
  static constexpr std::size_t kWideEnough = 50;

  struct Item {
    std::string title;
    std::optional<std::uint64_t> total;
    std::uint64_t done = 0;
  };

  void started(const event::Started& e) {
    items_[e.id] = {shown(e.title), e.total, 0};
    if (style_ == ProgressStyle::Plain)
      say(shown(e.title) + (e.total ? " (" + ByteSize(*e.total).to_string() + ")" : "") + "\n");
    draw();
  }

  void progressed(const event::Progress& e) {
    Item& item = items_[e.id];
    item.done = e.done;
    if (e.total)
      item.total = e.total;
    const auto now = std::chrono::steady_clock::now();
    if (drawn_.empty() || now >= next_draw_) {
      next_draw_ = now + kBetweenDraws;
      draw();
    }
  }

  void finished(const event::Finished& e) {
    const Item item = items_[e.id];
    items_.erase(e.id);
    if (style_ == ProgressStyle::None)
      return;
    if (style_ == ProgressStyle::Bar || !e.ok || !e.note.empty())
      say(item.title + ": " + (e.ok ? _("done") : _("failed")) +
          (e.note.empty() ? "" : " (" + shown(e.note) + ")") + "\n");
    draw();
  }

  void message(const event::Message& e) {
    if (e.severity < least_)
      return;
    const auto painted = [&](const char* color, const std::string& text) {
      return color_ ? color + text + "\033[0m" : text;
    };
    const std::string text = shown(e.text);
    switch (e.severity) {
      case Severity::Debug:
        say(painted("\033[2m", "debug: " + e.room + ": " + text) + "\n");
        break;
      case Severity::Info:
        say(text + "\n");
        break;
      case Severity::Warning:
        say(painted("\033[33m", _("warning")) + ": " + text + "\n");
        break;
      case Severity::Error:
        say(_("error") + ": " + text + "\n");
        break;
    }
    draw();
  }

  // Whole lines in place of the bar, in one write: what is written piece by piece flickers.
  void say(const std::string& lines) {
    if (!drawn_.empty() || !lines.empty())
      streams_.err << (drawn_.empty() ? "" : "\r\033[K") + lines << std::flush;
    drawn_.clear();
  }

  // One line for whatever runs: the sum when several downloads run at once.
  void draw() {
    if (style_ != ProgressStyle::Bar || items_.empty())
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
    // The last column stays free: a terminal that filled it goes on to the next line.
    const auto width = static_cast<std::size_t>(std::max(1, streams_.width() - 1));
    std::string line;
    if (known && total > 0) {
      const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
      line = bar(part, width) + fmt::format("{:3.0f}% ", part * 100);
    }
    if (done > 0 && width >= kWideEnough)
      line += ByteSize(done).to_string() + " ";
    line = text::clip(line + title, width);
    if (line == drawn_)
      return;
    // Written over the old line and only then erased behind it.
    streams_.err << "\r" + line + "\033[K" << std::flush;
    drawn_ = std::move(line);
  }

  // On a narrow terminal the title is worth more.
  static std::string bar(double part, std::size_t width) {
    if (width < kWideEnough)
      return {};
    constexpr std::size_t kCells = 20;
    const auto filled = static_cast<std::size_t>(part * kCells);
    return "[" + std::string(filled, '#') + std::string(kCells - filled, '.') + "] ";
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
  std::string drawn_;  ///< the bar as it stands on the terminal; "": none
  std::chrono::steady_clock::time_point next_draw_;
};

}  // namespace

std::unique_ptr<Reporter> make_progress_reporter(const Streams& streams,
                                                 ProgressStyle style,
                                                 Severity least,
                                                 bool color) {
  return std::make_unique<ProgressReporter>(streams, style, least, color);
}

}  // namespace las::cli
