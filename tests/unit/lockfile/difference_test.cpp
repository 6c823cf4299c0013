// SPDX-License-Identifier: Apache-2.0
#include "las/lockfile/difference.hpp"

#include "full_lock.hpp"
#include "support/catch.hpp"

#include <functional>

using namespace las;
using namespace las::lockfile;
using namespace las::test;

namespace {

/// The sentences of what differs when `change` is made to the present state of the lock's machine.
std::vector<std::string> after(const std::function<void(Document&)>& change,
                               Prune prune = Prune::No) {
  Document present = full_lock();
  change(present);
  std::vector<std::string> out;
  for (const Difference& difference : difference(full_lock(), present, prune))
    out.push_back((difference.is_drift ? "" : "note: ") + describe(difference));
  return out;
}

using Sentences = std::vector<std::string>;

Document wishes(const std::string& text) {
  Diagnostics diagnostics;
  Document document = parse("schema: 1\n" + text, "f", diagnostics);
  REQUIRE_FALSE(diagnostics.has_errors());
  return document;
}

Sentences against(const Document& wanted, Prune prune = Prune::No) {
  Sentences out;
  for (const Difference& difference : difference(wanted, full_lock(), prune)) {
    if (difference.is_drift)
      out.push_back(describe(difference));
  }
  return out;
}

}  // namespace

TEST_CASE("a machine that is as its lock says does not differ", "[lockfile]") {
  CHECK(after([](Document&) {}).empty());
  CHECK(after([](Document&) {}, Prune::Yes).empty());
}

TEST_CASE("each way in which a machine leaves its lock is one sentence", "[lockfile]") {
  CHECK(after([](Document& d) { d.modules[0] = locked_module("engine", "2.0"); }) ==
        Sentences{"module engine: version is 2.0, wanted 1.10"});
  CHECK(after([](Document& d) { d.modules[0].variant = "cuda12"; }) ==
        Sentences{"module engine: variant is cuda12, wanted cpu"});
  CHECK(after([](Document& d) { d.modules[0].mode = "container"; }) ==
        Sentences{"module engine: mode is container, wanted native"});
  CHECK(after([](Document& d) { d.modules[1].reason = state::Reason::User; }) ==
        Sentences{"module runtime: reason is user, wanted dependency"});
  CHECK(after([](Document& d) { d.modules[0].source.kind = "apt"; }) ==
        Sentences{"module engine: source is apt, wanted archive"});
  CHECK(after([](Document& d) {
          d.modules[0].source.artifacts[0].digest = digest_of_digit('f');
        }).size() == 1);
  CHECK(after([](Document& d) { d.modules.erase(d.modules.begin()); }) ==
        Sentences{"module engine: missing, wanted 1.10 (cpu)"});
  CHECK(after([](Document& d) { d.modules.push_back(locked_module("zebra", "1")); }) ==
        Sentences{"module zebra: not in the file, present 1 (cpu)"});
  CHECK(after([](Document& d) { d.world[0].held = false; }) ==
        Sentences{"wish engine: wish is >=1,<2, cpu, native, wanted >=1,<2, cpu, native, hold"});
  CHECK(after([](Document& d) { d.world.pop_back(); }) ==
        Sentences{"wish runtime: missing, wanted hold, not wished for"});
  CHECK(after([](Document& d) { d.models.clear(); }) ==
        Sentences{"model tiny: missing, wanted " + digest_of_digit('e').to_string()});
  CHECK(after([](Document& d) { d.models[0].digest = digest_of_digit('f'); }).size() == 1);
  CHECK(after([](Document& d) { d.services.clear(); }) ==
        Sentences{"service chat: missing, wanted tiny"});
  CHECK(after([](Document& d) { d.services[0].port = 1; }) ==
        Sentences{"service chat: port is 1, wanted 8080"});
  CHECK(after([](Document& d) { d.services[0].host = "0.0.0.0"; }) ==
        Sentences{"service chat: host is 0.0.0.0, wanted 127.0.0.1"});
  CHECK(after([](Document& d) { d.services[0].engine = "runtime"; }) ==
        Sentences{"service chat: engine is runtime, wanted engine"});
  CHECK(after([](Document& d) { d.services[0].running = true; }) ==
        Sentences{"service chat: state is running, wanted stopped"});
  CHECK(after([](Document& d) { d.services[0].options->clear(); }) ==
        Sentences{"service chat: options is none, wanted context=4096 empty= word=yes"});
  CHECK(after([](Document& d) { d.services[0].model_digest = digest_of_digit('f'); }).size() == 1);
}

TEST_CASE("what las cannot set is a note and no drift", "[lockfile]") {
  CHECK(after([](Document& d) { d.modules[1].source.packages["libgomp1"] = "13"; }) ==
        Sentences{"note: module runtime: packages is libgomp1=13, wanted libgomp1=12.2.0-14"});
  CHECK(after([](Document& d) { d.policies[0].digest = digest_of_digit('0'); }).size() == 1);
  CHECK(after([](Document& d) { d.policies.pop_back(); })[0].starts_with("note: policy site.yaml"));
  CHECK_FALSE(has_drift(difference(
      full_lock(),
      [] {
        Document d = full_lock();
        d.policies.clear();
        return d;
      }(),
      Prune::Yes)));
}

TEST_CASE("a model that nobody named is extra only when pruned", "[lockfile]") {
  const auto another = [](Document& d) {
    d.models.push_back(d.models[0]);
    d.models[1].name = "zebra";
  };
  CHECK(after(another)[0].starts_with("note: model zebra: not in the file"));
  CHECK(after(another, Prune::Yes)[0].starts_with("model zebra: not in the file"));
}

TEST_CASE("a las.yaml asks only for what it names", "[lockfile]") {
  CHECK(against(wishes("")).empty());
  CHECK(against(wishes("modules: [{name: engine, version: '>=1,<2', variant: cpu, mode: native}]"))
            .empty());
  CHECK(against(wishes("models: [{name: tiny, path: x}]\nservices: [{model: tiny, name: chat, "
                       "running: false}]"))
            .empty());
}

TEST_CASE("a las.yaml sees what is not as it wishes", "[lockfile]") {
  CHECK(against(wishes("modules: [new]")) == Sentences{"module new: missing, wanted any"});
  CHECK(against(wishes("modules: [{name: engine, version: '>=2', variant: cpu, mode: native}]")) ==
        Sentences{"module engine: version is 1.10, wanted >=2",
                  "wish engine: wish is >=1,<2, cpu, native, hold, wanted >=2, cpu, native, hold"});
  CHECK(against(wishes("modules: [{name: engine, version: '>=1,<2', variant: cpu, mode: native, "
                       "hold: false}]")) ==
        Sentences{"wish engine: wish is >=1,<2, cpu, native, hold, wanted >=1,<2, cpu, native"});
  CHECK(against(wishes("models: [{name: new, path: new.gguf}]")) ==
        Sentences{"model new: missing, wanted new.gguf"});
  CHECK(against(wishes("services: [{model: tiny, name: chat, port: 1, options: {context: 1}}]")) ==
        Sentences{"service chat: port is 8080, wanted 1",
                  "service chat: options is context=4096 empty= word=yes, wanted context=1",
                  "service chat: state is stopped, wanted running"});
}

TEST_CASE("with prune what a las.yaml does not name is extra", "[lockfile]") {
  CHECK(against(wishes(""), Prune::Yes) ==
        Sentences{"wish engine: not in the file, present >=1,<2, cpu, native, hold",
                  "model tiny: not in the file, present " + digest_of_digit('e').to_string(),
                  "service chat: not in the file, present tiny"});
}
