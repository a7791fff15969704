#include "tests/integration/ntp/sockets.hpp"

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace clockmend::tests {

namespace {

// struct in6_ifreq of linux/ipv6.h, which cannot be included beside netinet/in.h.
struct AddressRequest {
  in6_addr address;
  std::uint32_t prefix;
  int interface;
};

int numeric_socket(const std::string& address, std::uint16_t port, int (*use)(int, const sockaddr*, socklen_t)) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, ::freeaddrinfo};
  const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && use(fd, found->ai_addr, found->ai_addrlen) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

std::string raise_loopback() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::strerror(errno);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
  const bool up = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  const std::string why = up ? "" : std::strerror(errno);
  ::close(fd);
  const int six = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (six < 0) return why;  // no IPv6: the tests that need it say so
  AddressRequest address{{}, 64, static_cast<int>(::if_nametoindex("lo"))};
  address.address.s6_addr[0] = 0xFE;
  address.address.s6_addr[1] = 0x80;
  address.address.s6_addr[15] = 1;
  const bool added = ::ioctl(six, SIOCSIFADDR, &address) == 0;
  ::close(six);
  // The kernel makes it usable a moment later, from a queue of its own (duplicate address detection, RFC 4862).
  for (int i = 0; added && i < 500; ++i) {
    const int fd6 = bound_socket("fe80::1%lo", 0);
    if (fd6 >= 0) {
      ::close(fd6);
      break;
    }
    ::poll(nullptr, 0, 10);
  }
  return why;
}

}  // namespace

int bound_socket(const std::string& address, std::uint16_t port) { return numeric_socket(address, port, ::bind); }

int connected_socket(const std::string& address, std::uint16_t port) { return numeric_socket(address, port, ::connect); }

std::uint16_t port_of(const sockaddr_storage& address) {
  // sin_port and sin6_port share their place (ipv6(7), ip(7)).
  sockaddr_in in{};
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  std::memcpy(&in, &address, sizeof in);
  return ntohs(in.sin_port);
}

std::uint16_t bound_port(int fd) {
  sockaddr_storage self{};
  socklen_t size = sizeof self;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&self), &size);
  return port_of(self);
}

std::string enter_own_network() {
  if (::unshare(CLONE_NEWNET) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return std::string("no network namespace can be made here: ") + std::strerror(errno);
  return raise_loopback();
}

}  // namespace clockmend::tests
