// SPDX-License-Identifier: Apache-2.0
// What a manifest says of its service beyond the command, and packages that are unpacked.
#include "support/catch.hpp"

#include "las/catalog/manifest.hpp"

using namespace las;
using namespace las::catalog;
using namespace std::chrono_literals;

namespace {

using Texts = std::vector<std::string>;

const std::string kHead =
    "name: db\ncategory: service\nreleases:\n- version: '17'\n  variants:\n  - name: any\n"
    "    sources:\n    - deb: {packages: [postgresql-17]}\n"
    "      executables: {server: usr/bin/server, initdb: usr/bin/initdb}\n";

/// The manifest's 10th line and those after it: the service, whose command is its first key.
std::string with_service(const std::string& keys) {
  return kHead + "service:\n  command: ['{exe.server}']\n" + keys;
}

Texts faults_of(const std::string& yaml) {
  Diagnostics diagnostics;
  const auto manifest = parse_manifest(yaml, "m.yaml", diagnostics);
  CHECK(manifest.has_value() != diagnostics.has_errors());
  Texts out;
  for (const Diagnostic& item : diagnostics.items())
    out.push_back(item.to_string());
  return out;
}

/// The faults of keys of a service, without the place of the whole.
Texts service_faults(const std::string& keys) {
  Texts out;
  for (std::string fault : faults_of(with_service(keys))) {
    const auto at = fault.find("service.");
    out.push_back(at == std::string::npos ? fault : fault.substr(at + 8));
  }
  return out;
}

ServiceTemplate service_of(const std::string& keys) {
  const std::string yaml = with_service(keys);
  CHECK(faults_of(yaml) == Texts{});
  Diagnostics diagnostics;
  return parse_manifest(yaml, "m.yaml", diagnostics).value().service.value();
}

Texts source_faults(const std::string& source) {
  Texts out;
  for (const std::string& fault :
       faults_of("name: db\ncategory: service\nreleases: [{version: 1, variants: [{name: any, "
                 "sources: [{" +
                 source + "}]}]}]\n")) {
    const auto at = fault.find("sources[0]");
    out.push_back(at == std::string::npos ? fault : fault.substr(at + 10));
  }
  return out;
}

}  // namespace

TEST_CASE("a service that says nothing more than its command has the header's defaults",
          "[catalog]") {
  ServiceTemplate expected;
  expected.command = {"{exe.server}"};
  const ServiceTemplate service = service_of("");
  CHECK(service == expected);
  CHECK(service.health.kind == HealthCheck::Kind::None);
  CHECK(service.health.interval == 30s);
  CHECK(service.health.timeout == 5s);
  CHECK(service.health.retries == 3);
}

TEST_CASE("what is made before the first start is read", "[catalog]") {
  const ServiceTemplate service = service_of(
      "  secrets: {password: '{word}'}\n"
      "  prepare:\n"
      "  - makes: main\n"
      "    command: ['{exe.initdb}', '--pwfile={secret.password}', '{making}']\n"
      "  - {makes: logs/old, command: [/bin/mkdir, '{making}', '{data}', '{config}']}\n");
  CHECK(service.prepare == std::vector<Preparation>{
                               {"main", {"{exe.initdb}", "--pwfile={secret.password}", "{making}"}},
                               {"logs/old", {"/bin/mkdir", "{making}", "{data}", "{config}"}}});
}

