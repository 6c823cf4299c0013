// SPDX-License-Identifier: Apache-2.0
#include "facts.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <charconv>

namespace las::policy {

namespace {

using FactKind = NamedFact::Kind;

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<ByteSize> fact_size(const std::string& canonical) {
  return ByteSize::parse(canonical);
}

Truth truth_of(bool value) {
  return value ? Truth::True : Truth::False;
}

Truth compare_size(const Condition& comparison, const NamedFact& fact, const std::string& value) {
  const auto have = fact_size(*fact.text.value);
  const auto want = ByteSize::parse(value);
  if (!have || !want)
    return Truth::Unknown;
  const ByteSize floor = is_marketed_size(fact.name) ? marketed_floor(*want) : *want;
  switch (comparison.kind) {
    case Condition::Kind::Min:
      return truth_of(*have >= floor);
    case Condition::Kind::Max:
      return truth_of(*have <= *want);
    default:
      return truth_of(*have >= floor && *have <= *want);
  }
}

template <typename T>
Truth compare_ordered(const Condition& comparison, const T& have, const T& want) {
  switch (comparison.kind) {
    case Condition::Kind::Min:
      return truth_of(!(have < want));
    case Condition::Kind::Max:
      return truth_of(!(want < have));
    default:
      return truth_of(!(have < want) && !(want < have));
  }
}

bool holds_word(const std::string& list, const std::string& word) {
  const std::vector<std::string> words = text::split(list, ' ');
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The fact is known and the comparison is not Exists.
Truth compare_value(const Condition& comparison, const NamedFact& fact, const std::string& value) {
  const std::string& have = *fact.text.value;
  const bool ordered =
      comparison.kind == Condition::Kind::Min || comparison.kind == Condition::Kind::Max;
  switch (fact.kind) {
    case FactKind::Size:
      return compare_size(comparison, fact, value);
    case FactKind::Version:
      return compare_ordered(comparison, Version(have), Version(value));
    case FactKind::Number: {
      const auto a = number(have);
      const auto b = number(value);
      return a && b ? compare_ordered(comparison, *a, *b) : Truth::Unknown;
    }
    case FactKind::List:
      return ordered ? Truth::Unknown : truth_of(holds_word(have, value));
    case FactKind::Text:
    case FactKind::Boolean:
      break;
  }
  return ordered ? Truth::Unknown : truth_of(have == value);
}

std::map<std::string, FactKind> make_kinds() {
  std::map<std::string, FactKind> kinds;
  for (const NamedFact& fact : hardware::named_facts({}))
    kinds[fact.name] = fact.kind;
  return kinds;
}

// Of "storage.<purpose>.<key>", whichever purpose.
std::optional<FactKind> kind_of_storage(const std::string& key) {
  hardware::HardwareProfile profile;
  profile.storage.emplace_back().purpose = "any";
  for (const NamedFact& fact : hardware::named_facts(profile)) {
    if (fact.name == "storage.any." + key)
      return fact.kind;
  }
  return std::nullopt;
}

const std::map<std::string, FactKind>& kinds() {
  static const std::map<std::string, FactKind> kKinds = make_kinds();
  return kKinds;
}

}  // namespace

bool is_marketed_size(std::string_view fact) {
  return fact.starts_with("memory.") || fact.starts_with("gpu.vram");
}

Facts::Facts(const hardware::HardwareProfile& profile) {
  for (NamedFact& fact : hardware::named_facts(profile)) {
    const std::string name = fact.name;
    facts_.insert_or_assign(name, std::move(fact));
  }
}

const NamedFact& Facts::get(const std::string& name) const {
  const auto found = facts_.find(name);
  if (found != facts_.end())
    return found->second;
  NamedFact& absent = absent_[name];
  absent = {name,
            kind_of_fact(name).value_or(FactKind::Text),
            hardware::Fact<std::string>::missing(_("this profile has no such fact"))};
  return absent;
}

std::optional<FactKind> kind_of_fact(const std::string& name) {
  if (const auto found = kinds().find(name); found != kinds().end())
    return found->second;
  // storage.<purpose>.<fact>: which purposes there are is the caller's choice.
  const std::vector<std::string> parts = text::split(name, '.');
  if (parts.size() != 3 || parts[0] != "storage" || parts[1].empty())
    return std::nullopt;
  return kind_of_storage(parts[2]);
}

const std::vector<std::string>& fact_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const auto& [name, kind] : kinds())
      names.push_back(name);
    return names;
  }();
  return kNames;
}

bool is_value_of(FactKind kind, const std::string& value) {
  switch (kind) {
    case FactKind::Size:
      return ByteSize::parse(value).has_value();
    case FactKind::Number:
      return number(value).has_value();
    case FactKind::Version:
      return !value.empty() && value.find_first_of("0123456789") != std::string::npos;
    case FactKind::Boolean:
      return value == "true" || value == "false";
    case FactKind::Text:
    case FactKind::List:
      break;
  }
  return !value.empty();
}

std::optional<int> order(FactKind kind, const std::string& a, const std::string& b) {
  const auto of = [](const auto& left, const auto& right) {
    return left < right ? -1 : right < left ? 1 : 0;
  };
  switch (kind) {
    case FactKind::Size: {
      const auto left = ByteSize::parse(a), right = ByteSize::parse(b);
      return left && right ? std::optional(of(*left, *right)) : std::nullopt;
    }
    case FactKind::Number: {
      const auto left = number(a), right = number(b);
      return left && right ? std::optional(of(*left, *right)) : std::nullopt;
    }
    case FactKind::Version:
      return of(Version(a), Version(b));
    case FactKind::Boolean:
    case FactKind::Text:
    case FactKind::List:
      break;
  }
  return std::nullopt;
}

Truth compare(const Condition& comparison, const NamedFact& fact) {
  if (comparison.kind == Condition::Kind::Exists)
    return truth_of(fact.text.is_known() ==
                    (comparison.values.empty() || comparison.values[0] == "true"));
  if (!fact.text.is_known() || comparison.values.empty())
    return Truth::Unknown;
  Truth result = Truth::False;
  for (const std::string& value : comparison.values) {
    const Truth truth = compare_value(comparison, fact, value);
    if (truth == Truth::True)
      return truth;
    if (truth == Truth::Unknown)
      result = truth;
  }
  return result;
}

}  // namespace las::policy
