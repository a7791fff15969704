#include "tests/integration/ntp/hostile_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "agent/os/clock_reader.hpp"
#include "tests/integration/ntp/sockets.hpp"

namespace clockmend::tests {

struct HostileServer::Peer {
  sockaddr_storage address{};
  socklen_t size = sizeof(sockaddr_storage);
};

namespace {

constexpr auto kElsewhere = "127.0.0.250";

void send_to(int from, const fakes::Bytes& bytes, const sockaddr_storage& to, socklen_t size) {
  (void)::sendto(from, bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), size);
}

core::RealtimePoint now() { return os::LinuxClockReader{}.snapshot().realtime; }

std::uint16_t checksum(const fakes::Bytes& bytes) {  // RFC 1071
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += fakes::get_be(bytes, i, 2);
  while (sum > 0xFFFFU) sum = (sum & 0xFFFFU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum & 0xFFFFU);
}

/// "Port unreachable" for a datagram of `client` to `server` (RFC 792): the kernel finds the socket by what is quoted.
void send_icmp_error(const std::string& server, std::uint16_t port, const sockaddr_storage& client, socklen_t size) {
  sockaddr_in from{};
  __builtin_memcpy(&from, &client, sizeof from);
  in_addr to{};
  ::inet_pton(AF_INET, server.c_str(), &to);
  fakes::Bytes packet(8 + 20 + 8, std::byte{0});
  fakes::put_be(packet, 0, 3, 1);  // destination unreachable
  fakes::put_be(packet, 1, 3, 1);  // port unreachable
  fakes::put_be(packet, 8, 0x45, 1);
  fakes::put_be(packet, 10, 20 + 8 + 48, 2);
  fakes::put_be(packet, 16, 64, 1);
  fakes::put_be(packet, 17, IPPROTO_UDP, 1);
  fakes::put_be(packet, 20, ntohl(from.sin_addr.s_addr), 4);
  fakes::put_be(packet, 24, ntohl(to.s_addr), 4);
  fakes::put_be(packet, 28, ntohs(from.sin_port), 2);
  fakes::put_be(packet, 30, port, 2);
  fakes::put_be(packet, 32, 8 + 48, 2);
  fakes::put_be(packet, 2, checksum(packet), 2);
  const int raw = ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
  if (raw < 0) return;
  sockaddr_storage target{};
  from.sin_port = 0;
  __builtin_memcpy(&target, &from, sizeof from);
  send_to(raw, packet, target, size);
  ::close(raw);
}

}  // namespace

HostileServer::HostileServer(const std::string& address, std::uint16_t port, HostilePlan plan)
    : plan_(std::move(plan)), address_(address), socket_(bound_socket(address, port)), stranger_(bound_socket(address, 0)) {
  if (socket_ < 0) return;
  port_ = bound_port(socket_);
  if (plan_.strangers > 0 && address.find(':') == std::string::npos) elsewhere_ = bound_socket(kElsewhere, port_);
  thread_ = std::thread([this] { serve(); });
}

HostileServer::~HostileServer() {
  stop();
  for (const int fd : {socket_, stranger_, elsewhere_})
    if (fd >= 0) ::close(fd);
}

void HostileServer::stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

const std::vector<HostileServer::Request>& HostileServer::seen() {
  stop();
  return seen_;
}

void HostileServer::serve() {
  while (!stop_) {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, 20) > 0) (void)serve_one();
  }
  while (serve_one()) continue;  // on a busy machine this thread may be behind
}

bool HostileServer::serve_one() {
  fakes::Bytes request(2048);
  Peer client;
  const auto n =
      ::recvfrom(socket_, request.data(), request.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&client.address), &client.size);
  if (n < 0) return false;
  request.resize(static_cast<std::size_t>(n));
  ++requests_;
  seen_.push_back({port_of(client.address), request});
  answer(request, client);
  return true;
}

void HostileServer::play_strangers(const fakes::Bytes& request, const Peer& client) const {
  auto lie = plan_.script;
  lie.error += core::seconds{3600};
  const auto packet = fakes::ntp_reply(lie, request, now());
  for (unsigned i = 0; i < plan_.strangers; ++i) {
    const bool port_is_wrong = i % 2 == 0 || elsewhere_ < 0;
    send_to(port_is_wrong ? stranger_ : elsewhere_, packet, client.address, client.size);
  }
}

void HostileServer::answer(const fakes::Bytes& request, const Peer& client) {
  const auto arrival = now();
  const auto send = [&](const fakes::Bytes& bytes) { send_to(socket_, bytes, client.address, client.size); };
  auto script = plan_.script;
  script.processing = {};
  play_strangers(request, client);
  if (plan_.forge_icmp) send_icmp_error(address_, port_, client.address, client.size);
  std::minstd_rand random(requests_);
  for (unsigned i = 0; i < plan_.garbage; ++i) {
    fakes::Bytes noise(random() % 1400);
    for (auto& b : noise) b = static_cast<std::byte>(random());
    send(noise);
  }
  if (plan_.before)
    for (const auto& packet : plan_.before(request, requests_)) send(packet);
  if (script.bogus) send(script.bogus(request));
  if (plan_.silent) return;
  const auto reply = fakes::ntp_reply(script, request, arrival);
  for (unsigned i = 0; i < script.copies; ++i) send(reply);
}

}  // namespace clockmend::tests
