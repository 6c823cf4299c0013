// SPDX-License-Identifier: Apache-2.0
#include "lmdb.hpp"

#include "page_check.hpp"

#include "las/base/byte_size.hpp"
#include "las/base/i18n.hpp"
#include "las/state/store.hpp"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace las::state::lmdb {

namespace {

/// LMDB's compiled-in limit of key length.
constexpr std::size_t kLongestKey = 511;

/// What the present thread is doing, so that a nesting that would deadlock is an error instead.
struct ThreadMark {
  const Environment* reading = nullptr;
  const Environment* writing = nullptr;
};

thread_local ThreadMark thread_mark;

class MarkGuard {
 public:
  MarkGuard(const Environment*& place, const Environment* environment)
      : place_(place), before_(std::exchange(place, environment)) {}

  MarkGuard(const MarkGuard&) = delete;
  MarkGuard& operator=(const MarkGuard&) = delete;

  ~MarkGuard() { place_ = before_; }

 private:
  const Environment*& place_;
  const Environment* before_;
};

struct OpenDirectories {
  std::mutex mutex;
  std::set<std::string> paths;
};

OpenDirectories& open_directories() {
  static OpenDirectories directories;
  return directories;
}

MDB_val to_value(std::string_view text) {
  // LMDB's interface is not const-correct; it does not write through what it is given.
  return {text.size(), const_cast<char*>(text.data())};
}

std::string_view to_view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

/// LMDB syncs its files but not the folders that name them.
void sync_directory(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    throw system_error(errno, _("could not open the folder of the state"), path.string());
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (code != 0)
    throw system_error(code, _("could not sync the folder of the state"), path.string());
}

}  // namespace

const char* name_of(Table table) {
  switch (table) {
    case Table::Meta:
      return "meta";
    case Table::Generations:
      return "generations";
    case Table::Operations:
      return "operations";
    case Table::ServiceWishes:
      return "service_wishes";
    case Table::Ports:
      return "ports";
    case Table::Models:
      return "models";
    case Table::Pins:
      return "pins";
    case Table::Overrides:
      return "overrides";
    case Table::Registries:
      return "registries";
    case Table::Audit:
      return "audit";
    case Table::Data:
      return "data";
    case Table::Snapshots:
      return "snapshots";
    case Table::Health:
      return "health";
    case Table::Blobs:
      return "blobs";
  }
  return "meta";
}

std::uintmax_t heads_size() {
  return 2 * static_cast<std::uintmax_t>(::sysconf(_SC_PAGESIZE));
}

// ---- Damage

std::function<void(const Error&)>& last_words() {
  static std::function<void(const Error&)> words;
  return words;
}

// ---- Transaction

Transaction::Transaction(const Environment& environment, MDB_txn* transaction)
    : environment_(environment), transaction_(transaction) {}

Transaction::~Transaction() {
  if (transaction_ != nullptr)
    mdb_txn_abort(transaction_);
}

void Transaction::fail(int code, std::string message) {
  if (code == MDB_MAP_FULL)
    outgrew_map_ = true;
  environment_.fail(code, std::move(message));
}

template <typename Way>
void Transaction::follow(Way&& way) const {
  if (!followed_)
    return;
  try {
    way(*followed_);
  } catch (const PageFault& fault) {
    environment_.fail_damaged(fault.text);
  }
}

std::optional<std::string_view> Transaction::get(Table table, std::string_view key) const {
  const auto handle = environment_.tables_[static_cast<std::size_t>(table)];
  if (!handle || key.empty() || key.size() > kLongestKey)
    return std::nullopt;
  follow([&](FollowedPages& pages) { pages.to(name_of(table), key); });
  MDB_val wanted = to_value(key), found{};
  const int code = mdb_get(transaction_, *handle, &wanted, &found);
  if (code == MDB_NOTFOUND)
    return std::nullopt;
  if (code != 0)
    environment_.fail(code, _("could not read the state"));
  return to_view(found);
}

