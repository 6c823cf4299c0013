// SPDX-License-Identifier: Apache-2.0
#include "content.hpp"

#include "block_sharing.hpp"

#include "las/base/byte_size.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"

#include <functional>
#include <span>

#include <fmt/format.h>

namespace las::model {

namespace fs = std::filesystem;

namespace {

/// Hashes `source`, which must still have its size, and hands every piece on.
Digest stream(const platform::FileReader& files,
              const Source& source,
              const Work& work,
              const std::function<void(std::span<const char>)>& each) {
  const auto require = [&](bool unchanged) {
    if (!unchanged)
      throw Error(ErrorKind::InvalidData,
                  _("the model file changed while it was read"),
                  source.path.string());
  };
  platform::Hasher hasher;
  std::uint64_t done = 0;
  files.scan_file(source.path, [&](std::span<const char> piece) {
    work.progress(done);
    done += piece.size();
    require(done <= source.size);
    hasher.update(piece);
    each(piece);
  });
  require(done == source.size);
  work.progress(done);
  return hasher.finish();
}

}  // namespace

Source examine(const platform::FileSystem& files, const fs::path& path) {
  std::error_code code;
  const fs::path real = fs::canonical(path, code);
  if (code)
    throw system_error(code.value(), _("could not open the model file"), path.string());
  const auto status = files.status(real);
  if (status && status->kind == platform::FileKind::Directory)
    throw Error(ErrorKind::InvalidData, _("this is a folder, not a model file"), path.string())
        .hint(_("name one file in it: las model import FILE"));
  if (!status || status->kind != platform::FileKind::Regular)
    throw Error(ErrorKind::InvalidData, _("not a regular file"), path.string());
  return {real, status->size};
}

Digest hash_content(const platform::FileReader& files, const Source& source, const Work& work) {
  return stream(files, source, work, [](auto) {});
}

Digest copy_content(platform::FileSystem& files,
                    const Source& source,
                    const fs::path& target,
                    const Work& work) {
  const fs::path folder = target.parent_path();
  const auto mounts = files.try_read("/proc/self/mountinfo");
  if (mounts && can_share_blocks(*mounts, source.path, fs::weakly_canonical(folder))) {
    files.clone_file(source.path, target, /*link_allowed=*/false);
    // Of the clone, not of the source, which somebody may write to meanwhile.
    return hash_content(files, {target, source.size}, work);
  }
  const ByteSize free = files.free_space(folder);
  if (free < ByteSize(source.size)) {
    throw Error(ErrorKind::NoSpace, _("not enough free space for the model"), folder.string())
        .cause(fmt::format(fmt::runtime(_("it needs {}, {} are free")),
                           ByteSize(source.size).to_string(),
                           free.to_string()));
  }
  const auto writer = files.create_file(target, 0600);
  const Digest digest =
      stream(files, source, work, [&](std::span<const char> piece) { writer->write(piece); });
  writer->sync();
  writer->close();
  return digest;
}

}  // namespace las::model
