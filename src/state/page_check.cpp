// SPDX-License-Identifier: Apache-2.0
#include "page_check.hpp"

#include "lmdb.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

namespace las::state::lmdb {

namespace {

// ---- The format, with the names of mdb.c beside ours.

using PageNumber = std::size_t;  // pgno_t

constexpr std::uint32_t kMagic = 0xBEEFC0DE;      // MDB_MAGIC
constexpr std::uint32_t kVersion = 1;             // MDB_DATA_VERSION
constexpr PageNumber kMetas = 2;                  // NUM_METAS
constexpr PageNumber kNoPage = ~PageNumber{0};    // P_INVALID
constexpr std::uint16_t kBranchPage = 0x01;       // P_BRANCH
constexpr std::uint16_t kLeafPage = 0x02;         // P_LEAF
constexpr std::uint16_t kOverflowPage = 0x04;     // P_OVERFLOW
constexpr std::uint16_t kMetaPage = 0x08;         // P_META
constexpr std::uint16_t kOnOverflowPages = 0x01;  // F_BIGDATA
constexpr std::uint16_t kNamedTable = 0x02;       // F_SUBDATA
constexpr std::uint16_t kIntegerKeys = 0x08;      // MDB_INTEGERKEY
constexpr std::uint16_t kDeepest = 32;            // CURSOR_STACK
constexpr std::size_t kLongestKey = 511;          // MDB_MAXKEYSIZE
constexpr std::uint32_t kSmallestPage = 0x200;    // below it not even the limits of keys hold
constexpr std::uint32_t kLargestPage = 0x8000;    // MAX_PAGESIZE

struct Database {  // MDB_db
  std::uint32_t pad;
  std::uint16_t flags, depth;
  PageNumber branch_pages, leaf_pages, overflow_pages;
  std::size_t entries;
  PageNumber root;
};

struct Meta {  // MDB_meta
  std::uint32_t magic, version;
  void* address;
  std::size_t map_size;
  Database free, main;
  PageNumber last_page;
  std::size_t transaction;

