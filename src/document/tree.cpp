// SPDX-License-Identifier: Apache-2.0
#include "tree.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace las::document {

namespace {

struct Position {
  int line = 0, column = 0;
};

// yaml-cpp counts from 0, and gives -1 where it does not know.
Position position(const YAML::Mark& mark) {
  if (mark.is_null() || mark.line < 0)
    return {};
  return {mark.line + 1, mark.column + 1};
}

// Leaves the parser early; turned into a Diagnostic in read_tree.
struct Stop {
  Position at;
  std::string path, message;
};

bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

// The length of the UTF-8 sequence at `text[i]`; 0 if it is none (RFC 3629: no surrogates, no
// overlong forms, nothing beyond U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : static_cast<unsigned char>(0);
  };
  const auto tail = [&](std::size_t k) { return (byte(k) & 0xc0) == 0x80; };
  const unsigned char c = byte(i);
  if (c < 0x80)
    return 1;
  if (c >= 0xc2 && c <= 0xdf)
    return tail(i + 1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    const bool overlong = c == 0xe0 && byte(i + 1) < 0xa0;
    const bool surrogate = c == 0xed && byte(i + 1) > 0x9f;
    return !overlong && !surrogate && tail(i + 1) && tail(i + 2) ? 3 : 0;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    const bool overlong = c == 0xf0 && byte(i + 1) < 0x90;
    const bool beyond = c == 0xf4 && byte(i + 1) > 0x8f;
    return !overlong && !beyond && tail(i + 1) && tail(i + 2) && tail(i + 3) ? 4 : 0;
  }
  return 0;
}

// What is read here ends in terminals, file names and JSON, so bytes that are no text stop at the
// door.
void require_text(std::string_view text) {
  Position at{1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (is_control(c))
      throw Stop{at, {}, fmt::format(fmt::runtime(_("control character 0x{:02x}")), c)};
    const std::size_t length = utf8_length(text, i);
    if (length == 0)
      throw Stop{at, {}, _("not UTF-8 text")};
    i += length;
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      at.column += static_cast<int>(length);
    }
  }
}