TEST_CASE("faults of what is made before the first start are named", "[catalog]") {
  CHECK(service_faults("  prepare:\n"
                       "  - {makes: ../main, command: []}\n"
                       "  - {command: ['{exe.initbd}', '{word}'], what: x}\n"
                       "  - {makes: a}\n") ==
        Texts{"prepare[0].makes: not a relative path that stays inside its folder",
              "prepare[0].command: is empty",
              "prepare[1].makes: missing key",
              "prepare[1].command[0]: unknown placeholder in a template: {exe.initbd} (did you "
              "mean '{exe.initdb}'?)",
              "prepare[1].command[0]: the deb source of 17 any gives no executable initbd",
              "prepare[1].command[1]: unknown placeholder in a template: {word} (did you mean "
              "'{port}'?)",
              "prepare[1].what: unknown key",
              "prepare[2].command: missing key"});
  // {making} is the name under which something is made, and means nothing elsewhere.
  CHECK(service_faults("  environment: {A: '{making}'}\n") ==
        Texts{"environment.A: unknown placeholder in a template: {making}"});
}

TEST_CASE("configuration files are names with a file beside the manifest", "[catalog]") {
  const ServiceTemplate service =
      service_of("  config: {server.conf: files/server.conf, users: files/u}\n");
  CHECK(service.config == std::vector<ConfigFile>{{"server.conf", "files/server.conf", ""},
                                                  {"users", "files/u", ""}});
  CHECK(service_faults("  config: {../x: files/a, A: /etc/passwd, ok: ''}\n") ==
        Texts{"config.../x: not the name of a file (use lower-case letters, digits, '.', '_' and "
              "'-')",
              "config.A: not the name of a file (use lower-case letters, digits, '.', '_' and "
              "'-')",
              "config.A: not a relative path that stays inside its folder",
              "config.ok: not a relative path that stays inside its folder"});
}

TEST_CASE("secrets are files made of one random word", "[catalog]") {
  const ServiceTemplate service = service_of(
      "  secrets: {password: '{word}', users.conf: 'user db {word} {{}}'}\n"
      "  environment: {FILE: '{secret.users.conf}'}\n");
  CHECK(service.secrets == std::map<std::string, std::string>{
                               {"password", "{word}"}, {"users.conf", "user db {word} {{}}"}});
  CHECK(service_faults("  secrets: {.word: '{word}', a: '{port}', b: '{wrod}'}\n"
                       "  environment: {A: '{secret.c}', B: '{word}'}\n") ==
        Texts{"secrets..word: not the name of a file (use lower-case letters, digits, '.', '_' "
              "and '-')",
              "secrets.a: unknown placeholder in a template: {port} (did you mean '{word}'?)",
              "secrets.b: unknown placeholder in a template: {wrod} (did you mean '{word}'?)",
              "environment.A: unknown placeholder in a template: {secret.c} (did you mean "
              "'{secret.a}'?)",
              "environment.B: unknown placeholder in a template: {word} (did you mean '{port}'?)"});
}

TEST_CASE("a container is given capabilities, and nothing else by that", "[catalog]") {
  CHECK(service_faults("  container: {port: 80, capabilities: [CAP_IPC_LOCK, CAP_SYS_NICE]}\n")
            .empty());
  CHECK(
      service_faults(
          "  container: {port: 80, capabilities: [IPC_LOCK, CAP_A CAP_B, \"CAP_A\\nUser=x\"]}\n") ==
      Texts{"container.capabilities[0]: not a capability (write it like CAP_NET_BIND_SERVICE)",
            "container.capabilities[1]: not a capability (write it like CAP_NET_BIND_SERVICE)",
            "container.capabilities[2]: not a capability (write it like CAP_NET_BIND_SERVICE)"});
}

