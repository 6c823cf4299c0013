// SPDX-License-Identifier: Apache-2.0
#include "block_sharing.hpp"

#include "las/base/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace las::model {

namespace {

struct Mount {
  std::string id, point, type;
};

/// mountinfo writes space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(i + 1) && is_octal(i + 2) &&
        is_octal(i + 3)) {
      out +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// "36 35 98:0 /sub /mount/point options... - type source options", proc_pid_mountinfo(5).
std::optional<Mount> parse_mount(const std::string& line) {
  const std::vector<std::string> fields = text::split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 2)
    return std::nullopt;
  return Mount{fields[0], unescape(fields[4]), *(dash + 1)};
}

bool lies_below(const std::filesystem::path& path, const std::string& point) {
  const std::string& text = path.native();
  return point == "/" || text == point || text.starts_with(point + "/");
}

std::optional<Mount> mount_of(std::string_view mountinfo, const std::filesystem::path& path) {
  std::optional<Mount> best;
  for (const std::string& line : text::lines(mountinfo)) {
    auto mount = parse_mount(line);
    // A later mount on the same point hides the earlier one.
    if (mount && lies_below(path, mount->point) &&
        (!best || mount->point.size() >= best->point.size()))
      best = std::move(mount);
  }
  return best;
}

}  // namespace

bool can_share_blocks(std::string_view mountinfo,
                      const std::filesystem::path& from,
                      const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 4> kSharing = {"btrfs", "xfs", "bcachefs", "ocfs2"};
  const auto source = mount_of(mountinfo, from), target = mount_of(mountinfo, folder);
  return source && target && source->id == target->id &&
         std::find(kSharing.begin(), kSharing.end(), source->type) != kSharing.end();
}

}  // namespace las::model
