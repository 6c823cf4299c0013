// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lmdb.hpp"
#include "page_check.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

/// The shapes in LMDB's file and how they are read; see page_check.hpp.
namespace las::state::lmdb::format {

// ---- The format, with the names of mdb.c beside ours.

using PageNumber = std::size_t;  // pgno_t

inline constexpr std::uint32_t kMagic = 0xBEEFC0DE;      // MDB_MAGIC
inline constexpr std::uint32_t kVersion = 1;             // MDB_DATA_VERSION
inline constexpr PageNumber kMetas = 2;                  // NUM_METAS
inline constexpr PageNumber kNoPage = ~PageNumber{0};    // P_INVALID
inline constexpr std::uint16_t kBranchPage = 0x01;       // P_BRANCH
inline constexpr std::uint16_t kLeafPage = 0x02;         // P_LEAF
inline constexpr std::uint16_t kOverflowPage = 0x04;     // P_OVERFLOW
inline constexpr std::uint16_t kMetaPage = 0x08;         // P_META
inline constexpr std::uint16_t kOnOverflowPages = 0x01;  // F_BIGDATA
inline constexpr std::uint16_t kNamedTable = 0x02;       // F_SUBDATA
inline constexpr std::uint16_t kIntegerKeys = 0x08;      // MDB_INTEGERKEY
inline constexpr std::uint16_t kDeepest = 32;            // CURSOR_STACK
inline constexpr std::size_t kLongestKey = 511;          // MDB_MAXKEYSIZE
inline constexpr std::uint32_t kSmallestPage = 0x200;  // below it not even the limits of keys hold
inline constexpr std::uint32_t kLargestPage = 0x8000;  // MAX_PAGESIZE

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

[[noreturn]] inline void fault(PageNumber page, const std::string& what) {
  throw PageFault{fmt::format(fmt::runtime(_("page {}: {}")), page, what)};
}

/// Fewer bytes than `size` only at the end of the file.
inline std::string read_at(int file, std::size_t offset, std::size_t size) {
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
inline std::string read_page(int file, PageNumber page, std::size_t page_size, std::size_t size) {
  std::string bytes = read_at(file, page * page_size, size);
  if (bytes.size() < size)
    fault(page, _("the file ends before its end"));
  return bytes;
}

inline Meta read_meta(int file, PageNumber page, std::size_t page_size) {
  const std::string bytes = read_page(file, page, page_size, sizeof(PageHeader) + sizeof(Meta));
  const auto header = load<PageHeader>(bytes);
  const auto meta = load<Meta>(bytes, sizeof header);
  if (header.flags != kMetaPage || meta.magic != kMagic)
    fault(page, _("this is not the head of a database"));
  return meta;
}

inline void check_meta(const Meta& meta, PageNumber page) {
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

inline std::array<Meta, kMetas> read_metas(int file) {
  std::array<Meta, kMetas> metas{};
  metas[0] = read_meta(file, 0, 0);
  if (metas[0].version != kVersion)
    return metas;
  check_meta(metas[0], 0);
  metas[1] = read_meta(file, 1, metas[0].page_size());
  return metas;
}

inline bool known_version(const std::array<Meta, kMetas>& metas) {
  return metas[0].version == kVersion && metas[1].version == kVersion;
}

}  // namespace las::state::lmdb::format