TEST_CASE("limits of a service are read, and limits that are none are faults", "[catalog]") {
  const ServiceTemplate service = service_of(
      "  limits: {memory: 512MB, cpu_percent: 150, tasks: 64, io_weight: 200, cpus: '0-3,8'}\n"
      "  notify: true\n");
  CHECK(service.limits == Limits{ByteSize::mib(512), 150, 64, 200, "0-3,8"});
  CHECK(service.notify);
  CHECK(service_faults("  limits: {memory: much, cpu_percent: 0, tasks: -1, io_weight: 10001, "
                       "cpus: '0-3-5', disk: 1}\n") ==
        Texts{"limits.memory: is not a size such as 512MB",
              "limits.cpu_percent: 0 is not between 1 and 100000",
              "limits.tasks: -1 is not between 1 and 4000000",
              "limits.io_weight: 10001 is not between 1 and 10000",
              "limits.cpus: not a list of cores (write it like 0-3,8)",
              "limits.disk: unknown key"});
  CHECK(service_faults("  limits: {memory: 0MB}\n") ==
        Texts{"limits.memory: is not a size such as 512MB"});
  for (const char* cpus : {"''", "'0,'", "','", "'-1'", "'a'", "'0-'", "'00000'", "'0 1'"}) {
    INFO(cpus);
    CHECK(service_faults(std::string("  limits: {cpus: ") + cpus + "}\n") ==
          Texts{"limits.cpus: not a list of cores (write it like 0-3,8)"});
  }
  for (const char* cpus : {"'0'", "'0-3'", "'0,2,4-7'", "'9999'"}) {
    INFO(cpus);
    CHECK(service_faults(std::string("  limits: {cpus: ") + cpus + "}\n").empty());
  }
}

TEST_CASE("a health check may run a command", "[catalog]") {
  const ServiceTemplate service = service_of(
      "  secrets: {password: '{word}'}\n"
      "  health:\n"
      "    exec: ['{exe.server}', --port, '{port}']\n"
      "    expect: PONG\n"
      "    environment: {AUTH: '{word}', HOST: '{host}'}\n"
      "    interval: 15s\n"
      "    timeout: 2500ms\n"
      "    retries: 5\n"
      "    start_period: 1500ms\n");
  HealthCheck health;
  health.kind = HealthCheck::Kind::Exec;
  health.expect = "PONG";
  health.command = {"{exe.server}", "--port", "{port}"};
  health.environment = {{"AUTH", "{word}"}, {"HOST", "{host}"}};
  health.start_period = 2s;
  health.interval = 15s;
  health.timeout = 2500ms;
  health.retries = 5;
  CHECK(service.health == health);
}

TEST_CASE("a health check over http may expect a text", "[catalog]") {
  const ServiceTemplate service = service_of("  health: {http: /ready, expect: '\"ok\"'}\n");
  CHECK(service.health.kind == HealthCheck::Kind::Http);
  CHECK(service.health.path == "/ready");
  CHECK(service.health.expect == "\"ok\"");
}

TEST_CASE("a health check is of one kind, and knows what that kind can tell", "[catalog]") {
  CHECK(service_faults("  health: {http: /h, exec: ['{exe.server}']}\n") ==
        Texts{"health.exec: http or tcp is given too: one of them"});
  CHECK(service_faults("  health: {tcp: true, exec: ['{exe.server}']}\n") ==
        Texts{"health.exec: http or tcp is given too: one of them"});
  CHECK(service_faults("  health: {http: /h, tcp: true}\n") ==
        Texts{"health.tcp: http is given too: one of them"});
  CHECK(service_faults("  health: {tcp: true, expect: x}\n") ==
        Texts{"health.expect: a connection has no text to look into"});
  const Texts none = faults_of(with_service("  health: {interval: 5s}\n"));
  CHECK(none == Texts{"m.yaml:12:11: error: service.health: needs http, tcp or exec"});
  CHECK(faults_of(with_service("  health: {tcp: false}\n")).size() == 1);
}

TEST_CASE("faults of a health check are named", "[catalog]") {
  CHECK(service_faults("  health: {exec: ['{exe.serve}', '{word}'], retries: 0, timeout: 0s, "
                       "interval: soon, environment: {A: '{wrod}'}, expects: x}\n") ==
        Texts{"health.exec[0]: unknown placeholder in a template: {exe.serve} (did you mean "
              "'{exe.server}'?)",
              "health.exec[0]: the deb source of 17 any gives no executable serve",
              "health.exec[1]: unknown placeholder in a template: {word} (did you mean '{port}'?)",
              "health.retries: 0 is not between 1 and 100",
              "health.timeout: '0s' is not a duration of up to a day (write it like 30s)",
              "health.interval: 'soon' is not a duration of up to a day (write it like 30s)",
              "health.environment.A: unknown placeholder in a template: {wrod} (did you mean "
              "'{word}'?)",
              "health.expects: unknown key (did you mean 'expect'?)"});
  CHECK(service_faults("  health: {exec: [], retries: 101}\n") ==
        Texts{"health.exec: is empty", "health.retries: 101 is not between 1 and 100"});
}

