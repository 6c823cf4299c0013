// SPDX-License-Identifier: Apache-2.0
#include "archive_library.hpp"

#include "las/platform/shared_library.hpp"

namespace las::source {

namespace {

ArchiveLibrary open_library() {
  const platform::SharedLibrary library({"libarchive.so.13"});
  ArchiveLibrary table{};
  library.load(table.read_new, "archive_read_new");
  library.load(table.read_free, "archive_read_free");
  library.load(table.support_filter_gzip, "archive_read_support_filter_gzip");
  library.load(table.support_filter_bzip2, "archive_read_support_filter_bzip2");
  library.load(table.support_filter_xz, "archive_read_support_filter_xz");
  library.load(table.support_filter_zstd, "archive_read_support_filter_zstd");
  library.load(table.support_format_tar, "archive_read_support_format_tar");
  library.load(table.support_format_zip, "archive_read_support_format_zip");
  library.load(table.read_open_filename, "archive_read_open_filename");
  library.load(table.read_next_header, "archive_read_next_header");
  library.load(table.read_data, "archive_read_data");
  library.load(table.filter_bytes, "archive_filter_bytes");
  library.load(table.error_string, "archive_error_string");
  library.load(table.entry_pathname, "archive_entry_pathname");
  library.load(table.entry_pathname_utf8, "archive_entry_pathname_utf8");
  library.load(table.entry_symlink, "archive_entry_symlink");
  library.load(table.entry_symlink_utf8, "archive_entry_symlink_utf8");
  library.load(table.entry_hardlink, "archive_entry_hardlink");
  library.load(table.entry_hardlink_utf8, "archive_entry_hardlink_utf8");
  library.load(table.entry_filetype, "archive_entry_filetype");
  library.load(table.entry_perm, "archive_entry_perm");
  library.load(table.entry_size, "archive_entry_size");
  library.load(table.entry_size_is_set, "archive_entry_size_is_set");
  library.load(table.write_new, "archive_write_new");
  library.load(table.write_free, "archive_write_free");
  library.load(table.write_set_format_pax_restricted, "archive_write_set_format_pax_restricted");
  library.load(table.write_add_filter_gzip, "archive_write_add_filter_gzip");
  library.load(table.write_set_bytes_in_last_block, "archive_write_set_bytes_in_last_block");
  library.load(table.write_set_options, "archive_write_set_options");
  library.load(table.write_open, "archive_write_open");
  library.load(table.write_header, "archive_write_header");
  library.load(table.write_data, "archive_write_data");
  library.load(table.write_close, "archive_write_close");
  library.load(table.entry_new, "archive_entry_new");
  library.load(table.entry_free, "archive_entry_free");
  library.load(table.entry_set_pathname, "archive_entry_set_pathname");
  library.load(table.entry_set_filetype, "archive_entry_set_filetype");
  library.load(table.entry_set_perm, "archive_entry_set_perm");
  library.load(table.entry_set_size, "archive_entry_set_size");
  library.load(table.entry_set_symlink, "archive_entry_set_symlink");
  return table;
}

}  // namespace

const ArchiveLibrary& archive_library() {
  static const ArchiveLibrary library = open_library();
  return library;
}

}  // namespace las::source
