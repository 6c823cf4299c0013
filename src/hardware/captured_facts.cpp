// SPDX-License-Identifier: Apache-2.0
#include "captured_facts.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

/// Both directions work on the JSON form of profiles, where every fact looks alike:
///   {"schema": 1, "os": {"glibc": FACT}, ..., "gpus": FACT or {"0000:65:00.0": {"vram": FACT}},
///    "storage": {"state": {"free": FACT}}, "nvlink": FACT, "accelerators": FACT}
namespace las::hardware {

namespace {

using nlohmann::ordered_json;

ordered_json to_document(const HardwareProfile& profile) {
  return ordered_json::parse(to_json(profile));
}

bool is_fact(const ordered_json& json) {
  return json.is_object() && json.contains("value");
}

// Facts of one object of them ("os", one GPU) that differ; what is no fact ("vendor") is skipped.
ordered_json differing(const ordered_json& real, const ordered_json& replayed) {
  ordered_json out = ordered_json::object();
  for (const auto& [key, fact] : real.items()) {
    if (is_fact(fact) && fact["value"] != replayed.at(key)["value"])
      out[key] = fact;
  }
  return out;
}

void put(ordered_json& into, const std::string& key, ordered_json facts) {
  if (!facts.empty())
    into[key] = std::move(facts);
}

std::string address_of(const ordered_json& gpu) {
  const ordered_json& address = gpu.at("pci_address").at("value");
  return address.is_string() ? address.get<std::string>() : std::string();
}

// Lists of the same GPUs in the same order.
bool same_gpus(const ordered_json& a, const ordered_json& b) {
  return a.is_array() && b.is_array() &&
         std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
           return !address_of(x).empty() && address_of(x) == address_of(y);
         });
}

ordered_json without_uuids(ordered_json gpus) {
  for (ordered_json& gpu : gpus["value"]) {
    gpu["uuid"] = {{"value", nullptr}, {"unknown", "it was left out of the capture"}};
    for (ordered_json& instance : gpu["mig_instances"]["value"])
      instance["uuid"] = "";
  }
  return gpus;
}

ordered_json differing_gpus(ordered_json real, const ordered_json& replayed) {
  real = without_uuids(std::move(real));
  if (!same_gpus(real["value"], replayed["value"]))
    return real["value"] == replayed["value"] ? ordered_json::object() : real;
  ordered_json out = ordered_json::object();
  for (std::size_t i = 0; i < real["value"].size(); ++i) {
    ordered_json facts = differing(real["value"][i], replayed["value"][i]);
    facts.erase("uuid");
    put(out, address_of(real["value"][i]), std::move(facts));
  }
  return out;
}

void overwrite(ordered_json& object, const ordered_json& facts) {
  for (const auto& [key, fact] : facts.items())
    object[key] = fact;
}

void add(ordered_json& profile, const std::string& key, const ordered_json& facts) {
  if (is_fact(facts) || !facts.is_object()) {
    profile[key] = facts;
  } else if (key == "gpus") {
    for (ordered_json& gpu : profile["gpus"]["value"]) {
      if (const auto found = facts.find(address_of(gpu)); found != facts.end())
        overwrite(gpu, *found);
    }
  } else if (key == "storage") {
    for (ordered_json& storage : profile["storage"]) {
      if (const auto found = facts.find(storage["purpose"].get<std::string>());
          found != facts.end())
        overwrite(storage, *found);
    }
  } else {
    overwrite(profile[key], facts);
  }
}

}  // namespace

std::string missing_facts(const HardwareProfile& real_profile, const HardwareProfile& replayed) {
  const ordered_json real = to_document(real_profile);
  const ordered_json other = to_document(replayed);
  ordered_json out = {{"schema", 1}};
  for (const auto& [key, section] : real.items()) {
    if (key == "schema")
      continue;
    if (key == "gpus") {
      put(out, key, differing_gpus(section, other.at(key)));
    } else if (key == "storage") {
      ordered_json facts = ordered_json::object();
      for (std::size_t i = 0; i < section.size(); ++i) {
        ordered_json differences = differing(section[i], other.at(key).at(i));
        differences.erase("path");
        put(facts, section[i]["purpose"].get<std::string>(), std::move(differences));
      }
      put(out, key, std::move(facts));
    } else if (is_fact(section)) {
      if (section["value"] != other.at(key)["value"])
        out[key] = section;
    } else {
      put(out, key, differing(section, other.at(key)));
    }
  }
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

void add_captured_facts(const std::string& text, HardwareProfile& profile) {
  try {
    const ordered_json facts = ordered_json::parse(text);
    if (!facts.is_object())
      throw Error(ErrorKind::InvalidData, _("the facts of a capture are damaged"), kCapturedFacts);
    ordered_json document = to_document(profile);
    for (const auto& [key, section] : facts.items())
      add(document, key, section);
    profile = from_json(document.dump());
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::InvalidData, _("the facts of a capture are damaged"), kCapturedFacts)
        .cause(error.what());
  }
}

}  // namespace las::hardware
