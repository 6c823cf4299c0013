// SPDX-License-Identifier: Apache-2.0
#include "las/hardware/set_fact.hpp"

#include "profile_fields.hpp"

#include "las/base/text.hpp"

#include <charconv>

namespace las::hardware {

namespace {

bool read(const std::string& text, std::string& value) {
  value = text;
  return !text.empty();
}

bool read(const std::string& text, bool& value) {
  value = text == "true";
  return value || text == "false";
}

bool read(const std::string& text, int& value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && value >= 0;
}

bool read(const std::string& text, ByteSize& value) {
  const auto size = ByteSize::parse(text);
  value = size.value_or(ByteSize());
  return size.has_value();
}

bool read(const std::string& text, Version& value) {
  value = Version(text);
  return text.find_first_of("0123456789") != std::string::npos;
}

bool read(const std::string& text, std::vector<std::string>& value) {
  value.clear();
  for (const std::string& word : text::split(text, ' ')) {
    if (!word.empty())
      value.push_back(word);
  }
  return true;
}

// Lists of structs have no spelling as one text: they can only be unknown.
template <typename T>
bool read(const std::string&, std::vector<T>&) {
  return false;
}

template <typename T>
SetFact set(Fact<T>& fact, const Fact<std::string>& text) {
  if (!text.is_known()) {
    fact = Fact<T>::missing(text.unknown);
    return SetFact::Done;
  }
  T value{};
  if (!read(*text.value, value))
    return SetFact::WrongValue;
  fact = Fact<T>::known(std::move(value), text.origin);
  return SetFact::Done;
}

template <typename Struct>
SetFact set_member(Struct& members, std::string_view key, const Fact<std::string>& text) {
  SetFact result = SetFact::NoSuchFact;
  for_each_fact(members, [&](const char* name, auto& fact) {
    if (key == name)
      result = set(fact, text);
  });
  return result;
}

template <typename Struct>
std::vector<std::string> keys_of(const Struct& members, const std::string& prefix = {}) {
  std::vector<std::string> keys;
  for_each_fact(members, [&](const char* name, const auto&) { keys.push_back(prefix + name); });
  return keys;
}

}  // namespace

SetFact set_fact(HardwareProfile& profile, std::string_view name, const Fact<std::string>& fact) {
  if (name == "gpu.nvlink")
    return set(profile.nvlink, fact);
  SetFact result = SetFact::NoSuchFact;
  for_each_section(profile, [&](const char* section, auto& members) {
    const std::string prefix = std::string(section) + ".";
    if (name.starts_with(prefix))
      result = set_member(members, name.substr(prefix.size()), fact);
  });
  return result;
}

SetFact set_fact(Gpu& gpu, std::string_view key, const Fact<std::string>& fact) {
  return set_member(gpu, key, fact);
}

SetFact set_fact(Accelerator& accelerator, std::string_view key, const Fact<std::string>& fact) {
  return set_member(accelerator, key, fact);
}

std::vector<std::string> settable_facts() {
  std::vector<std::string> names = {"gpu.nvlink"};
  const HardwareProfile nothing;
  for_each_section(nothing, [&](const char* section, const auto& members) {
    for (std::string& name : keys_of(members, std::string(section) + "."))
      names.push_back(std::move(name));
  });
  return names;
}

std::vector<std::string> settable_gpu_facts() {
  return keys_of(Gpu());
}

std::vector<std::string> settable_accelerator_facts() {
  return keys_of(Accelerator());
}

}  // namespace las::hardware
