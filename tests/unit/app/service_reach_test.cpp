// SPDX-License-Identifier: Apache-2.0
// Who may reach a service, and what a command about services may and may not do.
#include "service_site.hpp"

#include "las/app/serve.hpp"
#include "las/app/service_options.hpp"
#include "las/app/services.hpp"
#include "las/platform/lock.hpp"

using namespace las;
using test::ServiceSite;
using Texts = std::vector<std::string>;
using Options = std::map<std::string, std::string>;

namespace {

state::ServiceInstance reached(ServiceSite& site, const std::string& name, const Options& options) {
  app::Session session = site.session();
  state::ServiceInstance instance = site.instance(name);
  instance.options = options;
  return app::rebuild_service(session, instance, site.module(name), site.activity);
}

std::optional<Error> refusal(ServiceSite& site, const std::string& name, const Options& options) {
  return test::error_of([&] { return reached(site, name, options); });
}

/// A database and a web service that uses it, beside one that nobody needs.
void present(ServiceSite& site) {
  std::vector<state::ServiceInstance> services{
      site.instance("database"), site.instance("open"), site.instance("web")};
  services[2].uses = {"database"};
  site.present(services,
               {site.module("database"),
                site.module("open"),
                site.module("web", {"database", "library"}),
                site.module("library"),
                site.module("bundle", {"web"})});
}

Texts named(ServiceSite& site, const app::ServiceNames& names) {
  app::Session session = site.session();
  return app::named_services(session, names);
}

/// In a run of its own, as a timer has it.
app::ServiceHealth look_at_web(ServiceSite& site) {
  app::Session session = site.session();
  return app::look_after(session, "web", site.activity);
}

}  // namespace

TEST_CASE("nothing listens beyond the machine unless somebody said so", "[app]") {
  ServiceSite site;
  const auto made = reached(site, "web", {});
  CHECK(made.network == "local");
  CHECK(made.host == "127.0.0.1");
  CHECK_FALSE(made.asks_for_word);
  CHECK(made.argv.size() == 2);
}

TEST_CASE("a service that others reach asks who they are", "[app]") {
  ServiceSite site;
  for (const char* network : {"lan", "public"}) {
    const auto made = reached(site, "web", {{"network", network}});
    CHECK(made.network == network);
    CHECK(made.host == "0.0.0.0");
    CHECK(made.asks_for_word);
    CHECK(Texts(made.argv.begin() + 1, made.argv.end()) ==
          Texts{"--listen=0.0.0.0:18432",
                "--password-file",
                (site.layout().current() / "services/web/x").string()});
  }
}

TEST_CASE("a service that always asks does so on this machine too", "[app]") {
  ServiceSite site;
  CHECK(reached(site, "database", {}).asks_for_word);
}

TEST_CASE("a service that asks nobody is opened only by who says that this is meant", "[app]") {
  ServiceSite site;
  const auto error = refusal(site, "open", {{"network", "lan"}});
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Usage);
  CHECK(error->message() == "it asks nobody who they are: whoever reaches it could use it");
  CHECK(error->hint() == "if that is what you want: las expose open --lan --without-auth");
  const auto made = reached(site, "open", {{"network", "lan"}, {"without-auth", "true"}});
  CHECK(made.host == "0.0.0.0");
  CHECK_FALSE(made.asks_for_word);
  CHECK(refusal(site, "open", {{"network", "lan"}, {"without-auth", "false"}}));
}

TEST_CASE("a policy keeps services to this machine", "[app]") {
  ServiceSite site;
  site.folder.write("data/policies/closed.yaml",
                    "policies:\n  - {name: closed, deny: [network.public]}\n");
  const auto error = refusal(site, "web", {{"network", "public"}});
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::PolicyDenied);
  CHECK(error->hint() == "las policy explain network.public");
  CHECK_FALSE(refusal(site, "web", {{"network", "lan"}}));
}

TEST_CASE("who may not be opened to the local network may not be opened to everybody", "[app]") {
  ServiceSite site;
  site.folder.write("data/policies/closed.yaml",
                    "policies:\n  - {name: closed, deny: [network.lan]}\n");
  for (const char* network : {"lan", "public"}) {
    const auto error = refusal(site, "web", {{"network", network}});
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::PolicyDenied);
    CHECK(error->hint() == "las policy explain network.lan");
  }
}

TEST_CASE("a service that is closed again listens on this machine alone", "[app]") {
  ServiceSite site;
  app::Session session = site.session();
  auto made = reached(site, "web", {{"network", "lan"}});
  made.options.clear();
  made = app::rebuild_service(session, made, site.module("web"), site.activity);
  CHECK(made.host == "127.0.0.1");
  CHECK(made.network == "local");
  CHECK(made.argv.size() == 2);
}

