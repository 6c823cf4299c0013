// SPDX-License-Identifier: Apache-2.0
#include "page_check.hpp"

#include "page_format.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace las::state::lmdb {

using namespace format;

namespace {

/// Walks what a snapshot consists of.
class Snapshot {
 public:
  /// Whole: each page has one use, and the counts of records are right. Parts: what is followed
  /// is sound.
  enum class Extent { Whole, Parts };
  enum class Content { FreePages, Tables, Records };

  Snapshot(int file, const Meta& meta, Extent extent)
      : file_(file), meta_(meta), page_size_(meta.page_size()) {
    if (extent == Extent::Whole)
      used_.resize(meta.last_page + 1);
  }

  void check() {
    check_tree(meta_.free, Content::FreePages);
    check_tree(meta_.main, Content::Tables);
  }

  /// The pages on the way to `key`, to the last record without one, and the record. Gives what the
  /// page holds of it, if it is there.
  std::optional<std::string> follow(const Database& tree,
                                    Content content,
                                    std::optional<std::string_view> key) {
    check_depth(tree, 0);
    if (tree.root == kNoPage)
      return std::nullopt;
    std::vector<Page> path;  // the bounds lie in the pages above
    path.reserve(tree.depth);
    Bound low, high;
    PageNumber from = 0, page = tree.root;
    for (std::uint16_t level = tree.depth; level > 1; --level) {
      path.push_back(load_page(from, page, level, content, low, high));
      const std::vector<Node>& nodes = path.back().nodes;
      std::size_t chosen = nodes.size() - 1;
      while (key && chosen > 0 && less(*key, nodes[chosen].key, content))
        --chosen;
      if (chosen > 0)
        low = nodes[chosen].key;
      if (chosen + 1 < nodes.size())
        high = nodes[chosen + 1].key;
      from = std::exchange(page, nodes[chosen].child());
    }
    const Page leaf = load_page(from, page, 1, content, low, high);
    for (const Node& node : leaf.nodes) {
      if (key ? node.key != *key : &node != &leaf.nodes.back())
        continue;
      check_record(page, node, content, Within::No);
      return std::string(node.data);
    }
    return std::nullopt;
  }

  /// Every page and record of a tree, without those of the tables that its records are.
  void check_alone(const Database& tree, Content content) {
    check_tree(tree, content, 0, Within::No);
  }

 private:
  enum class Within { No, Yes };  ///< whether the tables that are records are looked into
  using Bound = std::optional<std::string_view>;

  struct Node {
    std::string_view key, data;  ///< of a leaf: what lies in the page itself
    NodeHeader header;
    std::size_t size;  ///< of it all in its page

    std::size_t data_size() const { return header.low | std::size_t{header.high} << 16; }

    /// Of a branch: 48 bits, where a page number has that many.
    PageNumber child() const {
      if constexpr (sizeof(PageNumber) > 4)
        return data_size() | PageNumber{header.flags} << 32;
      else
        return data_size();
    }
  };

  struct Page {
    std::string bytes;  ///< what the nodes look into
    std::vector<Node> nodes;
  };

  /// Each page belongs to one tree, or to the free ones, once.
  void claim(PageNumber from, PageNumber first, std::size_t count = 1) {
    if (first < kMetas || first > meta_.last_page || count > meta_.last_page - first + 1)
      fault(from, fmt::format(fmt::runtime(_("it names page {}, which is not there")), first));
    if (used_.empty())
      return;
    for (PageNumber page = first; page < first + count; ++page) {
      if (used_[page])
        fault(from, fmt::format(fmt::runtime(_("it names page {}, which has another use")), page));
      used_[page] = true;
    }
  }

  static void check_depth(const Database& tree, PageNumber from) {
    if (tree.root == kNoPage ? tree.depth != 0 : tree.depth == 0 || tree.depth > kDeepest)
      fault(from, _("the depth of a tree is absurd"));
  }

  void check_tree(const Database& tree,
                  Content content,
                  PageNumber from = 0,
                  Within within = Within::Yes) {
    entries_ = 0;
    check_depth(tree, from);
    if (tree.root != kNoPage)
      check_page(from, tree.root, tree.depth, content, within, {}, {});
    if (entries_ != tree.entries)
      fault(from,
            fmt::format(
                fmt::runtime(_("a tree has {} records instead of {}")), entries_, tree.entries));
  }

