// SPDX-License-Identifier: Apache-2.0
#include "tree.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"
#include "las/document/node.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace las::document {

namespace {

using Lines = std::vector<std::string>;

[[noreturn]] void refuse(std::string why, std::string_view dotted_key) {
  throw Error(ErrorKind::InvalidData, std::move(why), std::string(dotted_key))
      .hint(_("edit the file by hand"));
}

// "a.b" or, for a name with dots in it, a."b.c".d
std::vector<std::string> split_key(std::string_view dotted) {
  std::vector<std::string> parts;
  std::string_view rest = dotted;
  const auto wrong = [&] {
    return Error(ErrorKind::Usage, _("not a key like section.name"), std::string(dotted));
  };
  while (true) {
    const bool quoted = rest.starts_with('"');
    if (quoted)
      rest.remove_prefix(1);
    const auto end = rest.find(quoted ? '"' : '.');
    if (quoted && end == std::string_view::npos)
      throw wrong();
    parts.emplace_back(rest.substr(0, end));
    if (parts.back().empty() || parts.back().size() > kMaxKey)
      throw wrong();
    if (end == std::string_view::npos)
      return parts;
    rest.remove_prefix(quoted ? end + 1 : end);
    if (rest.empty())
      return parts;
    if (rest[0] != '.')
      throw wrong();
    rest.remove_prefix(1);
  }
}

std::shared_ptr<Element> read_or_throw(std::string_view text) {
  Diagnostics diagnostics;
  auto root = read_tree(text, {}, diagnostics);
  diagnostics.throw_if_errors(_("the file has errors and cannot be changed"));
  return root;
}

// The scalar that `text` is, when it stands alone after a key; nothing if it is anything else.
std::optional<std::string> plain_meaning(const std::string& text) {
  Diagnostics diagnostics;
  const auto root = read_tree("k: " + text + "\n", {}, diagnostics);
  if (diagnostics.has_errors() || root->kind != Element::Kind::Map || root->entries.size() != 1 ||
      root->entries[0].value->kind != Element::Kind::Scalar || !root->entries[0].value->plain)
    return std::nullopt;
  return root->entries[0].value->text;
}

std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    switch (c) {
      case '"':
      case '\\':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

std::string render(const std::string& value) {
  if (value.find_first_of("\r\n\t") == std::string::npos && plain_meaning(value) == value)
    return value;
  return quoted(value);
}

std::string render_key(const std::string& key) {
  const bool simple = std::all_of(key.begin(), key.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
  return simple && key[0] != '-' && plain_meaning(key) == key ? key : render(key);
}

bool is_blank_or_comment(std::string_view line) {
  const auto trimmed = text::trim(line);
  return trimmed.empty() || trimmed[0] == '#';
}

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// The column (from 0) just behind "key:", or npos if the line does not read like that.
std::size_t after_colon(const std::string& line, const Element::Entry& entry) {
  auto at = static_cast<std::size_t>(entry.column - 1);
  if (at >= line.size() || indent_of(line) != at)
    return std::string::npos;
  for (const std::string& spelled : {entry.key, '"' + entry.key + '"', '\'' + entry.key + '\''}) {
    if (line.compare(at, spelled.size(), spelled) != 0)
      continue;
    const auto colon = line.find_first_not_of(' ', at + spelled.size());
    if (colon != std::string::npos && line[colon] == ':')
      return colon + 1;
  }
  return std::string::npos;
}

// Where the single-line scalar that starts at `begin` ends, or npos.
std::size_t scalar_end(const std::string& line, std::size_t begin) {
  if (begin >= line.size() || line[begin] == '#')
    return begin;  // an empty value
  if (line[begin] == '"' || line[begin] == '\'') {
    const char quote = line[begin];
    for (std::size_t i = begin + 1; i < line.size(); ++i) {
      if (quote == '"' && line[i] == '\\')
        ++i;
      else if (line[i] == quote && quote == '\'' && i + 1 < line.size() && line[i + 1] == quote)
        ++i;
      else if (line[i] == quote)
        return i + 1;
    }
    return std::string::npos;
  }
  if (std::string_view("&*!|>{[").find(line[begin]) != std::string_view::npos)
    return std::string::npos;
  std::size_t end = line.find(" #", begin);
  if (end == std::string::npos)
    end = line.size();
  while (end > begin && (line[end - 1] == ' ' || line[end - 1] == '\r'))
    --end;
  return end;
}

// One past the last line that belongs to `map` (lines from 0).
std::size_t end_of_map(const Lines& lines, const Element& map) {
  const Element::Entry& last = map.entries.back();
  const auto indent = static_cast<std::size_t>(last.column - 1);
  auto end = static_cast<std::size_t>(last.line);
  for (std::size_t i = end; i < lines.size(); ++i) {
    if (is_blank_or_comment(lines[i])) {
      if (!text::trim(lines[i]).empty() && indent_of(lines[i]) <= indent)
        break;  // a comment on what follows
      continue;
    }
    const std::size_t here = indent_of(lines[i]);
    if (here < indent || (here == indent && !lines[i].substr(here).starts_with("- ")))
      break;
    end = i + 1;
  }
  return end;
}

class Editor {
 public:
  Editor(std::string_view document, std::string_view dotted_key)
      : document_(document), dotted_key_(dotted_key), parts_(split_key(dotted_key)) {
    root_ = read_or_throw(document);
    lines_ = text::split(document, '\n');
    if (!lines_.empty() && lines_.back().empty())
      lines_.pop_back();
    if (!lines_.empty() && lines_[0].ends_with('\r'))
      line_end_ = "\r";
  }

  std::string run(const std::optional<std::string>& value) {
    find_deepest();
    if (depth_ == parts_.size())
      value ? replace(*value) : remove();
    else if (value)
      insert(*value);
    else
      return std::string(document_);
    std::string result = text::join(lines_, "\n");
    if (!result.empty())
      result += "\n";
    prove(result, value);
    return result;
  }

 private:
  // Follows the key as far as it exists.
  void find_deepest() {
    const Element* here = root_.get();
    for (const std::string& part : parts_) {
      if (here->kind == Element::Kind::Null)
        break;
      if (here->kind != Element::Kind::Map)
        refuse(_("a part of the key is a value, not a section"), dotted_key_);
      if (here->flow)
        refuse(_("the section is written in braces on one line"), dotted_key_);
      map_ = here;
      const Element::Entry* entry = here->find(part);
      if (entry == nullptr)
        return;
      if (entry->aliased || entry->value->anchored)
        refuse(_("the value is shared through an anchor"), dotted_key_);
      entry_ = entry;
      ++depth_;
      here = entry->value.get();
      if (here->kind != Element::Kind::Map)
        map_ = nullptr;
    }
  }

  std::string& line_of(const Element::Entry& entry) {
    return lines_.at(static_cast<std::size_t>(entry.line - 1));
  }

  void replace(const std::string& value) {
    if (entry_->value->kind != Element::Kind::Scalar && entry_->value->kind != Element::Kind::Null)
      refuse(_("the key holds a list or a section, not a single value"), dotted_key_);
    std::string& line = line_of(*entry_);
    const std::size_t colon = after_colon(line, *entry_);
    if (colon == std::string::npos)
      refuse(_("the line of the key cannot be changed safely"), dotted_key_);
    const std::size_t begin = std::min(line.find_first_not_of(" \r", colon), line.size());
    const std::size_t end = scalar_end(line, begin);
    if (end == std::string::npos)
      refuse(_("the value takes several lines or has a tag"), dotted_key_);
    const std::string rest(text::trim(std::string_view(line).substr(end)));
    const bool understood =
        !entry_->value->plain || line.substr(begin, end - begin) == entry_->value->text;
    if (!understood || (!rest.empty() && rest[0] != '#'))
      refuse(_("the line of the key cannot be changed safely"), dotted_key_);
    const std::size_t gap =
        rest.empty() || end <= begin ? 1 : std::max<std::size_t>(1, line.find('#', end) - end);
    line = line.substr(0, colon) + " " + render(value) +
           (rest.empty() ? std::string() : std::string(gap, ' ') + rest) + line_end_;
  }

  void remove() {
    if (entry_->value->kind != Element::Kind::Scalar && entry_->value->kind != Element::Kind::Null)
      refuse(_("the key holds a list or a section, not a single value"), dotted_key_);
    if (after_colon(line_of(*entry_), *entry_) == std::string::npos)
      refuse(_("the line of the key cannot be changed safely"), dotted_key_);
    lines_.erase(lines_.begin() + (entry_->line - 1));
  }

  void insert(const std::string& value) {
    std::size_t indent = 0;
    std::size_t at = lines_.size();
    if (map_ != nullptr) {
      indent = static_cast<std::size_t>(map_->entries.front().column - 1);
      at = end_of_map(lines_, *map_);
    } else if (entry_ != nullptr) {  // "section:" with nothing below it yet
      indent = static_cast<std::size_t>(entry_->column - 1) + 2;
      at = static_cast<std::size_t>(entry_->line);
    }
    Lines added;
    for (std::size_t i = depth_; i < parts_.size(); ++i, indent += 2) {
      std::string line = std::string(indent, ' ') + render_key(parts_[i]) + ":";
      if (i + 1 == parts_.size())
        line += " " + render(value);
      added.push_back(line + line_end_);
    }
    lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(at), added.begin(), added.end());
  }

  // Lines were edited as text, so the proof is in reading them again: the wanted change and no
  // other.
  void prove(const std::string& result, const std::optional<std::string>& value) {
    Diagnostics diagnostics;
    const auto changed = read_tree(result, {}, diagnostics);
    apply(root_, 0, value);
    if (diagnostics.has_errors() || !same(*root_, *changed))
      refuse(_("the file cannot be changed safely"), dotted_key_);
  }

  void apply(std::shared_ptr<Element>& here,
             std::size_t depth,
             const std::optional<std::string>& value) {
    if (depth == parts_.size()) {
      here = std::make_shared<Element>();
      here->kind = Element::Kind::Scalar;
      here->text = *value;
      return;
    }
    here->kind = Element::Kind::Map;
    auto& entries = here->entries;
    auto found = std::find_if(entries.begin(), entries.end(), [&](const Element::Entry& entry) {
      return entry.key == parts_[depth];
    });
    if (!value && depth + 1 == parts_.size()) {
      entries.erase(found);
      if (entries.empty())
        here->kind = Element::Kind::Null;
      return;
    }
    if (found == entries.end())
      found = entries.insert(found, {parts_[depth], 0, 0, false, std::make_shared<Element>()});
    apply(found->value, depth + 1, value);
  }

  static bool same(const Element& a, const Element& b) {
    const auto same_items = [](const auto& x, const auto& y) { return same(*x, *y); };
    const auto same_entries = [](const Element::Entry& x, const Element::Entry& y) {
      return x.key == y.key && same(*x.value, *y.value);
    };
    return a.kind == b.kind && a.text == b.text &&
           std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same_items) &&
           std::equal(a.entries.begin(),
                      a.entries.end(),
                      b.entries.begin(),
                      b.entries.end(),
                      same_entries);
  }

  std::string_view document_, dotted_key_;
  std::vector<std::string> parts_;
  std::shared_ptr<Element> root_;
  Lines lines_;
  std::string line_end_;
  std::size_t depth_ = 0;                  // how many parts exist
  const Element::Entry* entry_ = nullptr;  // the last existing one
  const Element* map_ = nullptr;           // the section that gets the new key
};

/// Every scalar quoted: to Node the quotes mean nothing.
void write_flow(const Element& element, std::string& out) {
  const char* separator = "";
  switch (element.kind) {
    case Element::Kind::Null:
      out += "null";
      break;
    case Element::Kind::Scalar:
      out += quoted(element.text);
      if (out.size() > kMaxBytes)
        throw Error(ErrorKind::InvalidData, _("too large once its aliases are written out"));
      break;
    case Element::Kind::Sequence:
      out += '[';
      for (const auto& item : element.items) {
        out += separator;
        write_flow(*item, out);
        separator = ", ";
      }
      out += ']';
      break;
    case Element::Kind::Map:
      out += '{';
      for (const Element::Entry& entry : element.entries) {
        out += separator + quoted(entry.key) + ": ";
        write_flow(*entry.value, out);
        separator = ", ";
      }
      out += '}';
      break;
  }
}

}  // namespace

std::string keep_items(std::string_view document,
                       std::string_view list,
                       std::string_view member,
                       const std::function<bool(const std::string&)>& keep) {
  const auto root = read_or_throw(document);
  const auto leaves = [&](const std::shared_ptr<Element>& item) {
    const Element::Entry* entry = item->find(member);
    return entry != nullptr && entry->value->kind == Element::Kind::Scalar &&
           !keep(entry->value->text);
  };
  for (Element::Entry& entry : root->entries) {
    if (entry.key != list)
      continue;
    entry.value = std::make_shared<Element>(*entry.value);  // an alias may share it
    std::erase_if(entry.value->items, leaves);
  }
  std::string out;
  write_flow(*root, out);
  return out + "\n";
}

std::string edit_scalar(std::string_view document,
                        std::string_view dotted_key,
                        const std::optional<std::string>& value) {
  return Editor(document, dotted_key).run(value);
}

}  // namespace las::document
