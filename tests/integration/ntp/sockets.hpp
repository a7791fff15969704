// UDP sockets for servers and relays that live beside the client under test.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace clockmend::tests {

/// Bound to a numeric address, with a scope where it needs one, at `port` (0: any free one); -1 if that cannot be had.
[[nodiscard]] int bound_socket(const std::string& address, std::uint16_t port);
/// Connected to a numeric address; -1 if that cannot be had.
[[nodiscard]] int connected_socket(const std::string& address, std::uint16_t port);
[[nodiscard]] std::uint16_t port_of(const sockaddr_storage& address);
[[nodiscard]] std::uint16_t bound_port(int fd);

/// Moves this thread, and whom it starts from here on, into a network namespace of its own: nothing but a loopback interface
/// that is up and has fe80::1 besides its usual addresses. Where that is forbidden, says why and leaves everything as it is.
[[nodiscard]] std::string enter_own_network();

}  // namespace clockmend::tests