  /// A page of a tree whose keys lie in [low, high), with what it names still unseen.
  Page load_page(PageNumber from,
                 PageNumber page,
                 std::uint16_t level,
                 Content content,
                 Bound low,
                 Bound high) {
    claim(from, page);
    const bool leaf = level == 1;
    Page loaded{read_page(file_, page, page_size_, page_size_), {}};
    const std::string& bytes = loaded.bytes;
    const auto header = load<PageHeader>(bytes);
    if (header.number != page)
      fault(page, fmt::format(fmt::runtime(_("it bears the number {}")), header.number));
    if (header.flags != (leaf ? kLeafPage : kBranchPage))
      fault(page, _("it is of another kind than its place in the tree"));
    if (header.lower < sizeof header || header.lower % 2 != 0 || header.lower > header.upper ||
        header.upper > page_size_)
      fault(page, _("its bounds contradict each other"));
    const std::size_t count = (header.lower - sizeof header) / 2;
    // The tree of free pages may for a time have branches of a single page (ITS#8336).
    if (count < (leaf || content == Content::FreePages ? 1U : 2U))
      fault(page, _("it has too few records"));

    std::vector<Node>& nodes = loaded.nodes;
    nodes.reserve(count);
    std::size_t taken = 0;
    for (std::size_t i = 0; i < count; ++i) {
      nodes.push_back(node_of(page, bytes, header, i, leaf));
      taken += nodes.back().size;
    }
    if (taken != page_size_ - header.upper)
      fault(page, _("its records overlap"));
    // The first key of a branch stands for "anything below the second".
    const std::size_t first = leaf ? 0 : 1;
    for (std::size_t i = first; i < count; ++i) {
      const std::string_view key = nodes[i].key;
      check_key(page, key, content);
      const bool above =
          i == first ? !low || !less(key, *low, content) : less(nodes[i - 1].key, key, content);
      if (!above || (high && !less(key, *high, content)))
        fault(page, _("its records are not in order"));
    }
    return loaded;
  }

  /// It and everything below it.
  void check_page(PageNumber from,
                  PageNumber page,
                  std::uint16_t level,
                  Content content,
                  Within within,
                  Bound low,
                  Bound high) {
    const Page loaded = load_page(from, page, level, content, low, high);
    const std::vector<Node>& nodes = loaded.nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (level == 1) {
        ++entries_;
        check_record(page, nodes[i], content, within);
      } else {
        check_page(page,
                   nodes[i].child(),
                   static_cast<std::uint16_t>(level - 1),
                   content,
                   within,
                   i == 0 ? low : Bound(nodes[i].key),
                   i + 1 == nodes.size() ? high : Bound(nodes[i + 1].key));
      }
    }
  }

  Node node_of(PageNumber page,
               std::string_view bytes,
               const PageHeader& header,
               std::size_t index,
               bool leaf) const {
    const auto offset = load<std::uint16_t>(bytes, sizeof header + 2 * index);
    Node node{};
    if (offset < header.upper || offset % 2 != 0 || offset + sizeof node.header > page_size_)
      fault(page, _("a record lies outside its page"));
    node.header = load<NodeHeader>(bytes, offset);
    std::size_t inline_size = 0;
    if (leaf) {
      inline_size =
          (node.header.flags & kOnOverflowPages) != 0 ? sizeof(PageNumber) : node.data_size();
    }
    node.size = sizeof node.header + node.header.key_size + inline_size;
    if (offset + node.size > page_size_)
      fault(page, _("a record reaches beyond its page"));
    node.size += node.size % 2;
    node.key = bytes.substr(offset + sizeof node.header, node.header.key_size);
    node.data = bytes.substr(offset + sizeof node.header + node.header.key_size, inline_size);
    return node;
  }

  static void check_key(PageNumber page, std::string_view key, Content content) {
    const bool fits = content == Content::FreePages ? key.size() == sizeof(std::size_t)
                                                    : !key.empty() && key.size() <= kLongestKey;
    if (!fits)
      fault(page, _("the key of a record has an impossible length"));
  }

  static bool less(std::string_view a, std::string_view b, Content content) {
    if (content == Content::FreePages)
      return load<std::size_t>(a) < load<std::size_t>(b);
    return a < b;
  }

  void check_record(PageNumber page, const Node& node, Content content, Within within) {
    if (content == Content::Tables) {
      if (node.header.flags != kNamedTable || node.data.size() != sizeof(Database))
        fault(page, _("one of the tables is none"));
      const auto table = load<Database>(node.data);
      if (table.flags != 0)
        fault(page, _("a tree of an unknown kind"));
      if (within == Within::No)
        return;
      const std::size_t tables = entries_;
      check_tree(table, Content::Records, page);
      entries_ = tables;
      return;
    }
    if ((node.header.flags & ~kOnOverflowPages) != 0)
      fault(page, _("a record of an unknown kind"));
    const bool elsewhere = (node.header.flags & kOnOverflowPages) != 0;
    if (elsewhere)
      check_overflow(page, node);
    if (content == Content::FreePages) {
      if (load<std::size_t>(node.key) > meta_.transaction)
        fault(page, _("it frees pages in the future"));
      check_free_pages(page,
                       elsewhere ? read_page(file_,
                                             load<PageNumber>(node.data),
                                             page_size_,
                                             sizeof(PageHeader) + node.data_size())
                                       .substr(sizeof(PageHeader))
                                 : std::string(node.data));
    }
  }

