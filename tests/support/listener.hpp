// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catch.hpp"

#include <cerrno>
#include <cstdint>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace las::test {

/// Somebody's server on a port of this machine that the kernel chose, while the object lives.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket_, plain, size) == 0);
    REQUIRE(::listen(socket_, SOMAXCONN) == 0);
    REQUIRE(::getsockname(socket_, plain, &size) == 0);
    port = ntohs(address.sin_port);
  }

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  ~Listener() { ::close(socket_); }

  /// How many came since it was asked last.
  int connections() const {
    int count = 0;
    for (int came = 0; (came = ::accept(socket_, nullptr, nullptr)) >= 0; ++count)
      ::close(came);
    CHECK(errno == EAGAIN);
    return count;
  }

  std::uint16_t port = 0;

 private:
  int socket_;
};

}  // namespace las::test
