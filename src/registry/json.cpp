// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include "las/base/i18n.hpp"

#include <fmt/format.h>

namespace las::registry {

void throw_malformed(const std::string& place, std::string cause) {
  throw Error(ErrorKind::Integrity, _("the index of the registry is not well formed"), place)
      .cause(std::move(cause))
      .hint(_("tell its keeper; the copy here stays as it is"));
}

Json read_document(std::string_view text, const std::string& name) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    throw_malformed(name, _("not a JSON object"));
  if (const std::uint64_t format = read_number(json, name, "format"); format != kFormat) {
    throw Error(ErrorKind::InvalidData, _("the registry has a format that is not known here"), name)
        .cause(fmt::format(fmt::runtime(_("its format is {}, this las reads {}")), format, kFormat))
        .hint(_("upgrade las"));
  }
  return json;
}

const Json& member(const Json& object, const std::string& place, const char* key) {
  if (!object.is_object())
    throw_malformed(place, _("not an object"));
  const auto found = object.find(key);
  if (found == object.end())
    throw_malformed(place + "." + key, _("missing"));
  return *found;
}

std::string read_text(const Json& object, const std::string& place, const char* key) {
  const Json& value = member(object, place, key);
  if (!value.is_string())
    throw_malformed(place + "." + key, _("not a text"));
  return value.get<std::string>();
}

std::uint64_t read_number(const Json& object, const std::string& place, const char* key) {
  const Json& value = member(object, place, key);
  if (!value.is_number_unsigned())
    throw_malformed(place + "." + key, _("not a whole number"));
  return value.get<std::uint64_t>();
}

const Json& read_list(const Json& object,
                      const std::string& place,
                      const char* key,
                      std::size_t most) {
  const Json& value = member(object, place, key);
  if (!value.is_array())
    throw_malformed(place + "." + key, _("not a list"));
  if (value.size() > most)
    throw_malformed(place + "." + key, fmt::format(fmt::runtime(_("more than {} entries")), most));
  return value;
}

Blob read_blob(const Json& object, const std::string& place, ByteSize limit) {
  const auto digest = Digest::parse("sha256:" + read_text(object, place, "sha256"));
  if (!digest)
    throw_malformed(place + ".sha256", _("not a digest"));
  const ByteSize size(read_number(object, place, "size"));
  if (size > limit)
    throw_malformed(
        place + ".size",
        fmt::format(fmt::runtime(_("{}, more than {}")), size.to_string(), limit.to_string()));
  return {*digest, size};
}

}  // namespace las::registry