// Builds the tree from the parser's events, so that limits hold while reading and every key keeps
// its position (YAML::Node gives neither).
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, Diagnostics& diagnostics)
      : file_(file), diagnostics_(diagnostics) {}

  std::shared_ptr<Element> take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_ != nullptr)
      throw Stop{position(mark), {}, _("more than one document in one file")};
  }

  void OnDocumentEnd() override {
    if (root_ == nullptr)
      root_ = std::make_shared<Element>();
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(leaf(Element::Kind::Null, mark), anchor);
  }

  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    // "\0" and "\e" in a quoted scalar: the same reason as in require_text.
    if (std::any_of(value.begin(), value.end(), [](char c) {
          return is_control(static_cast<unsigned char>(c));
        }))
      throw Stop{position(mark), path(), _("control character in a value")};
    auto element = leaf(Element::Kind::Scalar, mark);
    element->text = value;
    element->plain = tag == "?";  // yaml-cpp's tag of an unquoted scalar
    add(std::move(element), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const std::shared_ptr<Element>& target = anchors_[anchor];
    if (target == nullptr || target->open)
      throw Stop{position(mark), path(), _("alias that contains itself")};
    check_limits(*target, position(mark));
    attach(target, position(mark), true);
  }

  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& /*tag*/,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(Element::Kind::Sequence, mark, anchor, style);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark,
                  const std::string& /*tag*/,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(Element::Kind::Map, mark, anchor, style);
  }

  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    std::shared_ptr<Element> element;
    std::optional<Element::Entry> pending;  // a key whose value comes next
    bool dropped = false;                   // the pending key is a duplicate
    std::set<std::string, std::less<>> seen;
    bool aliased = false;
  };

  std::string path() const {
    std::string out;
    for (const Frame& frame : frames_) {
      if (frame.element->kind == Element::Kind::Sequence)
        out = child_path(out, frame.element->items.size());
      else if (frame.pending)
        out = child_path(out, frame.pending->key);
    }
    return out;
  }

  bool expects_key() const {
    return !frames_.empty() && frames_.back().element->kind == Element::Kind::Map &&
           !frames_.back().pending;
  }

  static std::shared_ptr<Element> leaf(Element::Kind kind, const YAML::Mark& mark) {
    auto element = std::make_shared<Element>();
    element->kind = kind;
    element->line = position(mark).line;
    element->column = position(mark).column;
    return element;
  }

  void check_limits(const Element& added, Position at) {
    values_ += added.weight;
    if (values_ > kMaxValues)
      throw Stop{
          at, {}, fmt::format(fmt::runtime(_("more than {} values in a document")), kMaxValues)};
    if (static_cast<int>(frames_.size()) + added.height > kMaxDepth)
      throw Stop{
          at, {}, fmt::format(fmt::runtime(_("nested more than {} levels deep")), kMaxDepth)};
  }

  void add(std::shared_ptr<Element> element, YAML::anchor_t anchor) {
    const Position at{element->line, element->column};
    check_limits(*element, at);
    element->anchored = anchor != 0;
    if (element->anchored)
      anchors_[anchor] = element;
    attach(std::move(element), at, false);
  }

  void open(Element::Kind kind,
            const YAML::Mark& mark,
            YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    const Position at = position(mark);
    if (expects_key())
      throw Stop{at, path(), _("a key must be a single value")};
    auto element = leaf(kind, mark);
    element->flow = style == YAML::EmitterStyle::Flow;
    element->open = true;
    check_limits(*element, at);
    element->anchored = anchor != 0;
    if (element->anchored)
      anchors_[anchor] = element;
    Frame frame;
    frame.element = std::move(element);
    frames_.push_back(std::move(frame));
  }

  void close() {
    const std::shared_ptr<Element> element = std::move(frames_.back().element);
    frames_.pop_back();
    element->open = false;
    attach(element, {element->line, element->column}, false);
  }

  void attach(std::shared_ptr<Element> element, Position at, bool aliased) {
    if (frames_.empty()) {
      root_ = std::move(element);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.element->kind == Element::Kind::Map && !frame.pending) {
      begin_entry(frame, *element, at);
      return;
    }
    frame.element->weight += element->weight;
    frame.element->height = std::max(frame.element->height, element->height + 1);
    if (frame.element->kind == Element::Kind::Sequence) {
      frame.element->items.push_back(std::move(element));
      return;
    }
    frame.pending->value = std::move(element);
    frame.pending->aliased = aliased;
    if (!frame.dropped)
      frame.element->entries.push_back(std::move(*frame.pending));
    frame.pending.reset();
  }

  void begin_entry(Frame& frame, const Element& key, Position at) {
    if (key.kind != Element::Kind::Scalar)
      throw Stop{at, path(), _("a key must be a single value")};
    if (key.text.size() > kMaxKey)
      throw Stop{at, {}, _("key is too long")};
    frame.dropped = !frame.seen.insert(key.text).second;
    frame.pending = Element::Entry{key.text, at.line, at.column, false, nullptr};
    if (!frame.dropped)
      return;
    const Element::Entry* first = frame.element->find(key.text);
    diagnostics_.add({Severity::Error,
                      file_,
                      at.line,
                      at.column,
                      path(),
                      fmt::format(fmt::runtime(_("duplicate key (first on line {})")), first->line),
                      {}});
    if (++duplicates_ > 50)
      throw Stop{at, {}, _("too many duplicate keys")};
  }

  const std::string& file_;
  Diagnostics& diagnostics_;
  std::shared_ptr<Element> root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, std::shared_ptr<Element>> anchors_;
  std::size_t values_ = 0;
  int duplicates_ = 0;
};

// The line of the document that a message is about, short enough for one line of terminal.
std::string quoted_line(std::string_view text, int line) {
  for (int number = 1; number < line && !text.empty(); ++number) {
    const auto end = text.find('\n');
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  std::string_view found = text::trim(text.substr(0, text.find('\n')));
  if (found.empty())
    return {};
  std::string out;
  for (std::size_t i = 0; i < found.size() && out.size() < 60;) {
    const std::size_t length = std::max<std::size_t>(1, utf8_length(found, i));
    const auto c = static_cast<unsigned char>(found[i]);
    if (utf8_length(found, i) == 0 || is_control(c))
      out += '?';
    else if (c == '\t')
      out += "\\t";
    else
      out += found.substr(i, length);
    i += length;
  }
  return ": \"" + out + "\"";
}

}  // namespace

const Element::Entry* Element::find(std::string_view key) const {
  const auto found = std::find_if(
      entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::string child_path(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

std::string child_path(const std::string& parent, std::size_t index) {
  return parent + "[" + std::to_string(index) + "]";
}

std::shared_ptr<Element> read_tree(std::string_view text,
                                   const std::string& file,
                                   Diagnostics& diagnostics) {
  const auto fail = [&](Position at, std::string path, std::string message) {
    diagnostics.add(
        {Severity::Error, file, at.line, at.column, std::move(path), std::move(message), {}});
    return nullptr;
  };
  if (text.size() > kMaxBytes)
    return fail({}, {}, _("document of more than 4 MiB"));
  try {
    require_text(text);
    std::istringstream stream{std::string(text)};
    Builder builder(file, diagnostics);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    auto root = builder.take();
    return root != nullptr ? root : std::make_shared<Element>();
  } catch (const Stop& stop) {
    return fail(stop.at, stop.path, stop.message + quoted_line(text, stop.at.line));
  } catch (const YAML::Exception& error) {
    const Position at = position(error.mark);
    return fail(at, {}, error.msg + quoted_line(text, at.line));
  }
}

}  // namespace las::document
