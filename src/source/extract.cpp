// SPDX-License-Identifier: Apache-2.0
#include "las/source/extract.hpp"

#include "archive_reader.hpp"
#include "effects.hpp"
#include "entry_path.hpp"
#include "unpack.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <functional>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace las::source {

namespace {

constexpr std::size_t kBlock = 256 * 1024;
constexpr std::uint64_t kRatioFrom = ByteSize::mib(64).bytes();
constexpr std::uint64_t kProgressStep = ByteSize::mib(4).bytes();
constexpr unsigned kSpecialBits = 07000;
constexpr unsigned kAnyExecute = 0111;

/// Reads and checks; what is to be done to the disk it asks for (effects.hpp).
class Unpacker {
 public:
  Unpacker(platform::FileSystem& files,
           const UnpackRequest& request,
           const ExtractLimits& limits,
           EntryTree& tree,
           const Activity& activity)
      : files_(files),
        request_(request),
        limits_(limits),
        tree_(tree),
        activity_(activity),
        into_(request.into.empty() ? std::vector<std::string>{} : manifest_parts(request.into)),
        event_id_("extract:" + request.archive.filename().string()),
        library_(archive_library()),
        reader_(files, request.archive),
        block_(kBlock) {}

  void run();

 private:
  void read(const std::function<void(Effect)>& ask);
  void unpack_entry(archive_entry* entry);
  void unpack_hard_link(const std::string& name,
                        const std::vector<std::string>& parts,
                        const std::string& target);
  void unpack_symlink(const std::string& name,
                      const std::vector<std::string>& parts,
                      const std::string& target);
  void unpack_file(const std::string& name,
                   const std::vector<std::string>& parts,
                   archive_entry* entry);
  /// The next bytes of a file, counted; false at its end.
  bool read_piece(const std::string& name, std::string& piece);

  void ask(Effect effect) const { (*ask_)(std::move(effect)); }

  void count(const std::string& name, std::uint64_t bytes);
  void tell_progress();
  /// Whether anything is left of the path after dropping `strip` parts; they are dropped then.
  bool strip(std::vector<std::string>& parts) const;
  void check_length(const std::string& name) const;
  std::vector<std::string> placed(const std::vector<std::string>& parts) const;
  std::filesystem::path on_disk(const std::vector<std::string>& parts) const;

