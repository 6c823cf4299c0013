// SPDX-License-Identifier: Apache-2.0
#include "las/platform/net.hpp"

#include "descriptor.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace las::platform {

namespace {

constexpr int kConnectTimeoutMs = 1000;

// Nothing where this kernel has no such family.
Descriptor open_socket(int family) {
  Descriptor descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!descriptor && errno != EAFNOSUPPORT)
    throw system_error(errno, _("cannot open a socket"));
  return descriptor;
}

void enable(const Descriptor& descriptor, int level, int option) {
  const int on = 1;
  static_cast<void>(::setsockopt(descriptor.get(), level, option, &on, sizeof on));
}

template <typename Address>
bool can_bind(const Descriptor& descriptor, const Address& address) {
  enable(descriptor, SOL_SOCKET, SO_REUSEADDR);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  // No such address here (IPv6 disabled): nothing can take it.
  return ::bind(descriptor.get(), generic, sizeof address) == 0 || errno == EADDRNOTAVAIL;
}

sockaddr_in loopback4(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

bool port_is_free(std::uint16_t port) {
  const Descriptor four = open_socket(AF_INET);
  if (four && !can_bind(four, loopback4(port)))
    return false;
  const Descriptor six = open_socket(AF_INET6);
  if (!six)
    return true;
  enable(six, IPPROTO_IPV6, IPV6_V6ONLY);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_addr = in6addr_loopback;
  return can_bind(six, address);
}

bool port_accepts(std::uint16_t port) {
  const Descriptor descriptor = open_socket(AF_INET);
  if (!descriptor)
    return false;
  const sockaddr_in address = loopback4(port);
  if (::connect(descriptor.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return true;
  if (errno != EINPROGRESS)
    return false;
  pollfd event{descriptor.get(), POLLOUT, 0};
  if (retry_on_signal([&] { return ::poll(&event, 1, kConnectTimeoutMs); }) <= 0)
    return false;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(descriptor.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

}  // namespace las::platform
