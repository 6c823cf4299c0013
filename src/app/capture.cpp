// SPDX-License-Identifier: Apache-2.0
#include "las/app/capture.hpp"

#include "las/app/document.hpp"
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/hardware/capture.hpp"
#include "las/source/tar.hpp"

#include <vector>

namespace las::app {

namespace {

source::TarEntry::Kind kind_of(hardware::CaptureEntry::Kind kind) {
  switch (kind) {
    case hardware::CaptureEntry::Kind::Directory:
      return source::TarEntry::Kind::Directory;
    case hardware::CaptureEntry::Kind::Symlink:
      return source::TarEntry::Kind::Symlink;
    case hardware::CaptureEntry::Kind::File:
      break;
  }
  return source::TarEntry::Kind::File;
}

}  // namespace

CaptureResult capture(Session& session,
                      const std::filesystem::path& file,
                      const Activity& activity) {
  if (session.options().hardware_file)
    throw Error(ErrorKind::Usage, _("a profile of another machine cannot be captured"))
        .hint(_("leave out --hardware"));
  hardware::Capture taken = hardware::capture(
      session.environment(), session.processes(), session.probe_options(), activity);
  std::vector<source::TarEntry> entries;
  for (hardware::CaptureEntry& entry : taken.entries)
    entries.push_back({kind_of(entry.kind), std::move(entry.path), std::move(entry.content)});
  write_document(session, file, source::make_tar(entries, source::compression_of(file)));
  return {std::move(taken.profile), entries.size()};
}

}  // namespace las::app
