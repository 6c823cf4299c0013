// SPDX-License-Identifier: Apache-2.0
#include "las/platform/net.hpp"

#include "support/catch.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace las::platform;

namespace {

/// A stand-in service: a socket bound to a port that the kernel chose.
class Socket {
 public:
  explicit Socket(std::uint32_t address) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(fd_ >= 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(address);
    socklen_t size = sizeof name;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&name), size) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size) == 0);
    port_ = ntohs(name.sin_port);
  }

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  ~Socket() { close(); }

  void listen() const { REQUIRE(::listen(fd_, 1) == 0); }

  void close() {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = -1;
  }

  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("a port that something listens on is not free", "[platform]") {
  Socket service(INADDR_LOOPBACK);
  service.listen();
  CHECK_FALSE(port_is_free(service.port()));
  CHECK(port_accepts(service.port()));
}

TEST_CASE("a port taken on every address is not free on the loopback", "[platform]") {
  Socket service(INADDR_ANY);
  service.listen();
  CHECK_FALSE(port_is_free(service.port()));
  CHECK(port_accepts(service.port()));
}

TEST_CASE("a port that is only bound is taken, but accepts nothing", "[platform]") {
  const Socket service(INADDR_LOOPBACK);
  CHECK_FALSE(port_is_free(service.port()));
  CHECK_FALSE(port_accepts(service.port()));
}

TEST_CASE("a port that nobody has is free", "[platform]") {
  // Somebody else may take one of them meanwhile, not all.
  bool found = false;
  for (int i = 0; i < 10 && !found; ++i) {
    Socket service(INADDR_LOOPBACK);
    service.close();
    found = port_is_free(service.port()) && !port_accepts(service.port());
  }
  CHECK(found);
}
