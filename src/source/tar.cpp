// SPDX-License-Identifier: Apache-2.0
#include "las/source/tar.hpp"

#include "archive_library.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <exception>
#include <utility>

namespace las::source {

namespace {

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

struct TarWriter::State {
  explicit State(Sink to) : sink(std::move(to)), writer(library.write_new(), library.write_free) {}

  // Called by libarchive's C code, which no exception may cross.
  static la_ssize_t take(archive*, void* self, const void* bytes, std::size_t size) noexcept {
    auto& state = *static_cast<State*>(self);
    try {
      state.sink({static_cast<const char*>(bytes), size});
      return static_cast<la_ssize_t>(size);
    } catch (...) {
      state.thrown = std::current_exception();
      return -1;
    }
  }

  void require(bool good) {
    if (thrown)
      std::rethrow_exception(std::exchange(thrown, nullptr));
    if (good)
      return;
    const char* why = library.error_string(writer.get());
    throw Error(ErrorKind::Io, _("the tar archive cannot be written"), path)
        .cause(why != nullptr ? why : "");
  }

  void begin(TarEntry::Kind kind, std::uint64_t size, const std::string& target) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(library.entry_new(),
                                                                         library.entry_free);
    library.entry_set_pathname(entry.get(), path.c_str());
    library.entry_set_filetype(entry.get(), type_of(kind));
    library.entry_set_perm(entry.get(), kind == TarEntry::Kind::File ? 0644 : 0755);
    library.entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    if (kind == TarEntry::Kind::Symlink)
      library.entry_set_symlink(entry.get(), target.c_str());
    require(library.write_header(writer.get(), entry.get()) == ARCHIVE_OK);
  }

  void write(std::span<const char> bytes) {
    if (!bytes.empty())
      require(library.write_data(writer.get(), bytes.data(), bytes.size()) ==
              static_cast<la_ssize_t>(bytes.size()));
  }

  const ArchiveLibrary& library = archive_library();
  Sink sink;
  std::exception_ptr thrown;
  std::string path;  ///< of the entry that is being written
  // Last: what it still holds at its end it gives to the sink.
  std::unique_ptr<archive, int (*)(archive*)> writer;
};

Compression compression_of(const std::filesystem::path& archive) {
  const std::string name = archive.filename().string();
  return name.ends_with(".tgz") || name.ends_with(".tar.gz") ? Compression::Gzip
                                                             : Compression::None;
}

TarWriter::TarWriter(Sink sink, Compression compression)
    : state_(std::make_unique<State>(std::move(sink))) {
  const ArchiveLibrary& library = state_->library;
  archive* const writer = state_->writer.get();
  state_->require(library.write_set_format_pax_restricted(writer) == ARCHIVE_OK);
  // Else it is padded with zeros, as for a tape.
  if (compression == Compression::Gzip)
    state_->require(library.write_add_filter_gzip(writer) == ARCHIVE_OK &&
                    library.write_set_options(writer, "gzip:!timestamp") == ARCHIVE_OK &&
                    library.write_set_bytes_in_last_block(writer, 1) == ARCHIVE_OK);
  state_->require(library.write_open(writer, state_.get(), nullptr, State::take, nullptr) ==
                  ARCHIVE_OK);
}

TarWriter::~TarWriter() = default;

void TarWriter::add(const TarEntry& entry) {
  const bool file = entry.kind == TarEntry::Kind::File;
  state_->path = entry.path;
  state_->begin(entry.kind, file ? entry.content.size() : 0, entry.content);
  if (file)
    state_->write(entry.content);
}

void TarWriter::begin_file(const std::string& path, std::uint64_t size) {
  state_->path = path;
  state_->begin(TarEntry::Kind::File, size, {});
}

void TarWriter::write(std::span<const char> bytes) {
  state_->write(bytes);
}

void TarWriter::close() {
  state_->require(state_->library.write_close(state_->writer.get()) == ARCHIVE_OK);
}

std::string make_tar(const std::vector<TarEntry>& entries, Compression compression) {
  std::string bytes;
  TarWriter writer([&](std::span<const char> piece) { bytes.append(piece.data(), piece.size()); },
                   compression);
  for (const TarEntry& entry : entries)
    writer.add(entry);
  writer.close();
  return bytes;
}

}  // namespace las::source