  std::uint32_t page_size() const { return free.pad; }  // mm_psize
};

struct PageHeader {  // MDB_page
  PageNumber number;
  std::uint16_t pad, flags;
  std::uint16_t lower, upper;  // of an overflow page: together its count of pages
};

struct NodeHeader {  // MDB_node
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  std::uint16_t low, high;
#else
  std::uint16_t high, low;
#endif
  std::uint16_t flags, key_size;
};

static_assert(sizeof(NodeHeader) == 8 && sizeof(PageHeader) == 8 + sizeof(PageNumber));
static_assert(sizeof(Database) == 8 + 5 * sizeof(PageNumber));
static_assert(sizeof(Meta) == 8 + sizeof(void*) + 2 * sizeof(Database) + 3 * sizeof(PageNumber));

template <typename Value>
Value load(std::string_view bytes, std::size_t offset = 0) {
  Value value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

[[noreturn]] void fault(PageNumber page, const std::string& what) {
  throw PageFault{fmt::format(fmt::runtime(_("page {}: {}")), page, what)};
}

/// Fewer bytes than `size` only at the end of the file.
std::string read_at(int file, std::size_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t now =
        ::pread(file, bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (now < 0 && errno == EINTR)
      continue;
    if (now < 0)
      throw system_error(errno, _("could not read the state"));
    if (now == 0)
      break;
    got += static_cast<std::size_t>(now);
  }
  bytes.resize(got);
  return bytes;
}

/// The bytes of `page` from its start; all of them are there.
std::string read_page(int file, PageNumber page, std::size_t page_size, std::size_t size) {
  std::string bytes = read_at(file, page * page_size, size);
  if (bytes.size() < size)
    fault(page, _("the file ends before its end"));
  return bytes;
}

Meta read_meta(int file, PageNumber page, std::size_t page_size) {
  const std::string bytes = read_page(file, page, page_size, sizeof(PageHeader) + sizeof(Meta));
  const auto header = load<PageHeader>(bytes);
  const auto meta = load<Meta>(bytes, sizeof header);
  if (header.flags != kMetaPage || meta.magic != kMagic)
    fault(page, _("this is not the head of a database"));
  return meta;
}

void check_meta(const Meta& meta, PageNumber page) {
  const std::size_t size = meta.page_size();
  if (size < kSmallestPage || size > kLargestPage || (size & (size - 1)) != 0)
    fault(page, fmt::format(fmt::runtime(_("no page has {} bytes")), size));
  // A map is doubled until it has reached the largest.
  if (meta.last_page < kMetas - 1 || meta.last_page / 2 >= kLargestMap / size ||
      meta.map_size / 2 > kLargestMap)
    fault(page, _("the size of the database is absurd"));
  if (meta.transaction != 0 && (meta.transaction & 1) != page)
    fault(page, _("its transaction belongs into the other head"));
  if (meta.free.flags != kIntegerKeys || meta.main.flags != 0)
    fault(page, _("a tree of an unknown kind"));
}

std::array<Meta, kMetas> read_metas(int file) {
  std::array<Meta, kMetas> metas{};
  metas[0] = read_meta(file, 0, 0);
  if (metas[0].version != kVersion)
    return metas;
  check_meta(metas[0], 0);
  metas[1] = read_meta(file, 1, metas[0].page_size());
  return metas;
}

bool known_version(const std::array<Meta, kMetas>& metas) {
  return metas[0].version == kVersion && metas[1].version == kVersion;
}

/// Walks what a snapshot consists of.
class Snapshot {
 public:
  Snapshot(int file, const Meta& meta)
      : file_(file), meta_(meta), page_size_(meta.page_size()), used_(meta.last_page + 1) {}

  void check() {
    check_tree(meta_.free, Content::FreePages);
    check_tree(meta_.main, Content::Tables);
  }

 private:
  enum class Content { FreePages, Tables, Records };
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

  /// Each page belongs to one tree, or to the free ones, once.
  void claim(PageNumber from, PageNumber first, std::size_t count = 1) {
    if (first < kMetas || first > meta_.last_page || count > meta_.last_page - first + 1)
      fault(from, fmt::format(fmt::runtime(_("it names page {}, which is not there")), first));
    for (PageNumber page = first; page < first + count; ++page) {
      if (used_[page])
        fault(from, fmt::format(fmt::runtime(_("it names page {}, which has another use")), page));
      used_[page] = true;
    }
  }

  void check_tree(const Database& tree, Content content, PageNumber from = 0) {
    entries_ = 0;
    if (tree.root == kNoPage ? tree.depth != 0 : tree.depth == 0 || tree.depth > kDeepest)
      fault(from, _("the depth of a tree is absurd"));
    if (tree.root != kNoPage)
      check_page(from, tree.root, tree.depth, content, {}, {});
    if (entries_ != tree.entries)
      fault(from,
            fmt::format(
                fmt::runtime(_("a tree has {} records instead of {}")), entries_, tree.entries));
  }

  /// A page of a tree whose keys lie in [low, high).
  void check_page(PageNumber from,
                  PageNumber page,
                  std::uint16_t level,
                  Content content,
                  Bound low,
                  Bound high) {
    claim(from, page);
    const bool leaf = level == 1;
    const std::string bytes = read_page(file_, page, page_size_, page_size_);
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

    std::vector<Node> nodes;
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
    for (std::size_t i = 0; i < count; ++i) {
      if (leaf) {
        ++entries_;
        check_record(page, nodes[i], content);
      } else {
        check_page(page,
                   nodes[i].child(),
                   static_cast<std::uint16_t>(level - 1),
                   content,
                   i == 0 ? low : Bound(nodes[i].key),
                   i + 1 == count ? high : Bound(nodes[i + 1].key));
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

  void check_record(PageNumber page, const Node& node, Content content) {
    if (content == Content::Tables) {
      if (node.header.flags != kNamedTable || node.data.size() != sizeof(Database))
        fault(page, _("one of the tables is none"));
      const auto table = load<Database>(node.data);
      if (table.flags != 0)
        fault(page, _("a tree of an unknown kind"));
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
  std::vector<bool> used_;
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
    Snapshot(file, meta).check();
  } catch (const PageFault&) {
    if (read_metas(file)[snapshot & 1].transaction != snapshot)
      return false;
    throw;
  }
  return true;
}

}  // namespace las::state::lmdb
