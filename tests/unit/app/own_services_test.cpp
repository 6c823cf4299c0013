// SPDX-License-Identifier: Apache-2.0
// Services that come with their modules.
#include "installed_manifest.hpp"
#include "instances.hpp"
#include "service_site.hpp"
#include "support/listener.hpp"

#include "las/app/serve.hpp"

using namespace las;
using test::ServiceSite;
using Texts = std::vector<std::string>;

namespace {

constexpr const char* kLimits =
    "without systemd, services are not restarted after a crash, do not start at boot and are not "
    "confined";

app::PreparedPlan plan_of(const Texts& modules, plan::Action action = plan::Action::Install) {
  app::PreparedPlan prepared;
  for (const std::string& name : modules) {
    plan::PlannedAction planned;
    planned.action = action;
    planned.subject = name;
    planned.version = "1.0";
    planned.variant = "any";
    planned.mode = "native";
    prepared.plan.actions.push_back(planned);
  }
  return prepared;
}

/// The plan with the services that come with its modules.
app::PreparedPlan with_services(ServiceSite& site,
                                app::PreparedPlan prepared,
                                const state::Generation& present = {}) {
  app::Session session = site.session();
  app::add_own_services(session, present, prepared, site.activity);
  return prepared;
}

std::uint16_t port_of(const app::PreparedPlan& prepared, const std::string& service) {
  for (const plan::PlannedAction& action : prepared.plan.actions)
    if (action.action == plan::Action::Deploy && action.subject == service)
      return action.service->port;
  return 0;
}

state::ServiceLimits limits_of_database(ServiceSite& site,
                                        const std::map<std::string, std::string>& options) {
  app::Session session = site.session();
  state::ServiceInstance instance = site.instance("database");
  instance.options = options;
  return app::rebuild_service(session, instance, site.module("database"), site.activity).limits;
}

}  // namespace

TEST_CASE("a module that has a service brings it along", "[app]") {
  ServiceSite site;
  const app::PreparedPlan prepared = with_services(site, plan_of({"library", "web"}));
  REQUIRE(prepared.plan.actions.size() == 3);
  const plan::PlannedAction& deploy = prepared.plan.actions.back();
  CHECK(deploy.action == plan::Action::Deploy);
  CHECK(deploy.subject == "web");
  CHECK(deploy.version == "1.0");
  CHECK(deploy.variant == "any");
  CHECK(deploy.mode == "native");
  CHECK(deploy.why == "runs web");
  CHECK(deploy.requires_modules == Texts{"web"});
  REQUIRE(deploy.service);
  CHECK(deploy.service->id == "web");
  CHECK(deploy.service->module == "web");
  CHECK(deploy.service->host == "127.0.0.1");
  CHECK(deploy.service->data_directory == site.layout().data("web").string());
  CHECK(deploy.service->port >= 11500);
  CHECK(deploy.service->port <= 11999);
  CHECK(prepared.notes == Texts{kLimits});
}

TEST_CASE("a plan that brings no service has no word about services", "[app]") {
  ServiceSite site;
  const app::PreparedPlan prepared = with_services(site, plan_of({"library", "unknown"}));
  CHECK(prepared.plan.actions.size() == 2);
  CHECK(prepared.notes.empty());
}

TEST_CASE("a service that is there, and one whose module leaves, are not deployed", "[app]") {
  ServiceSite site;
  state::Generation present;
  present.services = {site.instance("web")};
  CHECK(with_services(site, plan_of({"web"}, plan::Action::Upgrade), present).plan.actions.size() ==
        1);
  CHECK(with_services(site, plan_of({"web"}, plan::Action::Remove)).plan.actions.size() == 1);
}

TEST_CASE("services that come together get ports of their own", "[app]") {
  ServiceSite site;
  const app::PreparedPlan prepared = with_services(site, plan_of({"web", "open"}));
  CHECK(port_of(prepared, "web") != port_of(prepared, "open"));
  CHECK(port_of(prepared, "web") != 0);
  CHECK(port_of(prepared, "open") != 0);
}

