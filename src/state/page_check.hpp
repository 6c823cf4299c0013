// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

/// The shape of LMDB's file, read with pread and without LMDB. LMDB trusts what it maps: a page
/// that contradicts itself, or one that the file no longer has, ends the process by an assertion,
/// SIGSEGV or SIGBUS. What passes here can be mapped and walked. It says nothing of the records'
/// contents: the format has no checksums.
///
/// Format: MDB_meta, MDB_page, MDB_node and MDB_db in mdb.c of LMDB 0.9 (data version 1), in the
/// word size and byte order of this machine. The file may well be shorter than mm_last_pg says: a
/// page that was free again before its transaction ended is never written (mdb_env_copyfd0 knows).
/// So what counts is that every page in use is there. A file of another version passes; LMDB
/// refuses it.
namespace las::state::lmdb {

/// "page 7: a record reaches beyond its page".
struct PageFault {
  std::string text;
};

/// The two meta pages, for before LMDB maps the file. Throws PageFault; Error when reading fails.
void check_metas(int file);

/// Every page of the snapshot, which a reading transaction must be holding. False when later
/// commits have taken its meta page: a newer snapshot is to be checked instead. Throws PageFault;
/// Error when reading fails.
bool check_pages(int file, std::size_t snapshot);

/// How many pages the database has, roughly: a writer may be adding some.
std::size_t pages_of(int file);

/// For a reader of a large database: the pages that lie on the way which LMDB is about to go, each
/// time that it goes one. What LMDB does not touch cannot end the process, so it need not be
/// looked at. Only for the transaction whose snapshot it is. All throw PageFault; Error when
/// reading fails.
class FollowedPages {
 public:
  /// Nothing when later commits have taken the snapshot's meta page: see check_pages().
  static std::unique_ptr<FollowedPages> of(int file, std::size_t snapshot);
  FollowedPages(const FollowedPages&) = delete;
  FollowedPages& operator=(const FollowedPages&) = delete;
  ~FollowedPages();

  void to(std::string_view table, std::string_view key);
  void to_last(std::string_view table);
  void to_all(std::string_view table);

 private:
  struct Body;
  explicit FollowedPages(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace las::state::lmdb