TEST_CASE("without systemd nothing starts on demand, and nothing at boot", "[app]") {
  ServiceSite site;
  present(site);
  const auto error = refusal(site, "web", {{"start", "on-demand"}});
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Unsatisfiable);
  CHECK(error->hint() == "start it by hand: las start web");
  app::Session session = site.session();
  const auto boot = test::error_of([&] {
    return app::set_at_boot(session, {{"web"}, false}, true, site.activity);
  });
  REQUIRE(boot);
  CHECK(boot->kind() == ErrorKind::Unsatisfiable);
}

TEST_CASE("the name of a module stands for its services and those of what it needs", "[app]") {
  ServiceSite site;
  present(site);
  CHECK(named(site, {{"open"}, false}) == Texts{"open"});
  CHECK(named(site, {{"bundle"}, false}) == Texts{"database", "web"});
  // A service's own name is that service and no group.
  CHECK(named(site, {{"web"}, false}) == Texts{"web"});
  CHECK(named(site, {{"web", "web", "bundle"}, false}) == Texts{"database", "web"});
  CHECK(named(site, {{}, true}).size() == 3);
}

TEST_CASE("a command about no service, or an unknown one, says what to type", "[app]") {
  ServiceSite site;
  present(site);
  const auto none = test::error_of([&] { return named(site, {}); });
  REQUIRE(none);
  CHECK(none->kind() == ErrorKind::Usage);
  CHECK(none->hint() == "name one, or all of them with --all");
  const auto wrong = test::error_of([&] { return named(site, {{"wbe"}, false}); });
  REQUIRE(wrong);
  CHECK(wrong->kind() == ErrorKind::NotFound);
  CHECK(wrong->hint() == "did you mean 'web'?");
  // A module that is there and has no service, nor needs one.
  CHECK(test::error_of([&] {
          return named(site, {{"library"}, false});
        })->kind() == ErrorKind::NotFound);
}

TEST_CASE("a look at a service is kept", "[app]") {
  ServiceSite site;
  present(site);
  const app::ServiceHealth found = look_at_web(site);
  CHECK_FALSE(found.health.ready);
  const auto record = site.health("web");
  REQUIRE(record);
  CHECK(record->checked_at == "2026-11-23T15:04:05Z");
  CHECK_FALSE(record->healthy);
  CHECK(record->reason == found.health.reason);
  CHECK(record->failures == 0);
  CHECK_FALSE(site.health("open"));
  CHECK(site.reporter.messages(Severity::Warning).empty());
}

TEST_CASE("a look does not wait for another las, and keeps nothing then", "[app]") {
  ServiceSite site;
  present(site);
  site.files->make_directories(site.layout().lock_file().parent_path());
  const auto lock = platform::FileLock::acquire(
      site.layout().lock_file(), {1, "root", "las install x", ""}, {}, site.activity);
  CHECK_FALSE(look_at_web(site).health.ready);
  CHECK_FALSE(site.health("web"));
}

TEST_CASE("a look while an interrupted run is to be recovered keeps nothing", "[app]") {
  ServiceSite site;
  present(site);
  site.write([](state::WriteTransaction& transaction) {
    state::Journal journal;
    journal.operation_id = "20261123T150405-1a2b3c";
    transaction.put_journal(journal);
  });
  look_at_web(site);
  CHECK_FALSE(site.health("web"));
}

TEST_CASE("the options of services are told under their names, the user's marked", "[app]") {
  ServiceSite site;
  auto web = site.instance("web");
  web.options = {{"limits.memory", "1GB"}};
  site.present({web}, {site.module("web")});
  app::Session session = site.session();
  std::map<std::string, std::string> set, defaults;
  for (const app::ServiceOption& option : app::service_options(session, "web", site.activity))
    (option.set ? set : defaults)[option.key] = option.value;
  CHECK(set == Options{{"web.limits.memory", "1GB"}});
  CHECK(defaults.at("web.port") == "18432");
  CHECK(defaults.at("web.network") == "local");
  CHECK(app::service_options(session, "other", site.activity).empty());
  CHECK(app::parse_option_key(session, "web.limits.memory")->option == "limits.memory");
  CHECK_FALSE(app::parse_option_key(session, "web"));
  CHECK_FALSE(app::parse_option_key(session, "web."));
  CHECK_FALSE(app::parse_option_key(session, "other.port"));
}
