// SPDX-License-Identifier: Apache-2.0
#include "model_format.hpp"

#include "byte_source.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace las::model {

namespace {

/// A header length (u64, little-endian) and then a JSON object.
bool is_safetensors(std::string_view bytes) {
  constexpr std::uint64_t kLongestHeader = 100'000'000;
  if (bytes.size() < 9 || bytes[8] != '{')
    return false;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i)
    length |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return length >= 2 && length <= kLongestHeader;
}

bool is_html(std::string_view bytes) {
  const std::string start = text::lower(text::trim(bytes).substr(0, 64));
  return start.starts_with("<!doctype html") || start.starts_with("<html");
}

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  });
}

Error unknown_format(const std::filesystem::path& path, Looks looks) {
  return Error(ErrorKind::InvalidData, _("not a model file that las knows"), path.string())
      .cause(std::move(looks.cause))
      .hint(std::move(looks.hint));
}

void refuse_parts(const GgufFile& file, const std::filesystem::path& path) {
  const auto refuse = [&](std::string cause, std::string hint) {
    throw Error(
        ErrorKind::InvalidData, _("not a model that can be served by itself"), path.string())
        .cause(std::move(cause))
        .hint(std::move(hint));
  };
  if (const auto parts = file.number("split.count").value_or(1); parts > 1) {
    refuse(fmt::format(fmt::runtime(_("it is part {} of {} of a split model")),
                       file.number("split.no").value_or(0) + 1,
                       parts),
           _("merge the parts into one file first"));
  }
  const std::string type = file.text("general.type").value_or("model");
  if (type != "model")
    refuse(fmt::format(fmt::runtime(_("its general.type is '{}'")), text::printable(type, 40)), {});
  if (file.architecture().empty())
    refuse(_("it does not name its architecture"), {});
  if (file.tensors.empty())
    refuse(_("it holds a vocabulary but no weights"), {});
}

}  // namespace

Looks looks_like(std::string_view bytes) {
  const std::string convert = _("las serves GGUF files; convert it first, or get the model's GGUF");
  if (bytes.empty())
    return {_("it is empty"), _("download it again")};
  if (is_html(bytes))
    return {_("it looks like an HTML page"), _("the download got a web page instead of the file")};
  if (bytes.starts_with("version https://git-lfs"))
    return {_("it looks like a Git LFS pointer"), _("fetch the file that it stands for")};
  if (is_safetensors(bytes))
    return {_("it looks like a safetensors file"), convert};
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("\x80\x02"))
    return {_("it looks like a pickled checkpoint or a ZIP archive"), convert};
  if (bytes.starts_with("\x1f\x8b") ||
      bytes.starts_with("\xfd"
                        "7zXZ") ||
      bytes.starts_with("\x28\xb5\x2f\xfd"))
    return {_("it looks like a compressed file"), _("decompress it first")};
  if (bytes.starts_with("lmgg") || bytes.starts_with("tjgg") || bytes.starts_with("algg") ||
      bytes.starts_with("fmgg"))
    return {_("it looks like a GGML file, which came before GGUF"), convert};
  if (bytes.starts_with("\x7f"
                        "ELF"))
    return {_("it looks like a program"), convert};
  if (text::trim(bytes).starts_with('{'))
    return {_("it looks like JSON"), _("the download got a message instead of the file")};
  if (is_text(bytes))
    return {_("it looks like plain text"), convert};
  return {_("its format is not known"), convert};
}

GgufFile read_model_file(const std::filesystem::path& path) {
  std::string start;
  {
    ByteSource source(path);
    start = source.text(std::min<std::uint64_t>(source.size(), 512), "start");
  }
  if (!start.starts_with("GGUF"))
    throw unknown_format(path, looks_like(start));
  GgufFile file = read_gguf(path);
  refuse_parts(file, path);
  return file;
}

}  // namespace las::model
