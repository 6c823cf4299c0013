// SPDX-License-Identifier: Apache-2.0
#include "las/document/node.hpp"

#include "tree.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace las::document {

namespace {

// After so many faults of one document nobody reads on, and a hostile document costs no more.
constexpr int kMaxFaults = 100;

struct Document {
  std::string file;
  Diagnostics* diagnostics;
  std::shared_ptr<const Element> root;
  int faults = 0;

  bool full() const { return faults > kMaxFaults; }

  void add(Severity severity,
           const std::string& path,
           int line,
           int column,
           std::string message,
           std::string suggestion) {
    Diagnostic diagnostic{
        severity, file, line, column, path, std::move(message), std::move(suggestion)};
    const auto& known = diagnostics->items();
    // Two accessors on one node (keys() after allow_only()) find the same fault: say it once.
    if (full() || std::find(known.begin(), known.end(), diagnostic) != known.end())
      return;
    if (++faults > kMaxFaults)
      diagnostic = {severity, file, 0, 0, {}, _("more faults, not listed"), {}};
    diagnostics->add(std::move(diagnostic));
  }
};

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// A value as a message shows it: foreign text, so of limited length.
std::string shown(const std::string& text) {
  constexpr std::size_t kLength = 60;
  if (text.size() <= kLength)
    return text;
  std::size_t end = kLength;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;  // not within a UTF-8 sequence
  return text.substr(0, end) + "…";
}

std::string suggest(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? std::string()
                         : fmt::format(fmt::runtime(_("did you mean '{}'?")), nearest);
}

}  // namespace

struct Node::Data {
  std::shared_ptr<Document> document;
  const Element* element = nullptr;  // null: absent
  std::string path;
  int line = 0, column = 0;  // of the value; of the parent where the key is absent
};

bool Node::present() const {
  return data_ != nullptr && data_->element != nullptr &&
         data_->element->kind != Element::Kind::Null;
}

bool Node::is_map() const {
  return present() && data_->element->kind == Element::Kind::Map;
}

bool Node::is_sequence() const {
  return present() && data_->element->kind == Element::Kind::Sequence;
}

bool Node::is_scalar() const {
  return present() && data_->element->kind == Element::Kind::Scalar;
}

const std::string& Node::key_path() const {
  static const std::string kNone;
  return data_ != nullptr ? data_->path : kNone;
}

int Node::line() const {
  return data_ != nullptr ? data_->line : 0;
}

int Node::column() const {
  return data_ != nullptr ? data_->column : 0;
}

Node Node::operator[](std::string_view key) const {
  if (data_ == nullptr)
    return {};
  auto child = std::make_shared<Data>();
  child->document = data_->document;
  child->path = child_path(data_->path, key);
  child->line = data_->line;
  child->column = data_->column;
  if (is_map()) {
    if (const Element::Entry* entry = data_->element->find(key)) {
      const Element& value = *entry->value;
      child->element = &value;
      // An empty value has no position of its own.
      const bool at_key = value.kind == Element::Kind::Null || value.line == 0;
      child->line = at_key ? entry->line : value.line;
      child->column = at_key ? entry->column : value.column;
    }
  }
  return Node(std::move(child));
}

std::vector<Node> Node::items() const {
  std::vector<Node> out;
  if (!present())
    return out;
  if (!is_sequence()) {
    fault(_("must be a list"));
    return out;
  }
  for (const auto& item : data_->element->items) {
    auto child = std::make_shared<Data>();
    child->document = data_->document;
    child->element = item.get();
    child->path = child_path(data_->path, out.size());
    child->line = item->line;
    child->column = item->column;
    out.push_back(Node(std::move(child)));
  }
  return out;
}

std::vector<std::string> Node::keys() const {
  std::vector<std::string> out;
  if (!present())
    return out;
  if (!is_map()) {
    fault(_("must be a map"));
    return out;
  }
  for (const Element::Entry& entry : data_->element->entries)
    out.push_back(entry.key);
  return out;
}

void Node::allow_only(const std::vector<std::string>& allowed) const {
  if (!present())
    return;
  if (!is_map()) {
    fault(_("must be a map"));
    return;
  }
  for (const Element::Entry& entry : data_->element->entries) {
    if (entry.key.starts_with("x-") ||
        std::find(allowed.begin(), allowed.end(), entry.key) != allowed.end())
      continue;
    if (data_->document->full())
      return;
    data_->document->add(Severity::Error,
                         child_path(data_->path, entry.key),
                         entry.line,
                         entry.column,
                         _("unknown key"),
                         suggest(entry.key, allowed));
  }
}