void Transaction::put(Table table, std::string_view key, std::string_view value) {
  if (key.empty() || key.size() > kLongestKey) {
    throw Error(ErrorKind::InvalidData,
                _("the name of a record is empty or too long"),
                std::string(name_of(table)) + "/" + std::string(key));
  }
  MDB_val wanted = to_value(key), content = to_value(value);
  const int code = mdb_put(
      transaction_, *environment_.tables_[static_cast<std::size_t>(table)], &wanted, &content, 0);
  if (code != 0)
    fail(code, _("could not write the state"));
}

void Transaction::erase(Table table, std::string_view key) {
  if (key.empty() || key.size() > kLongestKey)
    return;
  MDB_val wanted = to_value(key);
  const int code = mdb_del(
      transaction_, *environment_.tables_[static_cast<std::size_t>(table)], &wanted, nullptr);
  if (code != 0 && code != MDB_NOTFOUND)
    fail(code, _("could not write the state"));
}

std::optional<std::pair<std::string_view, std::string_view>> Transaction::last(Table table) const {
  const auto handle = environment_.tables_[static_cast<std::size_t>(table)];
  if (!handle)
    return std::nullopt;
  follow([&](FollowedPages& pages) { pages.to_last(name_of(table)); });
  MDB_cursor* raw = nullptr;
  int code = mdb_cursor_open(transaction_, *handle, &raw);
  if (code != 0)
    environment_.fail(code, _("could not read the state"));
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(raw, mdb_cursor_close);
  MDB_val key{}, value{};
  code = mdb_cursor_get(cursor.get(), &key, &value, MDB_LAST);
  if (code == MDB_NOTFOUND)
    return std::nullopt;
  if (code != 0)
    environment_.fail(code, _("could not read the state"));
  return std::pair(to_view(key), to_view(value));
}

std::size_t Transaction::count(Table table) const {
  const auto handle = environment_.tables_[static_cast<std::size_t>(table)];
  if (!handle)
    return 0;
  follow([&](FollowedPages& pages) { pages.to_all(name_of(table)); });
  MDB_stat facts{};
  if (const int code = mdb_stat(transaction_, *handle, &facts); code != 0)
    environment_.fail(code, _("could not read the state"));
  return facts.ms_entries;
}

void Transaction::for_each(Table table, const Visit& visit) const {
  const auto handle = environment_.tables_[static_cast<std::size_t>(table)];
  if (!handle)
    return;
  follow([&](FollowedPages& pages) { pages.to_all(name_of(table)); });
  MDB_cursor* raw = nullptr;
  int code = mdb_cursor_open(transaction_, *handle, &raw);
  if (code != 0)
    environment_.fail(code, _("could not read the state"));
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(raw, mdb_cursor_close);
  MDB_val key{}, value{};
  while ((code = mdb_cursor_get(cursor.get(), &key, &value, MDB_NEXT)) == 0)
    visit(to_view(key), to_view(value));
  if (code != MDB_NOTFOUND)
    environment_.fail(code, _("could not read the state"));
}

void Transaction::commit() {
  // Refused by LMDB if a change failed before, even when somebody swallowed that error.
  const int code = mdb_txn_commit(std::exchange(transaction_, nullptr));
  if (code != 0)
    fail(code, _("could not write the state"));
}

// ---- Environment

Environment::Environment(const std::filesystem::path& directory,
                         Access access,
                         const TableSet& tables,
                         const std::function<void(Transaction&)>& on_create)
    : directory_(directory.string()), access_(access), set_(tables) {
  std::error_code fault;
  if (writable())
    std::filesystem::create_directories(directory, fault);
  if (!fault)
    directory_ = std::filesystem::canonical(directory, fault).string();
  if (fault) {
    throw system_error(
        fault.value(), _("could not open the folder of the state"), directory.string());
  }
  {
    const std::lock_guard lock(open_directories().mutex);
    if (!open_directories().paths.insert(directory_).second)
      throw Error(ErrorKind::Io, _("the state is open already in this process"), directory_);
  }
  try {
    check_before_mapping();
    open();
    check_mapped();
    open_tables(on_create);
  } catch (...) {
    close();
    throw;
  }
}

