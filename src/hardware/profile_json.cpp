// SPDX-License-Identifier: Apache-2.0
#include "profile_fields.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/hardware/profile.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace las::hardware {

namespace {

using nlohmann::ordered_json;

ordered_json encode(const std::string& value) {
  return value;
}

ordered_json encode(int value) {
  return value;
}

ordered_json encode(bool value) {
  return value;
}

ordered_json encode(ByteSize value) {
  return value.bytes();
}

ordered_json encode(const Version& value) {
  return value.text();
}

ordered_json encode(const std::vector<std::string>& value) {
  return value;
}

ordered_json encode(const std::vector<MigInstance>& instances) {
  ordered_json array = ordered_json::array();
  for (const MigInstance& instance : instances) {
    array.push_back(
        {{"uuid", instance.uuid}, {"name", instance.name}, {"memory", instance.memory.bytes()}});
  }
  return array;
}

ordered_json encode(const std::vector<GpuLink>& links) {
  ordered_json array = ordered_json::array();
  for (const GpuLink& link : links)
    array.push_back({{"peer", link.peer}, {"kind", link.kind}, {"lanes", link.lanes}});
  return array;
}

ordered_json encode(const std::vector<Gpu>& gpus);
ordered_json encode(const std::vector<Accelerator>& accelerators);

template <typename T>
ordered_json encode_fact(const Fact<T>& fact) {
  if (fact.is_known())
    return {{"value", encode(*fact.value)}, {"origin", fact.origin}};
  return {{"value", nullptr}, {"unknown", fact.unknown}};
}

struct Encoder {
  ordered_json& object;

  template <typename T>
  void operator()(const char* key, const Fact<T>& fact) {
    object[key] = encode_fact(fact);
  }
};

ordered_json encode(const std::vector<Gpu>& gpus) {
  ordered_json array = ordered_json::array();
  for (const Gpu& gpu : gpus) {
    ordered_json object = {{"vendor", to_string(gpu.vendor)}};
    for_each_fact(gpu, Encoder{object});
    array.push_back(std::move(object));
  }
  return array;
}

ordered_json encode(const std::vector<Accelerator>& accelerators) {
  ordered_json array = ordered_json::array();
  for (const Accelerator& accelerator : accelerators) {
    ordered_json object = {{"vendor", accelerator.vendor}};
    for_each_fact(accelerator, Encoder{object});
    array.push_back(std::move(object));
  }
  return array;
}

[[noreturn]] void wrong(const std::string& key, std::string message) {
  throw Error(ErrorKind::InvalidData, std::move(message), key);
}

// Checks and takes apart one JSON object; every key must be asked for.
class Object {
 public:
  Object(const ordered_json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object())
      wrong(path_, _("this key of a hardware profile must be an object"));
  }

  std::string path_of(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
  }

