// SPDX-License-Identifier: Apache-2.0
// What the process supervisor makes before the first start of a service.
#include "support/error_of.hpp"
#include "workshop.hpp"

using namespace las;
using namespace las::service;

namespace {

/// A service that wants "main" in its data, made by the shell script `make`; $0 is what it makes.
state::ServiceInstance preparing(const Workshop& shop, const std::string& make) {
  auto service = shop.script(kServe);
  const std::string wanted = service.data_directory + "/main";
  service.prepare = {{wanted, {"/bin/sh", "-c", make, wanted + ".new"}}};
  return service;
}

std::optional<Error> start_fault(Workshop& shop, const state::ServiceInstance& service) {
  return test::error_of([&] {
    shop.supervisor->start(service, shop.activity);
    return 0;
  });
}

const std::string kMake = "mkdir \"$0\" && echo made >>made && pwd >\"$0/where\"";

}  // namespace

TEST_CASE("what a service needs in its data is made before the first start, and once",
          "[service]") {
  Workshop shop;
  const auto service = preparing(shop, kMake);
  shop.start(service);
  const std::filesystem::path data = service.data_directory;
  CHECK(shop.files->read_file(data / "main/where") == data.string() + "\n");
  CHECK_FALSE(shop.files->exists(data / "main.new"));
  shop.supervisor->stop(service, shop.activity);
  shop.start(service);
  CHECK(shop.files->read_file(data / "made") == "made\n");
}

TEST_CASE("a preparation has the environment of its service", "[service]") {
  Workshop shop;
  auto service = preparing(shop, "env >\"$0\"");
  service.environment["COLOUR"] = "blue green";
  shop.start(service);
  const std::string made =
      shop.files->read_file(std::filesystem::path(service.data_directory) / "main");
  for (const std::string& line : {std::string("COLOUR=blue green"),
                                  "HOME=" + service.data_directory,
                                  std::string("LANG=C.UTF-8")}) {
    INFO(made);
    CHECK(("\n" + made).find("\n" + line + "\n") != std::string::npos);
  }
}

TEST_CASE("what was made by half is made anew", "[service]") {
  Workshop shop;
  const auto service = preparing(shop, kMake);
  const std::filesystem::path data = service.data_directory;
  shop.files->make_directories(data / "main.new/half");
  shop.start(service);
  CHECK(shop.files->exists(data / "main/where"));
  CHECK_FALSE(shop.files->exists(data / "main/half"));
}

TEST_CASE("a preparation that fails is told and leaves nothing under the final name", "[service]") {
  Workshop shop;
  const auto service = preparing(shop, "mkdir \"$0\"; echo 'no locale de_DE' >&2; exit 3");
  const auto error = start_fault(shop, service);
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Io);
  CHECK(std::string(error->what()) ==
        "the first start could not be prepared: tiny: /bin/sh: no locale de_DE");
  const std::filesystem::path data = service.data_directory;
  CHECK_FALSE(shop.files->exists(data / "main"));
  CHECK(shop.supervisor->status(service).pid == 0);

  auto mended = preparing(shop, kMake);
  shop.start(mended);
  CHECK(shop.files->exists(data / "main/where"));
}

TEST_CASE("a preparation that fails without a word on stderr is told by its output", "[service]") {
  Workshop shop;
  const auto error = start_fault(shop, preparing(shop, "echo 'disk is full'; exit 1"));
  REQUIRE(error);
  CHECK(error->cause() == "/bin/sh: disk is full");
}

TEST_CASE("a preparation that made nothing is a fault", "[service]") {
  Workshop shop;
  const auto service = preparing(shop, "true");
  CHECK(start_fault(shop, service));
  CHECK(shop.supervisor->status(service).pid == 0);
}

TEST_CASE("preparations are made in their order, each only where it lacks", "[service]") {
  Workshop shop;
  auto service = shop.script(kServe);
  const std::string data = service.data_directory;
  for (const char* name : {"/one", "/two", "/three"})
    service.prepare.push_back(
        {data + name,
         {"/bin/sh", "-c", "echo \"$0\" >>order && touch \"$0\"", data + name + ".new"}});
  shop.files->make_directories(data);
  shop.files->replace_file(data + "/two", "is there");
  shop.start(service);
  CHECK(shop.files->read_file(data + "/order") == data + "/one.new\n" + data + "/three.new\n");
  CHECK(shop.files->read_file(data + "/two") == "is there");
}

TEST_CASE("installing makes a service's secrets before it starts", "[service]") {
  Workshop shop;
  auto service = shop.script(kServe);
  service.secrets = {{"password", "{word}"}};
  shop.supervisor->install({service}, {}, shop.activity);
  CHECK(shop.files->exists(shop.layout.secrets("tiny") / "password"));
}

TEST_CASE("log files hold no times, so that since when cannot be asked", "[service]") {
  Workshop shop;
  LogQuery query;
  query.since = "-1h";
  const auto error = test::error_of([&] {
    shop.supervisor->read_log(
        shop.script(kServe), query, [](const std::string&) {}, shop.activity);
    return 0;
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::Usage);
  CHECK(error->hint() == "leave out --since");
}