  platform::FileSystem& files_;
  const UnpackRequest& request_;
  const ExtractLimits& limits_;
  EntryTree& tree_;
  const Activity& activity_;
  std::vector<std::string> into_;
  std::string event_id_;
  const ArchiveLibrary& library_;
  ArchiveReader reader_;
  std::vector<char> block_;
  const std::function<void(Effect)>* ask_ = nullptr;
  std::uint64_t unpacked_ = 0, entries_ = 0, reported_ = 0;
};

void Unpacker::run() {
  activity_.reporter.report(event::Started{event_id_, request_.title, reader_.packed()});
  try {
    do_while_produced(
        files_,
        [&](std::uint64_t done) {
          activity_.reporter.report(event::Progress{event_id_, done, reader_.packed()});
        },
        [&](const std::function<void(Effect)>& ask) { read(ask); });
  } catch (...) {
    activity_.reporter.report(event::Finished{event_id_, false, {}});
    throw;
  }
  activity_.reporter.report(event::Finished{event_id_, true, {}});
}

void Unpacker::read(const std::function<void(Effect)>& ask) {
  ask_ = &ask;
  for (;;) {
    activity_.cancellation.throw_if_requested();
    archive_entry* const entry = reader_.next();
    if (entry == nullptr)
      return;
    unpack_entry(entry);
    tell_progress();
  }
}

void Unpacker::tell_progress() {
  const std::uint64_t done = reader_.consumed();
  if (done < reported_ + kProgressStep)
    return;
  reported_ = done;
  ask({.kind = Effect::Kind::Progress, .path = {}, .done = done});
}

bool Unpacker::strip(std::vector<std::string>& parts) const {
  const auto dropped = static_cast<std::size_t>(request_.strip);
  if (parts.size() <= dropped)
    return false;
  parts.erase(parts.begin(), parts.begin() + request_.strip);
  return true;
}

void Unpacker::check_length(const std::string& name) const {
  if (name.size() > limits_.path_length)
    throw Error(ErrorKind::Integrity, _("a path is too long"), name.substr(0, 80) + "…");
}

std::vector<std::string> Unpacker::placed(const std::vector<std::string>& parts) const {
  std::vector<std::string> out = into_;
  out.insert(out.end(), parts.begin(), parts.end());
  return out;
}

std::filesystem::path Unpacker::on_disk(const std::vector<std::string>& parts) const {
  return request_.payload / to_path(parts);
}

void Unpacker::unpack_entry(archive_entry* entry) {
  const std::string name = reader_.name_of(entry);
  if (++entries_ > limits_.entries)
    throw Error(ErrorKind::Integrity, _("the archive holds too many entries"), name);
  check_length(name);
  std::vector<std::string> parts = entry_parts(name);

  const std::string hard_link =
      entry_text(library_.entry_hardlink_utf8(entry), library_.entry_hardlink(entry));
  const auto type = library_.entry_filetype(entry);
  if (hard_link.empty() && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK)
    throw Error(ErrorKind::Integrity, _("an entry is neither file, folder nor link"), name);
  if ((library_.entry_perm(entry) & kSpecialBits) != 0)
    throw Error(ErrorKind::Integrity, _("an entry has a setuid, setgid or sticky bit"), name);
  if (!strip(parts))
    return;

  // The tree within `into` is what links may not leave.
  if (!hard_link.empty())
    return unpack_hard_link(name, parts, hard_link);
  if (type == AE_IFLNK)
    return unpack_symlink(
        name, parts, entry_text(library_.entry_symlink_utf8(entry), library_.entry_symlink(entry)));
  if (type == AE_IFREG)
    return unpack_file(name, placed(parts), entry);
  const std::vector<std::string> folder = placed(parts);
  if (tree_.add_folder(name, folder))
    ask({.kind = Effect::Kind::Folder, .path = on_disk(folder)});
}

void Unpacker::unpack_hard_link(const std::string& name,
                                const std::vector<std::string>& parts,
                                const std::string& target) {
  check_length(target);
  std::vector<std::string> target_parts = entry_parts(target);
  const bool inside = strip(target_parts);
  if (!inside || !tree_.holds_file(placed(target_parts)))
    throw Error(ErrorKind::Integrity, _("a hard link names no file unpacked before it"), name)
        .cause(target);
  const std::vector<std::string> link = placed(parts);
  const std::filesystem::path from = on_disk(placed(target_parts)), to = on_disk(link);
  if (tree_.add_file(name, link))
    ask({.kind = Effect::Kind::Folder, .path = to.parent_path()});
  ask({.kind = Effect::Kind::HardLink, .path = to, .from = from});
}

void Unpacker::unpack_symlink(const std::string& name,
                              const std::vector<std::string>& parts,
                              const std::string& target) {
  check_length(target);
  check_link_target(name, parts, target);
  const std::vector<std::string> link = placed(parts);
  const std::filesystem::path path = on_disk(link);
  if (tree_.add_link(name, link))
    ask({.kind = Effect::Kind::Folder, .path = path.parent_path()});
  ask({.kind = Effect::Kind::Symlink, .path = path, .content = target});
}

void Unpacker::count(const std::string& name, std::uint64_t bytes) {
  unpacked_ += bytes;
  if (unpacked_ > limits_.total.bytes())
    throw Error(ErrorKind::Integrity, _("the archive unpacks to more than is allowed"), name)
        .cause(fmt::format(fmt::runtime(_("the limit is {}")), limits_.total.to_string()));
  if (unpacked_ > kRatioFrom &&
      static_cast<double>(unpacked_) > limits_.ratio * static_cast<double>(reader_.packed()))
    throw Error(ErrorKind::Integrity, _("the archive unpacks to suspiciously much"), name)
        .cause(fmt::format(fmt::runtime(_("{} packed, {} unpacked so far")),
                           ByteSize(reader_.packed()).to_string(),
                           ByteSize(unpacked_).to_string()));
}

void Unpacker::unpack_file(const std::string& name,
                           const std::vector<std::string>& parts,
                           archive_entry* entry) {
  const bool new_folder = tree_.add_file(name, parts);
  // A size given ahead is refused before a byte is written; the bytes are counted all the same.
  if (library_.entry_size_is_set(entry) != 0) {
    const auto declared = static_cast<std::uint64_t>(library_.entry_size(entry));
    if (ByteSize(declared) + ByteSize(unpacked_) > limits_.total)
      throw Error(ErrorKind::Integrity, _("the archive unpacks to more than is allowed"), name)
          .cause(fmt::format(fmt::runtime(_("the limit is {}")), limits_.total.to_string()));
  }
  const bool executable = (library_.entry_perm(entry) & kAnyExecute) != 0;
  std::filesystem::path path = on_disk(parts);
  if (new_folder)
    ask({.kind = Effect::Kind::Folder, .path = path.parent_path()});
  Effect piece{
      .kind = Effect::Kind::File, .path = std::move(path), .mode = executable ? 0755U : 0644U};
  for (bool more = true; more;) {
    activity_.cancellation.throw_if_requested();
    more = read_piece(name, piece.content);
    if (more || piece.kind == Effect::Kind::File) {
      ask(std::exchange(piece, {.kind = Effect::Kind::More, .path = {}}));
      tell_progress();
    }
  }
  ask({.kind = Effect::Kind::Close, .path = {}});
}

bool Unpacker::read_piece(const std::string& name, std::string& piece) {
  const std::size_t size = reader_.read(block_);
  count(name, size);
  piece.assign(block_.data(), size);
  return size != 0;
}

}  // namespace

void unpack(platform::FileSystem& files,
            const UnpackRequest& request,
            const ExtractLimits& limits,
            EntryTree& tree,
            const Activity& activity) {
  with_context(
      [&] {
        return fmt::format(fmt::runtime(_("unpacking {}")), request.archive.filename().string());
      },
      [&] { Unpacker(files, request, limits, tree, activity).run(); });
}

void extract_archive(platform::FileSystem& files,
                     const std::filesystem::path& archive,
                     const std::filesystem::path& destination,
                     int strip,
                     const ExtractLimits& limits,
                     const Activity& activity) {
  files.make_directories(destination);
  if (!files.list_directory(destination).empty())
    throw Error(ErrorKind::Io, _("the folder to unpack into is not empty"), destination.string());
  EntryTree tree;
  const std::string title =
      fmt::format(fmt::runtime(_("Unpacking {}")), archive.filename().string());
  unpack(files, {archive, destination, {}, strip, title}, limits, tree, activity);
}

}  // namespace las::source
