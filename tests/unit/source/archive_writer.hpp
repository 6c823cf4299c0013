// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/platform/shared_library.hpp"

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

namespace las::test {

struct ArchiveFile {
  std::string name, content;
  unsigned mode = 0644;
};

/// Writes an honest archive with libarchive's own writer. `format`: "ustar", "pax", "zip";
/// `filter`: "none", "gzip", "bzip2", "xz", "zstd". `zeros` appends that many zero bytes to the
/// last file.
inline void write_archive(const std::filesystem::path& path,
                          const std::string& format,
                          const std::string& filter,
                          const std::vector<ArchiveFile>& files,
                          std::uint64_t zeros = 0) {
  const platform::SharedLibrary library({"libarchive.so.13"});
  decltype(&::archive_write_new) write_new = nullptr;
  decltype(&::archive_write_set_format_by_name) set_format = nullptr;
  decltype(&::archive_write_add_filter_by_name) add_filter = nullptr;
  decltype(&::archive_write_open_filename) open_filename = nullptr;
  decltype(&::archive_write_header) write_header = nullptr;
  decltype(&::archive_write_data) write_data = nullptr;
  decltype(&::archive_write_free) write_free = nullptr;
  decltype(&::archive_entry_new) entry_new = nullptr;
  decltype(&::archive_entry_free) entry_free = nullptr;
  decltype(&::archive_entry_set_pathname) set_pathname = nullptr;
  decltype(&::archive_entry_set_size) set_size = nullptr;
  decltype(&::archive_entry_set_filetype) set_filetype = nullptr;
  decltype(&::archive_entry_set_perm) set_perm = nullptr;
  library.load(write_new, "archive_write_new");
  library.load(set_format, "archive_write_set_format_by_name");
  library.load(add_filter, "archive_write_add_filter_by_name");
  library.load(open_filename, "archive_write_open_filename");
  library.load(write_header, "archive_write_header");
  library.load(write_data, "archive_write_data");
  library.load(write_free, "archive_write_free");
  library.load(entry_new, "archive_entry_new");
  library.load(entry_free, "archive_entry_free");
  library.load(set_pathname, "archive_entry_set_pathname");
  library.load(set_size, "archive_entry_set_size");
  library.load(set_filetype, "archive_entry_set_filetype");
  library.load(set_perm, "archive_entry_set_perm");

  const auto check = [](int result) {
    if (result != ARCHIVE_OK)
      throw std::runtime_error("libarchive's writer failed");
  };
  archive* writer = write_new();
  check(set_format(writer, format.c_str()));
  if (filter != "none")
    check(add_filter(writer, filter.c_str()));
  check(open_filename(writer, path.c_str()));
  for (const ArchiveFile& file : files) {
    const std::uint64_t more = &file == &files.back() ? zeros : 0;
    archive_entry* entry = entry_new();
    set_pathname(entry, file.name.c_str());
    set_size(entry, static_cast<la_int64_t>(file.content.size() + more));
    set_filetype(entry, AE_IFREG);
    set_perm(entry, static_cast<__LA_MODE_T>(file.mode));
    check(write_header(writer, entry));
    write_data(writer, file.content.data(), file.content.size());
    const std::string block(1 << 20, '\0');
    for (std::uint64_t done = 0; done < more; done += block.size())
      write_data(writer, block.data(), block.size());
    entry_free(entry);
  }
  check(write_free(writer));
}

}  // namespace las::test
