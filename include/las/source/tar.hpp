// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace las::source {

struct TarEntry {
  enum class Kind { Directory, File, Symlink } kind = Kind::File;
  std::string path;     ///< relative
  std::string content;  ///< of a file; where a symlink points
};

enum class Compression { None, Gzip };
/// As tar(1), --auto-compress, goes by the name: Gzip for ".tgz" and ".tar.gz", else None.
Compression compression_of(const std::filesystem::path& archive);

/// Writes a tar archive (POSIX ustar, with pax headers only where a name or a size needs them): no
/// owners, no times, so that equal entries give equal bytes. By libarchive, opened on first use.
/// Everything here throws Io when libarchive refuses, and what the sink throws.
class TarWriter {
 public:
  using Sink = std::function<void(std::span<const char>)>;

  explicit TarWriter(Sink sink, Compression compression = Compression::None);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void add(const TarEntry& entry);

  /// A file whose `size` bytes come by write(), piece by piece.
  void begin_file(const std::string& path, std::uint64_t size);
  void write(std::span<const char> bytes);

  /// The archive's end; without it, it is a truncated one.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The bytes of an archive of these.
std::string make_tar(const std::vector<TarEntry>& entries,
                     Compression compression = Compression::None);

}  // namespace las::source
