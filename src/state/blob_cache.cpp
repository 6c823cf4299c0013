// SPDX-License-Identifier: Apache-2.0
#include "las/state/blob_cache.hpp"

#include "lmdb.hpp"

#include "las/base/i18n.hpp"

namespace las::state {

struct BlobCache::Environment {
  lmdb::Environment lmdb;
};

namespace {

bool has_content(const std::filesystem::path& file) {
  std::error_code fault;
  const auto size = std::filesystem::file_size(file, fault);
  return !fault && size > 0;
}

}  // namespace

BlobCache::BlobCache(std::unique_ptr<Environment> environment)
    : environment_(std::move(environment)) {}

BlobCache::~BlobCache() = default;

std::unique_ptr<BlobCache> BlobCache::open(const std::filesystem::path& directory, Access access) {
  if (access == Access::ReadOnly && !has_content(directory / "data.mdb"))
    return nullptr;
  auto environment = std::unique_ptr<Environment>(
      new Environment{{directory,
                       access == Access::ReadWrite ? lmdb::Environment::Access::ReadWrite
                                                   : lmdb::Environment::Access::ReadOnly,
                       lmdb::kCacheTables,
                       [](lmdb::Transaction&) {}}});
  return std::unique_ptr<BlobCache>(new BlobCache(std::move(environment)));
}

bool BlobCache::writable() const {
  return environment_->lmdb.writable();
}

void BlobCache::read(std::string_view name,
                     const std::function<void(std::optional<std::string_view>)>& body) const {
  environment_->lmdb.read([&](const lmdb::Transaction& transaction) {
    body(transaction.get(lmdb::Table::Blobs, name));
  });
}

void BlobCache::write(const std::vector<Change>& changes) {
  environment_->lmdb.write([&](lmdb::Transaction& transaction) {
    for (const Change& change : changes) {
      if (change.content)
        transaction.put(lmdb::Table::Blobs, change.name, *change.content);
      else
        transaction.erase(lmdb::Table::Blobs, change.name);
    }
  });
}

}  // namespace las::state