TEST_CASE("a service asks who somebody is always, when it is told to, or never", "[catalog]") {
  ServiceTemplate service = service_of("  auth: always\n");
  CHECK(service.authenticates);
  CHECK(service.auth_command.empty());
  service = service_of("  secrets: {keys: '{word}'}\n  auth: [--api-key-file, '{secret.keys}']\n");
  CHECK(service.authenticates);
  CHECK(service.auth_command == Texts{"--api-key-file", "{secret.keys}"});
  CHECK_FALSE(service_of("").authenticates);
  CHECK(service_faults("  auth: [--key, '{word}']\n") ==
        Texts{"auth[1]: unknown placeholder in a template: {word} (did you mean '{port}'?)"});
  CHECK(service_faults("  auth: []\n") == Texts{"auth: is empty"});
  CHECK(service_faults("  auth: sometimes\n").size() == 1);
}

TEST_CASE("a service of its own names no model", "[catalog]") {
  CHECK(service_faults("  environment: {A: '{model.path}'}\n") ==
        Texts{"environment.A: unknown placeholder in a template: {model.path}"});
}

TEST_CASE("packages to unpack are read, with what can be done without", "[catalog]") {
  Diagnostics diagnostics;
  const auto manifest = parse_manifest(
      "name: db\ncategory: service\nreleases: [{version: 1, variants: [{name: any, sources: "
      "[{deb: {packages: [postgresql-17, libpq5], without: [perl, 'llvm*', '*']}, executables: "
      "{a: usr/bin/a}}]}]}]\n",
      "m.yaml",
      diagnostics);
  REQUIRE(manifest);
  const Source& source = manifest->releases.at(0).variants.at(0).sources.at(0);
  CHECK(source.kind() == "deb");
  CHECK(std::get<DebSource>(source.how) ==
        DebSource{{"postgresql-17", "libpq5"}, {"perl", "llvm*", "*"}, {}, {}});
  CHECK(source.executables == std::map<std::string, std::string>{{"a", "usr/bin/a"}});
}

TEST_CASE("faults of packages to unpack are named", "[catalog]") {
  CHECK(source_faults("deb: {}") == Texts{".deb.packages: missing key"});
  CHECK(source_faults("deb: {packages: []}") == Texts{".deb.packages: is empty"});
  CHECK(source_faults("deb: {packages: [-o, 'A'], wihtout: []}") ==
        Texts{".deb.packages[0]: '-o' is not the name of a package",
              ".deb.packages[1]: 'A' is not the name of a package",
              ".deb.wihtout: unknown key (did you mean 'without'?)"});
  CHECK(source_faults("deb: {packages: [aa], without: ['p*l', '', '*a*']}") ==
        Texts{".deb.without[0]: not a name, nor the beginning of one with '*' at its end",
              ".deb.without[1]: not a name, nor the beginning of one with '*' at its end",
              ".deb.without[2]: not a name, nor the beginning of one with '*' at its end"});
  // In the store, not on the machine.
  CHECK(source_faults("deb: {packages: [aa]}, executables: {x: /usr/bin/x}") ==
        Texts{".executables.x: not a relative path that stays inside its folder"});
  CHECK(source_faults("deb: {packages: [aa]}, apt: {packages: [aa]}") ==
        Texts{": needs exactly one of archive, apt, deb, python, npm and image"});
}