TEST_CASE("a service gets the port that its manifest names", "[app]") {
  ServiceSite site;
  std::uint16_t free = 0;
  {
    const test::Listener gone;
    free = gone.port;
  }
  site.service_module("fixed", "  port: " + std::to_string(free) + "\n");
  const app::PreparedPlan prepared = with_services(site, plan_of({"fixed"}));
  CHECK(port_of(prepared, "fixed") == free);
  CHECK(prepared.notes == Texts{kLimits});
}

TEST_CASE("a port that another service holds is told with its owner and the port taken instead",
          "[app]") {
  ServiceSite site;
  site.present({site.instance("database")}, {});
  site.service_module("fixed", "  port: 18432\n");
  const app::PreparedPlan prepared = with_services(site, plan_of({"fixed"}));
  const std::uint16_t port = port_of(prepared, "fixed");
  CHECK(port != 18432);
  CHECK(prepared.notes ==
        Texts{"port 18432 is taken by database; fixed gets port " + std::to_string(port), kLimits});
}

TEST_CASE("a port that a program of the machine listens on is told with that program", "[app]") {
  ServiceSite site;
  const test::Listener taken;
  site.service_module("fixed", "  port: " + std::to_string(taken.port) + "\n");
  const app::PreparedPlan prepared = with_services(site, plan_of({"fixed"}));
  REQUIRE(prepared.notes.size() == 2);
  CHECK(prepared.notes.front() == "port " + std::to_string(taken.port) + " is taken by pid " +
                                      std::to_string(::getpid()) + " (unit_app); fixed gets port " +
                                      std::to_string(port_of(prepared, "fixed")));
}

TEST_CASE("a service is made of its manifest's template", "[app]") {
  ServiceSite site;
  app::Session session = site.session();
  const state::ServiceInstance made = app::rebuild_service(
      session, site.instance("database"), site.module("database"), site.activity);
  const std::string program = site.module("database").executables.at("run");
  const std::string data = site.layout().data("database").string();
  CHECK(made.argv == Texts{program, "--listen=127.0.0.1:18432"});
  CHECK(made.config ==
        std::map<std::string, std::string>{{"db.conf", "port = 18432\nhost = 127.0.0.1\n{}\n"}});
  CHECK(made.prepare ==
        std::vector<state::PreparedPath>{{data + "/main", {program, data + "/main.new"}}});
  CHECK(made.secrets == std::map<std::string, std::string>{{"password", "{word}"}});
  CHECK(made.environment ==
        std::map<std::string, std::string>{
            {"DATA", data}, {"FILE", (site.layout().secrets("database") / "password").string()}});
  CHECK(made.notifies);
  CHECK(made.health_kind == "exec");
  CHECK(made.health ==
        state::HealthRules{
            {program, "18432"}, {{"H", "127.0.0.1"}, {"W", "<{word}>"}}, "up", 2, 2000, 7});
  CHECK(made.start_period_s == 90);
  CHECK(made.limits == state::ServiceLimits{ByteSize::gib(1), 150, 64, 50, "0-3", ""});
  // The process supervisor reads no units.
  CHECK(made.unit_text.empty());
  CHECK(made.more_units.empty());
}

