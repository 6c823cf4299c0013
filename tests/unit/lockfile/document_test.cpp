// SPDX-License-Identifier: Apache-2.0
#include "las/lockfile/document.hpp"

#include "full_lock.hpp"
#include "support/catch.hpp"
#include "yaml.hpp"

#include "las/document/node.hpp"

#include <algorithm>

using namespace las;
using namespace las::lockfile;
using namespace las::test;

namespace {

Document parsed(const std::string& text) {
  Diagnostics diagnostics;
  Document document = parse(text, "f.yaml", diagnostics);
  for (const Diagnostic& item : diagnostics.items())
    CHECK(item.to_string() == "");
  return document;
}

/// "line: key_path: message (suggestion)", one a fault.
std::vector<std::string> faults(const std::string& text) {
  Diagnostics diagnostics;
  (void)parse(text, "f.yaml", diagnostics);
  std::vector<std::string> out;
  for (const Diagnostic& item : diagnostics.items())
    out.push_back(std::to_string(item.line) + ": " + item.key_path + ": " + item.message +
                  (item.suggestion.empty() ? "" : " (" + item.suggestion + ")"));
  return out;
}

bool has(const std::vector<std::string>& all, const std::string& beginning) {
  return std::any_of(
      all.begin(), all.end(), [&](const std::string& one) { return one.starts_with(beginning); });
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("a lock that is written and read is the same lock", "[lockfile]") {
  const Document lock = full_lock();
  const std::string text = render(lock);
  CHECK(render(lock) == text);
  const Document again = parsed(text);
  CHECK(render(again) == text);
  CHECK(again.kind == Document::Kind::Lock);
  CHECK(again.machine == lock.machine);
  CHECK(again.policies == lock.policies);
  CHECK(again.overrides == lock.overrides);
  CHECK(again.world == lock.world);
  REQUIRE(again.modules.size() == 2);
  CHECK(again.modules[0].exact_version() == "1.10");
  CHECK(again.modules[1].exact_version() == "b123");
  CHECK(again.modules[1].reason == state::Reason::Dependency);
  CHECK(again.modules[0].source == lock.modules[0].source);
  CHECK(again.modules[1].source == lock.modules[1].source);
  CHECK(again.find_model("tiny")->source == lock.models[0].source);
  CHECK(again.find_model("tiny")->size == ByteSize(123));
  CHECK(again.find_service("chat")->options == lock.services[0].options);
  CHECK_FALSE(again.find_service("chat")->running);
}

TEST_CASE("the order of what a lock names is that of the names", "[lockfile]") {
  Document lock = full_lock();
  const std::string text = render(lock);
  std::string other =
      replaced(text, "- name: engine\n  version: \"1.10\"", "- name: zebra\n  version: \"1.10\"");
  other = replaced(other, "engine: engine", "engine: zebra");
  const Document parsed_other = parsed(other);
  CHECK(parsed_other.modules[0].name == "runtime");
  CHECK(parsed_other.modules[1].name == "zebra");
}

TEST_CASE("an empty lock is short and readable", "[lockfile]") {
  Document lock;
  lock.kind = Document::Kind::Lock;
  lock.machine.architecture = "x86_64";
  CHECK(render(lock) ==
        "# Written by 'las lock'; 'las apply' makes a machine so, 'las apply --check' compares.\n"
        "schema: 1\nkind: lock\nmachine:\n  architecture: x86_64\npolicy:\n  documents: []\n"
        "  overrides: []\nworld: []\nmodules: []\nmodels: []\nservices: []\n");
  CHECK(parsed(render(lock)).machine.architecture == "x86_64");
}

TEST_CASE("every text survives as YAML", "[lockfile]") {
  for (const std::string text :
       {"plain", "1.0",         "0x1f",  "1e3",         "yes",         "No",    "on",
        "null",  "~",           "",      " ",           "a: b",        "a #b",  "- a",
        "a:",    "'q'",         "\"q\"", "back\\slash", "line\nbreak", "tab\t", "ü中",
        "*star", "&anchor",     "!tag",  "{a}",         "[a]",         "%x",    "@x",
        "`x",    "2026-01-01",  ".5",    "-1",          "+1",          "=",     "<<",
        "a,b",   "http://x/y?z"}) {
    INFO(text);
    const std::string yaml = lockfile::to_yaml({{"key", text}, {text + "k", {text}}});
    Diagnostics diagnostics;
    const document::Node root = document::parse(yaml, "f", diagnostics);
    CHECK_FALSE(diagnostics.has_errors());
    CHECK(root["key"].string() == text);
    CHECK(root[text + "k"].strings() == std::vector<std::string>{text});
  }
}

TEST_CASE("a lock names everything it needs, and nothing else", "[lockfile]") {
  const std::string text = render(full_lock());
  // `what` becomes `with`, which is a fault of this beginning in that very line.
  const auto check_there =
      [&](const std::string& what, const std::string& with, const std::string& fault) {
        const std::string changed = replaced(text, what, with);
        const auto line = 1 + std::count(changed.begin(),
                                         changed.begin() + static_cast<long>(changed.find(with)) +
                                             static_cast<long>(with.size()),
                                         '\n');
        INFO(fault);
        CHECK(has(faults(changed), std::to_string(line) + ": " + fault));
      };
  check_there("schema: 1", "schema: 7", "schema: unknown schema");
  check_there("kind: lock", "kind: look", "kind: 'look' is not one of lock, wishes");
  check_there("machine:", "machin:", "machin: unknown key (did you mean 'machine'?)");
  check_there("gpu_vendor: nvidia", "gpu_vendor: nvidai", "machine.gpu_vendor: 'nvidai'");
  check_there("compute_capability_min: \"7.5\"",
              "compute_capability_min: \">=7.5\"",
              "machine.compute_capability_min: not a version");
  check_there("layer: shipped", "layer: ours", "policy.documents[0].layer: 'ours'");
  check_there("version: \"1.10\"", "version: \">=1\"", "modules[0].version: not a version");
  check_there("reason: dependency", "reason: because", "modules[1].reason: 'because'");
  check_there("sha256:" + std::string(64, 'a'),
              "sha256:aa",
              "modules[0].source.artifacts[0].digest: not a digest");
  check_there("sha256:" + std::string(64, 'e'),
              "sha512:" + std::string(128, 'e'),
              "models[0].digest: not a SHA-256 digest");
  check_there("size: 123", "size: much", "models[0].size: ");
  check_there("port: 8080", "port: 0", "services[0].port: not a port");
  check_there("engine: engine", "engine: engin", "services[0].engine: no module of this lock");
  check_there("model: tiny",
              "model: tinny",
              "services[0].model: no model of this lock (did you mean 'tiny'?)");
  check_there("model_digest: sha256:e",
              "model_digest: sha256:f",
              "services[0].model_digest: not the digest of this lock's model");
  check_there(
      "- name: runtime\n  version: b", "- name: runtime\n  version: b b", "modules[1].version: ");

  // What is not there is told where it should be.
  const auto check_missing = [&](const std::string& what, const std::string& fault) {
    const auto all = faults(replaced(text, what, "x-other:"));
    INFO(fault);
    CHECK(std::any_of(all.begin(), all.end(), [&](const std::string& one) {
      return one.ends_with(": " + fault + ": missing key");
    }));
  };
  check_missing("machine:", "machine");
  check_missing("architecture:", "machine.architecture");
  check_missing("version: \"1.10\"\n  variant:", "modules[0].version");
  check_missing("reason: dependency", "modules[1].reason");
  check_missing("source:", "modules[0].source");
  check_missing("format:", "models[0].format");
  check_missing("port:", "services[0].port");
  const auto twice =
      faults(replaced(text, "- name: runtime\n  version: b", "- name: engine\n  version: b"));
  CHECK(std::any_of(twice.begin(), twice.end(), [](const std::string& one) {
    return one.ends_with(": modules[1]: 'engine' is named twice");
  }));
}

TEST_CASE("all faults are told in one run", "[lockfile]") {
  const auto all = faults(
      "schema: 1\nmodules: [a, a, 'b@>>', {nam: c}]\nmodels: [{name: A}]\nservices: [{model: m, "
      "port: x}]\n");
  CHECK(all.size() >= 7);
  CHECK(has(all, "2: modules[1]: 'a' is named twice"));
  CHECK(has(all, "2: modules[2]: not a version range"));
  CHECK(has(all, "2: modules[3].nam: unknown key (did you mean 'name'?)"));
  CHECK(has(all, "2: modules[3].name: missing key"));
  CHECK(has(all, "3: models[0].name: not a name"));
  CHECK(has(all, "3: models[0]: neither path nor digest"));
  CHECK(has(all, "4: services[0].port: 'x' is not a whole number"));
}

TEST_CASE("two services of one document cannot have one port", "[lockfile]") {
  CHECK(has(faults("schema: 1\nservices:\n- {model: a, port: 80}\n- {model: b, port: 80}\n"),
            "4: services[1].port: port 80 is named twice"));
}

TEST_CASE("a las.yaml names modules as on the command line or with keys", "[lockfile]") {
  const Document wishes = parsed(
      "schema: 1\nkind: wishes\nmodules:\n- demo\n- engine=1.2\n- 'other@>=1,<2'\n"
      "- {name: third, version: '^3', variant: cpu, mode: container, hold: true}\n"
      "models:\n- {name: tiny, path: tiny.gguf}\nservices:\n- {model: tiny}\n");
  CHECK(wishes.kind == Document::Kind::Wishes);
  CHECK(wishes.find_module("demo")->version.any());
  CHECK_FALSE(wishes.find_module("demo")->hold);
  CHECK(wishes.find_module("engine")->version.to_string() == "==1.2");
  CHECK(wishes.find_module("other")->version.to_string() == ">=1,<2");
  CHECK(wishes.find_module("third")->version.to_string() == ">=3,<4");
  CHECK(wishes.find_module("third")->hold == true);
  CHECK(wishes.find_model("tiny")->path == "tiny.gguf");
  const Service* service = wishes.find_service("tiny");
  REQUIRE(service != nullptr);
  CHECK(service->running);
  CHECK_FALSE(service->port);
  CHECK_FALSE(service->options);
}

TEST_CASE("what is no document of this kind is a fault, not an empty wish", "[lockfile]") {
  CHECK(has(faults(""), "0: : the document is empty"));
  CHECK(has(faults("~"), "0: : the document is empty"));
  CHECK(has(faults("- a"), "1: : must be a map of keys"));
  CHECK(has(faults("modules: []"), "1: schema: missing key"));
  CHECK(has(faults("schema: 1\nmodules: {a: b}"), "2: modules: must be a list"));
  CHECK(has(faults("schema: 1\nschema: 1\n"), "2: schema: "));
  CHECK_FALSE(faults("schema: 1\nmodules: [\n").empty());
}