  void check_overflow(PageNumber page, const Node& node) {
    const auto first = load<PageNumber>(node.data);
    claim(page, first);
    const std::string bytes = read_page(file_, first, page_size_, sizeof(PageHeader));
    const auto header = load<PageHeader>(bytes);
    const std::size_t pages = load<std::uint32_t>(bytes, offsetof(PageHeader, lower));
    const std::size_t size = sizeof header + node.data_size();
    if (header.number != first || header.flags != kOverflowPage || pages == 0 ||
        size > pages * page_size_)
      fault(first, _("it does not hold the record that is said to be there"));
    if (pages > 1)
      claim(page, first + 1, pages - 1);
    read_page(file_, first + (size - 1) / page_size_, page_size_, (size - 1) % page_size_ + 1);
  }

  /// MDB_IDL: the count, then page numbers, the highest first.
  void check_free_pages(PageNumber page, std::string_view list) {
    constexpr std::size_t kEach = sizeof(PageNumber);
    if (list.size() < kEach || list.size() % kEach != 0 ||
        load<std::size_t>(list) >= list.size() / kEach)
      fault(page, _("a list of free pages is damaged"));
    PageNumber before = kNoPage;
    for (std::size_t i = 1; i <= load<std::size_t>(list); ++i) {
      const auto free = load<PageNumber>(list, i * kEach);
      if (free >= before)
        fault(page, _("a list of free pages is damaged"));
      claim(page, free);
      before = free;
    }
  }

  int file_;
  const Meta& meta_;
  std::size_t page_size_;
  std::vector<bool> used_;   ///< empty where only parts are looked at
  std::size_t entries_ = 0;  ///< of the tree that is being walked
};

}  // namespace

void check_metas(int file) {
  // A writer of another process may be in the middle of the older one.
  constexpr int kAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    try {
      const auto metas = read_metas(file);
      if (!known_version(metas))
        return;
      check_meta(metas[1], 1);
      const auto [a, b] = std::pair(metas[0].transaction, metas[1].transaction);
      if (metas[0].page_size() != metas[1].page_size() || (a > b ? a - b : b - a) > 1)
        fault(1, _("the two heads of the database contradict each other"));
      return;
    } catch (const PageFault&) {
      if (attempt == kAttempts)
        throw;
      std::this_thread::yield();
    }
  }
}

bool check_pages(int file, std::size_t snapshot) {
  const auto metas = read_metas(file);
  if (!known_version(metas))
    return true;
  const Meta& meta = metas[snapshot & 1];
  if (meta.transaction != snapshot)
    return false;
  try {
    Snapshot(file, meta, Snapshot::Extent::Whole).check();
  } catch (const PageFault&) {
    if (read_metas(file)[snapshot & 1].transaction != snapshot)
      return false;
    throw;
  }
  return true;
}

std::size_t pages_of(int file) {
  const auto metas = read_metas(file);
  return std::max(metas[0].last_page, metas[1].last_page) + 1;
}

// ---- FollowedPages

struct FollowedPages::Body {
  Body(int file, const Meta& head) : meta(head), pages(file, meta, Snapshot::Extent::Parts) {}

  /// Nothing where there is no such table.
  std::optional<Database> table(std::string_view name) {
    const auto found = pages.follow(meta.main, Snapshot::Content::Tables, name);
    return found ? std::optional(load<Database>(*found)) : std::nullopt;
  }

  const Meta meta;
  Snapshot pages;
  std::set<std::string, std::less<>> whole;  ///< tables that were looked through
};

std::unique_ptr<FollowedPages> FollowedPages::of(int file, std::size_t snapshot) {
  constexpr int kAttempts = 10;
  for (int attempt = 1;; ++attempt) {
    try {
      const Meta meta = read_metas(file)[snapshot & 1];
      if (meta.transaction != snapshot)
        return nullptr;
      check_meta(meta, snapshot & 1);
      auto body = std::make_unique<Body>(file, meta);
      // LMDB reads of each table what the tree of tables says, whichever is asked for first.
      body->pages.check_alone(meta.main, Snapshot::Content::Tables);
      return std::unique_ptr<FollowedPages>(new FollowedPages(std::move(body)));
    } catch (const PageFault&) {
      // A writer of another process may be in the middle of the older head.
      if (attempt == kAttempts)
        throw;
      std::this_thread::yield();
    }
  }
}

FollowedPages::FollowedPages(std::unique_ptr<Body> body) : body_(std::move(body)) {}

FollowedPages::~FollowedPages() = default;

void FollowedPages::to(std::string_view table, std::string_view key) {
  if (body_->whole.contains(table))
    return;
  if (const auto tree = body_->table(table))
    body_->pages.follow(*tree, Snapshot::Content::Records, key);
}

void FollowedPages::to_last(std::string_view table) {
  if (body_->whole.contains(table))
    return;
  if (const auto tree = body_->table(table))
    body_->pages.follow(*tree, Snapshot::Content::Records, std::nullopt);
}

void FollowedPages::to_all(std::string_view table) {
  if (!body_->whole.emplace(table).second)
    return;
  if (const auto tree = body_->table(table))
    body_->pages.check_alone(*tree, Snapshot::Content::Records);
}

}  // namespace las::state::lmdb
