// SPDX-License-Identifier: Apache-2.0
#include "archive_reader.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <array>
#include <utility>

namespace las::source {

namespace {

constexpr std::size_t kReadBlock = 256 * 1024;

}  // namespace

std::string entry_text(const char* utf8, const char* raw) {
  if (utf8 != nullptr)
    return utf8;
  return raw != nullptr ? raw : "";
}

ArchiveReader::ArchiveReader(const platform::FileReader& files, std::filesystem::path path)
    : library_(archive_library()),
      reader_(library_.read_new(), library_.read_free),
      path_(std::move(path)) {
  const auto status = files.status(path_);
  if (!status)
    throw Error(ErrorKind::NotFound, _("cannot open the archive"), path_.string());
  packed_ = status->size;
  archive* reader = reader_.get();
  // Anything but ARCHIVE_OK means that libarchive would run an outside program for the filter.
  const std::array<int, 6> supported = {library_.support_filter_gzip(reader),
                                        library_.support_filter_bzip2(reader),
                                        library_.support_filter_xz(reader),
                                        library_.support_filter_zstd(reader),
                                        library_.support_format_tar(reader),
                                        library_.support_format_zip(reader)};
  for (const int result : supported) {
    if (result != ARCHIVE_OK)
      throw Error(ErrorKind::Io, _("this libarchive lacks a compression that las needs"));
  }
  if (library_.read_open_filename(reader, path_.c_str(), kReadBlock) != ARCHIVE_OK)
    fail();
}

archive_entry* ArchiveReader::next() {
  archive_entry* entry = nullptr;
  const int result = library_.read_next_header(reader_.get(), &entry);
  if (result == ARCHIVE_EOF)
    return nullptr;
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
    fail();
  return entry;
}

std::size_t ArchiveReader::read(std::span<char> block) {
  for (;;) {
    const auto got = library_.read_data(reader_.get(), block.data(), block.size());
    if (got == ARCHIVE_RETRY)
      continue;
    if (got < 0)
      fail();
    return static_cast<std::size_t>(got);
  }
}

std::string ArchiveReader::name_of(archive_entry* entry) const {
  return entry_text(library_.entry_pathname_utf8(entry), library_.entry_pathname(entry));
}

std::uint64_t ArchiveReader::consumed() const {
  return static_cast<std::uint64_t>(library_.filter_bytes(reader_.get(), -1));
}

/// libarchive's words, the cause, tell a foreign file from a damaged one.
void ArchiveReader::fail() const {
  const char* text = library_.error_string(reader_.get());
  throw Error(ErrorKind::InvalidData, _("the file is no archive or a damaged one"), path_.string())
      .cause(text != nullptr ? text : "");
}

}  // namespace las::source