std::optional<std::string> Node::string() const {
  if (!present())
    return std::nullopt;
  if (!is_scalar()) {
    fault(_("must be a single value"));
    return std::nullopt;
  }
  return data_->element->text;
}

std::optional<long long> Node::integer() const {
  const auto text = string();
  if (!text)
    return std::nullopt;
  auto value = parse_number<long long>(*text);
  if (!value)
    fault(fmt::format(fmt::runtime(_("'{}' is not a whole number")), shown(*text)));
  return value;
}

std::optional<double> Node::number() const {
  const auto text = string();
  if (!text)
    return std::nullopt;
  auto value = parse_number<double>(*text);
  if (!value || !std::isfinite(*value)) {
    fault(fmt::format(fmt::runtime(_("'{}' is not a number")), shown(*text)));
    return std::nullopt;
  }
  return value;
}

std::optional<bool> Node::boolean() const {
  const auto text = string();
  if (!text)
    return std::nullopt;
  const std::string word = text::lower(*text);
  if (word == "true")
    return true;
  if (word == "false")
    return false;
  const bool yes = word == "yes" || word == "on" || word == "1";
  const bool no = word == "no" || word == "off" || word == "0";
  const std::string meant = yes ? "true" : no ? "false" : "";
  fault(fmt::format(fmt::runtime(_("'{}' is neither true nor false")), shown(*text)),
        meant.empty() ? meant : fmt::format(fmt::runtime(_("did you mean '{}'?")), meant));
  return std::nullopt;
}

std::optional<ByteSize> Node::size() const {
  const auto text = string();
  if (!text)
    return std::nullopt;
  const auto value = ByteSize::parse(*text);
  if (!value)
    fault(fmt::format(fmt::runtime(_("'{}' is not a size")), shown(*text)),
          _("write it like 16GB"));
  return value;
}

std::vector<std::string> Node::strings() const {
  std::vector<std::string> out;
  if (!present())
    return out;
  if (is_scalar())
    return {data_->element->text};
  if (!is_sequence()) {
    fault(_("must be a list"));
    return out;
  }
  for (const Node& item : items()) {
    if (item.is_scalar())
      out.push_back(item.data_->element->text);
    else
      item.fault(_("must be a single value"));
  }
  return out;
}

std::optional<std::string> Node::one_of(const std::vector<std::string>& allowed) const {
  const auto text = string();
  if (!text)
    return std::nullopt;
  if (std::find(allowed.begin(), allowed.end(), *text) != allowed.end())
    return text;
  std::string suggestion = suggest(shown(*text), allowed);
  fault(fmt::format(
            fmt::runtime(_("'{}' is not one of {}")), shown(*text), text::join(allowed, ", ")),
        std::move(suggestion));
  return std::nullopt;
}

std::string Node::required_string() const {
  if (!present()) {
    fault(data_ != nullptr && data_->element != nullptr ? _("missing value") : _("missing key"));
    return {};
  }
  return string().value_or(std::string());
}

void Node::fault(std::string message, std::string suggestion) const {
  if (data_ != nullptr)
    data_->document->add(Severity::Error,
                         data_->path,
                         data_->line,
                         data_->column,
                         std::move(message),
                         std::move(suggestion));
}

void Node::warn(std::string message, std::string suggestion) const {
  if (data_ != nullptr)
    data_->document->add(Severity::Warning,
                         data_->path,
                         data_->line,
                         data_->column,
                         std::move(message),
                         std::move(suggestion));
}

Node parse(std::string_view text, std::string file, Diagnostics& diagnostics) {
  auto root = read_tree(text, file, diagnostics);
  if (root == nullptr)
    return {};
  auto document = std::make_shared<Document>();
  document->file = std::move(file);
  document->diagnostics = &diagnostics;
  document->root = std::move(root);
  auto data = std::make_shared<Node::Data>();
  data->element = document->root.get();
  data->line = document->root->line;
  data->column = document->root->column;
  data->document = std::move(document);
  return Node(std::move(data));
}

}  // namespace las::document