Environment::~Environment() {
  close();
}

void Environment::close() {
  if (environment_ != nullptr)
    mdb_env_close(std::exchange(environment_, nullptr));
  const std::lock_guard lock(open_directories().mutex);
  open_directories().paths.erase(directory_);
}

void Environment::fail(int code, std::string message) const {
  const auto error = [&](ErrorKind kind) {
    return Error(kind, std::move(message), directory_).cause(mdb_strerror(code));
  };
  switch (code) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
      throw error(ErrorKind::CorruptState).hint(way_out(directory_));
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
      throw error(ErrorKind::NoSpace);
    case MDB_READERS_FULL:
      throw error(ErrorKind::Busy);
    default:
      if (code > 0)
        throw system_error(code, std::move(message), directory_);
      throw error(ErrorKind::Io);
  }
}

void Environment::fail_damaged(std::string cause) const {
  throw Error(ErrorKind::CorruptState, _("the state is damaged"), directory_)
      .cause(std::move(cause))
      .hint(way_out(directory_));
}

/// LMDB is plain C and calls abort() after this: neither an exception nor a jump may leave it.
void Environment::on_assertion(MDB_env* environment, const char* assertion) noexcept {
  const auto* self = static_cast<const Environment*>(mdb_env_get_userctx(environment));
  if (last_words()) {
    last_words()(Error(ErrorKind::CorruptState, _("the state is damaged"), self->directory_)
                     .cause(assertion)
                     .hint(way_out(self->directory_)));
  }
}

void Environment::check_before_mapping() const {
  const std::string path = directory_ + "/data.mdb";
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0)
    return;  // LMDB makes it, or says why it cannot be opened
  const std::unique_ptr<const int, void (*)(const int*)> closing(&file,
                                                                 [](const int* f) { ::close(*f); });

  struct stat facts {};

  // An empty one is one that LMDB has still to fill.
  if (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size == 0)
    return;
  // LMDB writes both heads at once when it makes the file. Cut short (a full disk, a power cut) it
  // holds no transaction, and never did: whoever may write begins anew.
  if (static_cast<std::uintmax_t>(facts.st_size) < heads_size() && writable()) {
    if (::truncate(path.c_str(), 0) != 0)
      throw system_error(errno, _("could not open the state"), directory_);
    return;
  }
  try {
    check_metas(file);
  } catch (const PageFault& fault) {
    fail_damaged(fault.text);
  }
}

/// Before anything follows a page number in the map: damage is an error, not a signal. A writer
/// also gives pages away, so it must know of all; so must whoever vouches for the whole.
void Environment::check_mapped() {
  constexpr std::size_t kWorthFollowing = 512;
  mdb_filehandle_t file{};
  mdb_env_get_fd(environment_, &file);
  check_followed_ = !writable() && set_.first == Table::Meta && pages_of(file) > kWorthFollowing;
  if (!check_followed_)
    check_whole();
}

void Environment::check_whole() {
  constexpr int kAttempts = 100;
  mdb_filehandle_t file{};
  mdb_env_get_fd(environment_, &file);
  bool checked = false;
  for (int attempt = 1; !checked; ++attempt) {
    if (attempt > kAttempts)
      throw Error(ErrorKind::Busy, _("the state changes faster than it can be read"), directory_);
    read([&](const Transaction& transaction) {
      try {
        checked = check_pages(file, mdb_txn_id(transaction.transaction_));
      } catch (const PageFault& fault) {
        fail_damaged(fault.text);
      }
    });
  }
}

// LMDB makes its lock file sparse and maps it: the first store into a hole on a full disk would end
// the process by SIGBUS. It comes to be whole, or there is an error that can be told.
void Environment::fill_lock_file() const {
  constexpr off_t kSize = 8192;  // of LMDB's default number of readers; a larger file stays larger
  const std::string path = directory_ + "/lock.mdb";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644);
  if (file < 0)
    return;  // LMDB says why
  const std::unique_ptr<const int, void (*)(const int*)> closing(&file,
                                                                 [](const int* f) { ::close(*f); });
  const int code = ::posix_fallocate(file, 0, kSize);
  // A file system that cannot do it is one that does not promise space either.
  if (code == ENOSPC || code == EDQUOT)
    throw system_error(code, _("could not open the state"), directory_);
}