TEST_CASE("a service stays as its module's own manifest has it, whatever the catalog says by now",
          "[app]") {
  ServiceSite site;
  state::InstalledModule module = site.module("database");
  {
    app::Session session = site.session();
    app::PreparedPlan prepared = plan_of({"database", "library"});
    app::add_recipes(session, prepared.plan, site.activity);
    module.recipe = prepared.plan.actions.front().recipe;
    CHECK(prepared.plan.actions.back().recipe.empty());
  }
  REQUIRE(module.recipe.size() == 2);
  site.manifest("database", "service:\n  command: ['{exe.run}', '--new={port}']\n");
  app::Session session = site.session();
  const state::ServiceInstance instance = site.instance("database");
  const auto made = app::rebuild_service(session, instance, module, site.activity);
  CHECK(made.argv.back() == "--listen=127.0.0.1:18432");
  CHECK(made.config.at("db.conf") == "port = 18432\nhost = 127.0.0.1\n{}\n");
  CHECK(made.limits.tasks == 64);

  // An older record, and one that cannot be read: there is nothing else to go by.
  module.recipe.clear();
  CHECK(app::rebuild_service(session, instance, module, site.activity).argv.back() ==
        "--new=18432");
  module.recipe["manifest.yaml"] = "name: [";
  CHECK(app::rebuild_service(session, instance, module, site.activity).argv.back() ==
        "--new=18432");
}

TEST_CASE("making a service again changes nothing", "[app]") {
  ServiceSite site;
  app::Session session = site.session();
  const auto made = app::rebuild_service(
      session, site.instance("database"), site.module("database"), site.activity);
  CHECK(app::rebuild_service(session, made, site.module("database"), site.activity) == made);
}

TEST_CASE("a user's limits hold in place of the manifest's, each by itself", "[app]") {
  ServiceSite site;
  const auto limits = [&](const std::map<std::string, std::string>& options) {
    return limits_of_database(site, options);
  };
  CHECK(limits({{"limits.memory", "512MB"}}) ==
        state::ServiceLimits{ByteSize::mib(512), 150, 64, 50, "0-3", ""});
  CHECK(limits({{"limits.cpu_percent", "200"},
                {"limits.tasks", "8"},
                {"limits.io_weight", "1000"},
                {"limits.cpus", "7"}}) ==
        state::ServiceLimits{ByteSize::gib(1), 200, 8, 1000, "7", ""});
}

TEST_CASE("NUMA nodes stand for their cores, where this machine has them", "[app]") {
  ServiceSite site;
  const auto limits = [&](const std::map<std::string, std::string>& options) {
    return limits_of_database(site, options);
  };
  const auto refusal = [&](const std::map<std::string, std::string>& options) {
    const auto error = test::error_of([&] { limits(options); });
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::Usage);
    return error->message();
  };
  CHECK(refusal({{"limits.numa_nodes", "4095"}}) == "this machine has no such NUMA node");
  CHECK(refusal({{"limits.numa_nodes", "1-0"}}) == "this machine has no such NUMA node");
  const auto cores = site.files->try_read("/sys/devices/system/node/node0/cpulist");
  if (!cores) {
    WARN("SKIPPED: this machine does not tell of NUMA nodes");
    return;
  }
  const auto some = limits({{"limits.numa_nodes", "0"}});
  CHECK(some.numa_nodes == "0");
  CHECK(cores->starts_with(some.cpus));
  CHECK_FALSE(some.cpus.empty());
  CHECK(refusal({{"limits.numa_nodes", "0"}, {"limits.cpus", "0"}}).find("exclude each other") !=
        std::string::npos);
}

TEST_CASE("a service uses the services of the modules that its own needs, by name", "[app]") {
  ServiceSite site;
  app::Session session = site.session();
  const auto uses = [&](const Texts& needs) {
    return app::rebuild_service(
               session, site.instance("web"), site.module("web", needs), site.activity)
        .uses;
  };
  CHECK(uses({}).empty());
  CHECK(uses({"open", "library", "database", "unknown"}) == Texts{"database", "open"});
}

TEST_CASE("a module whose manifest no longer describes a service cannot run one", "[app]") {
  ServiceSite site;
  app::Session session = site.session();
  const auto error = test::error_of([&] {
    return app::rebuild_service(
        session, site.instance("library"), site.module("library"), site.activity);
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Unsatisfiable);
  CHECK(error->subject() == "library");
}
