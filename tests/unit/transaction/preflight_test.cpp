// SPDX-License-Identifier: Apache-2.0
// What is refused before anything is begun.
#include "bench.hpp"
#include "support/catch.hpp"
#include "support/listener.hpp"

using namespace las;
using namespace las::test;

namespace {

plan::Plan deploy_on(Process& process, std::uint16_t port, const std::string& id = "tiny") {
  plan::Plan plan = deploy_plan(process.current());
  plan.actions.front().subject = id;
  plan.actions.front().service->id = id;
  plan.actions.front().service->port = port;
  return plan;
}

Error refusal(Process& process, const plan::Plan& plan) {
  const std::size_t effects = process.files().effect_count();
  try {
    run_plan(process, plan);
  } catch (const Error& error) {
    CHECK(process.files().effect_count() == effects);
    CHECK_FALSE(process.journal_open());
    return error;
  }
  return Error(ErrorKind::Usage, "it was begun");
}

}  // namespace

TEST_CASE("a port on which somebody listens is refused before anything is begun",
          "[transaction][preflight]") {
  World world;
  Process process(world);
  run_plan(process, install_plan(plan::Action::Install, "1"));
  const Listener other;
  const Error error = refusal(process, deploy_on(process, other.port));
  CHECK(error.kind() == ErrorKind::Busy);
  CHECK(error.message() == "port " + std::to_string(other.port) + " is taken");
  CHECK(error.cause() == "something that is not las's listens there");
}

TEST_CASE("a port that another service has is refused with its owner's name",
          "[transaction][preflight]") {
  World world;
  Process process(world);
  run_plan(process, install_plan(plan::Action::Install, "1"));
  std::uint16_t port = 0;
  {
    const Listener free;
    port = free.port;
  }
  run_plan(process, deploy_on(process, port));
  const Error error = refusal(process, deploy_on(process, port, "second"));
  CHECK(error.kind() == ErrorKind::Busy);
  CHECK(error.cause() == "it belongs to tiny");
  // Its own port a service may keep.
  plan::Plan again = deploy_on(process, port);
  again.actions.front().service->options = {{"x", "y"}};
  run_plan(process, again);
}

TEST_CASE("space is counted for each file system on its own", "[transaction][preflight]") {
  World world;
  Process process(world);
  plan::Plan plan = install_plan(plan::Action::Install, "1");
  plan.actions.front().download_size = ByteSize(1);
  plan.actions.front().installed_size = ByteSize(UINT64_MAX / 2);
  const Error error = refusal(process, plan);
  CHECK(error.kind() == ErrorKind::NoSpace);
  CHECK(error.subject() == (world.layout.root / "var").string());
}