void Environment::open() {
  if (writable())
    fill_lock_file();
  // NOTLS: a snapshot belongs to its transaction, not to the thread, which may hold a writer too.
  const auto attempt = [this](unsigned int flags) {
    if (environment_ != nullptr)
      mdb_env_close(std::exchange(environment_, nullptr));
    int code = mdb_env_create(&environment_);
    if (code == 0)
      code = mdb_env_set_maxdbs(environment_, static_cast<MDB_dbi>(kTableCount));
    if (code == 0)
      code = mdb_env_set_userctx(environment_, this);
    if (code == 0)
      code = mdb_env_set_assert(environment_, on_assertion);
    if (code == 0)
      code = mdb_env_open(environment_, directory_.c_str(), flags | MDB_NOTLS, 0644);
    return code;
  };
  int code = attempt(writable() ? 0U : MDB_RDONLY);
  if (code == EACCES && !writable()) {
    // Another user's state: LMDB's lock file cannot be written. See read_without_lock().
    without_lock_ = true;
    code = attempt(MDB_RDONLY | MDB_NOLOCK);
  }
  if (code != 0)
    fail(code, _("could not open the state"));
  // Readers that were killed would keep old pages for ever.
  if (writable())
    mdb_reader_check(environment_, nullptr);
}

void Environment::open_tables(const std::function<void(Transaction&)>& on_create) {
  const auto open_all = [this](MDB_txn* transaction, unsigned int flags) {
    for (std::size_t i = 0; i < kTableCount; ++i) {
      if (!set_.holds(static_cast<Table>(i)))
        continue;
      MDB_dbi handle = 0;
      const int code = mdb_dbi_open(transaction, name_of(static_cast<Table>(i)), flags, &handle);
      if (code != 0 && code != MDB_NOTFOUND)
        return code;
      tables_[i] = code == 0 ? std::optional(handle) : std::nullopt;
    }
    return 0;
  };
  read([&](const Transaction& transaction) {
    const int code = open_all(transaction.transaction_, 0);
    if (code != 0)
      fail(code, _("could not open the state"));
    // Handles outlive only a transaction that is committed, one that reads too.
    const_cast<Transaction&>(transaction).commit();
  });
  // One transaction makes the first tables.
  const auto place = [this](Table table) { return tables_.begin() + static_cast<int>(table); };
  const auto first = place(set_.first), old_end = place(set_.last_of_old) + 1,
             end = place(set_.last) + 1;
  const auto missing = std::find(first, old_end, std::nullopt);
  const bool complete = std::find(old_end, end, std::nullopt) == end;
  const bool none = std::all_of(first, end, [](const auto& table) { return !table.has_value(); });
  if (missing != old_end && !none) {
    fail_damaged(fmt::format(fmt::runtime(_("the table {} is not there")),
                             name_of(static_cast<Table>(std::distance(tables_.begin(), missing)))));
  }
  if ((!none && complete) || !writable())
    return;
  write([&](Transaction& transaction) {
    const int code = open_all(transaction.transaction_, MDB_CREATE);
    if (code != 0)
      transaction.fail(code, _("could not open the state"));
    if (none)
      on_create(transaction);
  });
  sync_directory(directory_);
  sync_directory(std::filesystem::path(directory_).parent_path());
}

MDB_txn* Environment::begin(unsigned int flags) const {
  MDB_txn* transaction = nullptr;
  const int code = mdb_txn_begin(environment_, nullptr, flags, &transaction);
  if (code == MDB_MAP_RESIZED)
    return nullptr;
  if (code != 0)
    fail(code, _("could not open the state"));
  return transaction;
}

void Environment::change_map(std::size_t size) {
  const std::unique_lock lock(map_);
  const int code = mdb_env_set_mapsize(environment_, size);
  if (code != 0)
    fail(code, _("could not enlarge the map of the state"));
}

