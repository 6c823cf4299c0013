// SPDX-License-Identifier: Apache-2.0
#include "log_file.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <regex>
#include <utility>

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

std::function<bool(const std::string&)> line_matcher(const std::string& pattern) {
  if (pattern.empty())
    return [](const std::string&) { return true; };
  try {
    const std::regex expression(pattern, std::regex::extended);
    return [expression](const std::string& line) { return std::regex_search(line, expression); };
  } catch (const std::regex_error&) {
    throw Error(ErrorKind::Usage, _("not a regular expression"), pattern);
  }
}

namespace {

/// What was added to a file since it was looked at last.
class Tail {
 public:
  Tail(const platform::FileReader& files, platform::fs::path file)
      : files_(files), file_(std::move(file)) {
    if (const auto status = files_.status(file_)) {
      inode_ = status->inode;
      read_ = static_cast<std::streamoff>(status->size);
    }
  }

  /// The beginning of a line that was being written when looking began.
  void begin_with(std::string rest) { rest_ = std::move(rest); }

  /// Whole lines only.
  std::vector<std::string> more() {
    const auto status = files_.status(file_);
    if (!status)
      return {};
    // Moved aside for a new one, or cut short.
    if (status->inode != inode_ || static_cast<std::streamoff>(status->size) < read_) {
      inode_ = status->inode;
      read_ = 0;
      rest_.clear();
    }
    std::ifstream log(file_, std::ios::binary);
    log.seekg(read_);
    std::string text(static_cast<std::size_t>(status->size) - static_cast<std::size_t>(read_),
                     '\0');
    log.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, log.gcount())));
    read_ += static_cast<std::streamoff>(text.size());
    rest_ += text;
    const auto end = rest_.rfind('\n');
    if (end == std::string::npos)
      return {};
    auto lines = text::lines(rest_.substr(0, end + 1));
    rest_.erase(0, end + 1);
    return lines;
  }

 private:
  const platform::FileReader& files_;
  platform::fs::path file_;
  std::uint64_t inode_ = 0;
  std::streamoff read_ = 0;
  std::string rest_;
};

bool ends_a_line(const platform::fs::path& file) {
  std::ifstream log(file, std::ios::binary | std::ios::ate);
  if (!log || log.tellg() == 0)
    return true;
  log.seekg(-1, std::ios::end);
  return log.get() == '\n';
}

}  // namespace

void read_log_file(const platform::FileReader& files,
                   platform::Clock& clock,
                   const platform::fs::path& file,
                   const LogQuery& query,
                   const std::function<void(const std::string&)>& on_line,
                   const Activity& activity) {
  constexpr std::chrono::milliseconds kPause{200};
  const auto matches = line_matcher(query.grep);
  Tail tail(files, file);
  std::vector<std::string> lines = last_lines(file, std::numeric_limits<std::size_t>::max());
  // A line that is being written is the tail's to tell, whole.
  if (query.follow && !lines.empty() && !ends_a_line(file)) {
    tail.begin_with(lines.back());
    lines.pop_back();
  }
  lines.erase(
      std::remove_if(lines.begin(), lines.end(), [&](const auto& line) { return !matches(line); }),
      lines.end());
  const std::size_t first = lines.size() > query.lines ? lines.size() - query.lines : 0;
  for (std::size_t i = first; i < lines.size(); ++i)
    on_line(lines[i]);
  while (query.follow) {
    activity.cancellation.throw_if_requested();
    for (const std::string& line : tail.more()) {
      if (matches(line))
        on_line(line);
    }
    clock.wait(kPause);
  }
}

}  // namespace las::service