  const ordered_json* find(const std::string& key) {
    seen_.push_back(key);
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  const ordered_json& get(const std::string& key) {
    const ordered_json* value = find(key);
    if (value == nullptr)
      wrong(path_of(key), _("a hardware profile lacks this key"));
    return *value;
  }

  std::string text(const std::string& key) {
    const ordered_json& value = get(key);
    if (!value.is_string())
      wrong(path_of(key), _("this key of a hardware profile must be text"));
    return value.get<std::string>();
  }

  void refuse_others() const {
    for (const auto& [key, value] : json_.items()) {
      if (std::find(seen_.begin(), seen_.end(), key) == seen_.end())
        wrong(path_of(key), _("a hardware profile has no such key"));
    }
  }

 private:
  const ordered_json& json_;
  std::string path_;
  std::vector<std::string> seen_;
};

void decode(const ordered_json& json, const std::string& path, std::string& value) {
  if (!json.is_string())
    wrong(path, _("this key of a hardware profile must be text"));
  value = json.get<std::string>();
}

void decode(const ordered_json& json, const std::string& path, bool& value) {
  if (!json.is_boolean())
    wrong(path, _("this key of a hardware profile must be true or false"));
  value = json.get<bool>();
}

void decode(const ordered_json& json, const std::string& path, int& value) {
  if (!json.is_number_unsigned() ||
      json.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    wrong(path, _("this key of a hardware profile must be a whole number"));
  value = json.get<int>();
}

void decode(const ordered_json& json, const std::string& path, ByteSize& value) {
  if (!json.is_number_unsigned())
    wrong(path, _("this key of a hardware profile must be a number of bytes"));
  value = ByteSize(json.get<std::uint64_t>());
}

void decode(const ordered_json& json, const std::string& path, Version& value) {
  std::string text;
  decode(json, path, text);
  value = Version(std::move(text));
}

void decode(const ordered_json& json, const std::string& path, std::vector<std::string>& value) {
  if (!json.is_array())
    wrong(path, _("this key of a hardware profile must be a list"));
  for (std::size_t i = 0; i < json.size(); ++i)
    decode(json[i], fmt::format("{}[{}]", path, i), value.emplace_back());
}

// Each element of a list of objects, taken apart by `element`.
template <typename Element>
void decode_objects(const ordered_json& json, const std::string& path, Element&& element) {
  if (!json.is_array())
    wrong(path, _("this key of a hardware profile must be a list"));
  for (std::size_t i = 0; i < json.size(); ++i) {
    Object object(json[i], fmt::format("{}[{}]", path, i));
    element(object);
    object.refuse_others();
  }
}

void decode(const ordered_json& json,
            const std::string& path,
            std::vector<MigInstance>& instances) {
  decode_objects(json, path, [&](Object& object) {
    MigInstance& instance = instances.emplace_back();
    instance.uuid = object.text("uuid");
    instance.name = object.text("name");
    decode(object.get("memory"), object.path_of("memory"), instance.memory);
  });
}

void decode(const ordered_json& json, const std::string& path, std::vector<GpuLink>& links) {
  decode_objects(json, path, [&](Object& object) {
    GpuLink& link = links.emplace_back();
    link.peer = object.text("peer");
    link.kind = object.text("kind");
    decode(object.get("lanes"), object.path_of("lanes"), link.lanes);
  });
}

void decode(const ordered_json& json, const std::string& path, std::vector<Gpu>& gpus);
void decode(const ordered_json& json,
            const std::string& path,
            std::vector<Accelerator>& accelerators);

template <typename T>
Fact<T> decode_fact(const ordered_json& json, const std::string& path) {
  Object object(json, path);
  const ordered_json& value = object.get("value");
  Fact<T> fact;
  if (value.is_null()) {
    fact.unknown = object.text("unknown");
  } else {
    decode(value, object.path_of("value"), fact.value.emplace());
    fact.origin = object.text("origin");
  }
  object.refuse_others();
  return fact;
}

// A fact that an older las, or a person, did not write down is unknown; it is no fault.
struct Decoder {
  Object& object;

  template <typename T>
  void operator()(const char* key, Fact<T>& fact) {
    const ordered_json* json = object.find(key);
    fact = json != nullptr ? decode_fact<T>(*json, object.path_of(key))
                           : Fact<T>::missing(_("the profile does not record it"));
  }
};

GpuVendor decode_vendor(Object& object) {
  const std::string name = object.text("vendor");
  for (const GpuVendor vendor :
       {GpuVendor::Nvidia, GpuVendor::Amd, GpuVendor::Intel, GpuVendor::Other}) {
    if (to_string(vendor) == name)
      return vendor;
  }
  wrong(object.path_of("vendor"),
        _("this GPU vendor of a hardware profile is none of nvidia, amd, intel, other"));
}

void decode(const ordered_json& json, const std::string& path, std::vector<Gpu>& gpus) {
  decode_objects(json, path, [&](Object& object) {
    Gpu& gpu = gpus.emplace_back();
    gpu.vendor = decode_vendor(object);
    for_each_fact(gpu, Decoder{object});
  });
}

void decode(const ordered_json& json,
            const std::string& path,
            std::vector<Accelerator>& accelerators) {
  decode_objects(json, path, [&](Object& object) {
    Accelerator& accelerator = accelerators.emplace_back();
    accelerator.vendor = object.text("vendor");
    for_each_fact(accelerator, Decoder{object});
  });
}

void decode_storage(Object& root, std::vector<Storage>& storage) {
  const ordered_json* json = root.find("storage");
  if (json == nullptr)
    return;
  decode_objects(*json, "storage", [&](Object& object) {
    Storage& entry = storage.emplace_back();
    entry.purpose = object.text("purpose");
    for_each_fact(entry, Decoder{object});
  });
}

}  // namespace

std::string to_json(const HardwareProfile& profile) {
  ordered_json root = {{"schema", profile.schema}};
  for_each_section(profile, [&](const char* name, const auto& section) {
    ordered_json object = ordered_json::object();
    for_each_fact(section, Encoder{object});
    root[name] = std::move(object);
  });
  Encoder{root}("gpus", profile.gpus);
  Encoder{root}("nvlink", profile.nvlink);
  Encoder{root}("accelerators", profile.accelerators);
  ordered_json storage = ordered_json::array();
  for (const Storage& entry : profile.storage) {
    ordered_json object = {{"purpose", entry.purpose}};
    for_each_fact(entry, Encoder{object});
    storage.push_back(std::move(object));
  }
  root["storage"] = std::move(storage);
  return root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

HardwareProfile from_json(const std::string& text) {
  ordered_json json;
  try {
    json = ordered_json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::InvalidData, _("a hardware profile is not JSON")).cause(error.what());
  }
  Object root(json, "");
  HardwareProfile profile;
  decode(root.get("schema"), "schema", profile.schema);
  if (profile.schema != 1)
    wrong("schema",
          fmt::format(fmt::runtime(_("this las reads hardware profiles of schema 1, not {}")),
                      profile.schema));
  for_each_section(profile, [&](const char* name, auto& section) {
    static const ordered_json kNothing = ordered_json::object();
    const ordered_json* found = root.find(name);
    Object object(found != nullptr ? *found : kNothing, name);
    for_each_fact(section, Decoder{object});
    object.refuse_others();
  });
  Decoder{root}("gpus", profile.gpus);
  Decoder{root}("nvlink", profile.nvlink);
  Decoder{root}("accelerators", profile.accelerators);
  decode_storage(root, profile.storage);
  root.refuse_others();
  return profile;
}

}  // namespace las::hardware
