// SPDX-License-Identifier: Apache-2.0
#include "byte_source.hpp"

#include "las/base/i18n.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

namespace las::model {

namespace {
constexpr std::size_t kWindow = std::size_t{64} << 10;
}

ByteSource::ByteSource(const std::filesystem::path& path) : path_(path) {
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (code)
    throw system_error(code.value(), _("could not read the model file"), path.string());
  if (!std::filesystem::is_regular_file(status))
    throw Error(ErrorKind::InvalidData, _("not a regular file"), path.string());
  size_ = std::filesystem::file_size(path, code);
  if (code)
    throw system_error(code.value(), _("could not read the model file"), path.string());
  errno = 0;
  stream_.open(path, std::ios::binary);
  if (!stream_) {
    throw system_error(errno == 0 ? EIO : errno, _("could not read the model file"), path.string());
  }
  window_.resize(kWindow);
}

Error ByteSource::fault(std::uint64_t at, const std::string& cause) const {
  return Error(ErrorKind::InvalidData, _("not a sound GGUF file"), path_.string())
      .cause(fmt::format(fmt::runtime(_("{} at byte {}")), cause, at));
}

void ByteSource::require(std::uint64_t length, const char* what) const {
  if (length <= left())
    return;
  throw fault(
      position_,
      fmt::format(
          fmt::runtime(_("truncated: {} needs {} bytes, {} are left")), what, length, left()));
}

void ByteSource::read(char* bytes, std::uint64_t length, const char* what) {
  require(length, what);
  while (length > 0) {
    if (position_ < window_start_ || position_ >= window_start_ + window_size_) {
      const auto wanted = std::min<std::uint64_t>(kWindow, left());
      stream_.seekg(static_cast<std::streamoff>(position_));
      stream_.read(window_.data(), static_cast<std::streamsize>(wanted));
      if (static_cast<std::uint64_t>(stream_.gcount()) != wanted)
        throw fault(position_, _("the file became shorter while it was read"));
      window_start_ = position_;
      window_size_ = static_cast<std::size_t>(wanted);
    }
    const auto offset = static_cast<std::size_t>(position_ - window_start_);
    const auto piece =
        static_cast<std::size_t>(std::min<std::uint64_t>(length, window_size_ - offset));
    std::memcpy(bytes, window_.data() + offset, piece);
    bytes += piece;
    position_ += piece;
    length -= piece;
  }
}

std::string ByteSource::text(std::uint64_t length, const char* what) {
  require(length, what);
  std::string value(static_cast<std::size_t>(length), '\0');
  read(value.data(), length, what);
  return value;
}

void ByteSource::skip(std::uint64_t length, const char* what) {
  require(length, what);
  position_ += length;
}

}  // namespace las::model
