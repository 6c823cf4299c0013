// SPDX-License-Identifier: Apache-2.0
#include "log_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <fstream>

namespace las::service {
namespace {

platform::fs::path numbered(const platform::fs::path& file, int number) {
  return file.string() + "." + std::to_string(number);
}

}  // namespace

void rotate_log(platform::FileSystem& files, const platform::fs::path& file, ByteSize limit) {
  const auto status = files.status(file);
  if (!status || ByteSize(status->size) <= limit)
    return;
  for (int number = kOldLogs - 1; number >= 1; --number)
    if (files.exists(numbered(file, number)))
      files.rename(numbered(file, number), numbered(file, number + 1));
  files.rename(file, numbered(file, 1));
}

// Not by FileReader, which reads files whole: a log grows without bound while its service runs.
std::vector<std::string> last_lines(const platform::fs::path& file, std::size_t count) {
  constexpr std::streamoff kWindow = std::streamoff{4} << 20U;
  std::ifstream log(file, std::ios::binary | std::ios::ate);
  if (!log) {
    std::error_code fault;
    if (std::filesystem::exists(file, fault))
      throw Error(ErrorKind::Permission, _("the log cannot be read"), file.string());
    return {};
  }
  const std::streamoff size = log.tellg();
  const std::streamoff begin = std::max<std::streamoff>(0, size - kWindow);
  std::string end(static_cast<std::size_t>(size - begin), '\0');
  log.seekg(begin);
  log.read(end.data(), static_cast<std::streamsize>(end.size()));
  end.resize(static_cast<std::size_t>(log.gcount()));
  auto lines = text::lines(end);
  if (lines.size() > count)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
  return lines;
}

}  // namespace las::service
