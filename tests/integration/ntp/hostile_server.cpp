#include "tests/integration/ntp/hostile_server.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <random>

#include "agent/os/clock_reader.hpp"

namespace clockmend::tests {

struct HostileServer::Peer {
  sockaddr_storage address{};
  socklen_t size = sizeof(sockaddr_storage);
};

namespace {

std::uint16_t port_of(const sockaddr_storage& a) {
  // sin_port and sin6_port share their place (ipv6(7), ip(7)).
  sockaddr_in in{};
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  __builtin_memcpy(&in, &a, sizeof in);
  return ntohs(in.sin_port);
}

int bound_socket(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return -1;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, ::freeaddrinfo};
  const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

HostileServer::HostileServer(const std::string& address, std::uint16_t port, HostilePlan plan) : plan_(std::move(plan)) {
  socket_ = bound_socket(address, port);
  stranger_ = bound_socket(address, 0);
  if (socket_ < 0) return;
  Peer self;
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&self.address), &self.size);
  port_ = port_of(self.address);
  thread_ = std::thread([this] { serve(); });
}

HostileServer::~HostileServer() {
  stop();
  if (socket_ >= 0) ::close(socket_);
  if (stranger_ >= 0) ::close(stranger_);
}

void HostileServer::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

std::vector<std::uint16_t> HostileServer::client_ports() {
  stop();
  return client_ports_;
}

void HostileServer::serve() {
  while (!stop_) {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) continue;
    fakes::Bytes request(2048);
    Peer client;
    const auto n = ::recvfrom(socket_, request.data(), request.size(), 0, reinterpret_cast<sockaddr*>(&client.address), &client.size);
    if (n < 0) continue;
    request.resize(static_cast<std::size_t>(n));
    ++requests_;
    client_ports_.push_back(port_of(client.address));
    answer(request, client);
  }
}

void HostileServer::answer(const fakes::Bytes& request, const Peer& client) {
  const auto now = os::LinuxClockReader{}.snapshot().realtime;
  const auto send = [&](int from, const fakes::Bytes& bytes) {
    (void)::sendto(from, bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&client.address), client.size);
  };
  auto script = plan_.script;
  script.processing = {};
  if (plan_.from_stranger) {
    auto lie = script;
    lie.error += core::seconds{3600};
    send(stranger_, fakes::ntp_reply(lie, request, now));
  }
  std::minstd_rand random(requests_);
  for (unsigned i = 0; i < plan_.garbage; ++i) {
    fakes::Bytes noise(random() % 1400);
    for (auto& b : noise) b = static_cast<std::byte>(random());
    send(socket_, noise);
  }
  if (script.bogus) send(socket_, script.bogus(request));
  if (plan_.silent) return;
  const auto reply = fakes::ntp_reply(script, request, now);
  for (unsigned i = 0; i < script.copies; ++i) send(socket_, reply);
}

}  // namespace clockmend::tests