void Environment::read(const std::function<void(const Transaction&)>& body) {
  if (without_lock_)
    return read_without_lock(body);
  const bool nested = thread_mark.reading == this;
  std::shared_lock lock(map_, std::defer_lock);
  if (!nested)
    lock.lock();
  MDB_txn* raw = begin(MDB_RDONLY);
  while (raw == nullptr) {
    // Another process made the map larger; ours can follow only while nobody here looks at it.
    if (nested || thread_mark.writing == this)
      fail(MDB_MAP_RESIZED, _("could not open the state"));
    lock.unlock();
    {
      const std::lock_guard no_writer(writing_);
      change_map(0);
    }
    lock.lock();
    raw = begin(MDB_RDONLY);
  }
  Transaction transaction(*this, raw);
  const MarkGuard mark(thread_mark.reading, this);
  prepare(transaction);
  body(transaction);
}

void Environment::prepare(Transaction& transaction) const {
  if (!check_followed_)
    return;
  constexpr int kAttempts = 100;
  mdb_filehandle_t file{};
  mdb_env_get_fd(environment_, &file);
  for (int attempt = 1;; ++attempt) {
    try {
      transaction.followed_ = FollowedPages::of(file, mdb_txn_id(transaction.transaction_));
    } catch (const PageFault& fault) {
      fail_damaged(fault.text);
    }
    if (transaction.followed_)
      return;
    if (attempt == kAttempts)
      throw Error(ErrorKind::Busy, _("the state changes faster than it can be read"), directory_);
    mdb_txn_reset(transaction.transaction_);
    if (const int code = mdb_txn_renew(transaction.transaction_); code != 0)
      fail(code, _("could not open the state"));
  }
}

/// Nobody who writes knows of this reader, so its pages may be used again: LMDB lets the writer
/// after the next one do so. What was read then is thrown away and read again.
void Environment::read_without_lock(const std::function<void(const Transaction&)>& body) {
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    MDB_txn* raw = begin(MDB_RDONLY);
    if (raw == nullptr) {
      change_map(0);
      continue;
    }
    std::size_t snapshot = mdb_txn_id(raw);
    const auto overtaken = [&] {
      MDB_envinfo facts{};
      mdb_env_info(environment_, &facts);
      return facts.me_last_txnid > snapshot + 1;
    };
    try {
      Transaction transaction(*this, raw);
      prepare(transaction);
      snapshot = mdb_txn_id(raw);
      body(transaction);
      if (!overtaken())
        return;
    } catch (...) {
      if (!overtaken())
        throw;
    }
    if (attempt == kAttempts)
      throw Error(ErrorKind::Busy, _("the state changes faster than it can be read"), directory_);
  }
}

void Environment::write(const std::function<void(Transaction&)>& body) {
  if (!writable())
    throw Error(ErrorKind::Permission, _("the state is open for reading only"), directory_);
  if (thread_mark.reading == this || thread_mark.writing == this)
    throw Error(
        ErrorKind::Io, _("a change of the state was begun inside another use of it"), directory_);
  const std::lock_guard lock(writing_);
  const MarkGuard mark(thread_mark.writing, this);
  while (!try_write(body)) {
    MDB_envinfo facts{};
    mdb_env_info(environment_, &facts);
    if (facts.me_mapsize >= kLargestMap) {
      throw Error(ErrorKind::NoSpace, _("the state would outgrow its largest size"), directory_)
          .cause(ByteSize(kLargestMap).to_string());
    }
    change_map(facts.me_mapsize * 2);
  }
}

/// False when the map is too small.
bool Environment::try_write(const std::function<void(Transaction&)>& body) {
  MDB_txn* raw = begin(0);
  while (raw == nullptr) {
    change_map(0);
    raw = begin(0);
  }
  Transaction transaction(*this, raw);
  try {
    body(transaction);
    transaction.commit();
    return true;
  } catch (...) {
    if (!transaction.outgrew_map_)
      throw;
    return false;
  }
}

}  // namespace las::state::lmdb
