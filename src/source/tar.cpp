// SPDX-License-Identifier: Apache-2.0
#include "las/source/tar.hpp"

#include "archive_library.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <memory>

namespace las::source {

namespace {

// Called by libarchive's C code: `sink` is the std::string that grows.
la_ssize_t append(archive*, void* sink, const void* bytes, std::size_t size) noexcept {
  static_cast<std::string*>(sink)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

mode_t type_of(TarEntry::Kind kind) {
  switch (kind) {
    case TarEntry::Kind::Directory:
      return AE_IFDIR;
    case TarEntry::Kind::Symlink:
      return AE_IFLNK;
    case TarEntry::Kind::File:
      break;
  }
  return AE_IFREG;
}

}  // namespace

std::string make_tar(const std::vector<TarEntry>& entries) {
  const ArchiveLibrary& library = archive_library();
  std::string bytes;
  const std::unique_ptr<archive, int (*)(archive*)> writer(library.write_new(), library.write_free);
  const auto require = [&](bool good, const std::string& subject) {
    if (good)
      return;
    const char* why = library.error_string(writer.get());
    throw Error(ErrorKind::Io, _("the tar archive cannot be written"), subject)
        .cause(why != nullptr ? why : "");
  };
  require(library.write_set_format_pax_restricted(writer.get()) == ARCHIVE_OK, "");
  require(library.write_open(writer.get(), &bytes, nullptr, append, nullptr) == ARCHIVE_OK, "");
  for (const TarEntry& item : entries) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(library.entry_new(),
                                                                         library.entry_free);
    const bool file = item.kind == TarEntry::Kind::File;
    library.entry_set_pathname(entry.get(), item.path.c_str());
    library.entry_set_filetype(entry.get(), type_of(item.kind));
    library.entry_set_perm(entry.get(), file ? 0644 : 0755);
    library.entry_set_size(entry.get(), file ? static_cast<la_int64_t>(item.content.size()) : 0);
    if (item.kind == TarEntry::Kind::Symlink)
      library.entry_set_symlink(entry.get(), item.content.c_str());
    require(library.write_header(writer.get(), entry.get()) == ARCHIVE_OK, item.path);
    if (file && !item.content.empty())
      require(library.write_data(writer.get(), item.content.data(), item.content.size()) ==
                  static_cast<la_ssize_t>(item.content.size()),
              item.path);
  }
  require(library.write_close(writer.get()) == ARCHIVE_OK, "");
  return bytes;
}

}  // namespace las::source
