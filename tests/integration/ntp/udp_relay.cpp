#include "tests/integration/ntp/udp_relay.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "tests/integration/ntp/sockets.hpp"

namespace clockmend::tests {

namespace {
constexpr std::size_t kLongest = 2048;
constexpr std::size_t kMostClients = 256;
}  // namespace

UdpRelay::UdpRelay(const std::string& address, std::string server, std::uint16_t port, Road road)
    : server_(std::move(server)), server_port_(port), road_(std::move(road)), socket_(bound_socket(address, port)) {
  if (socket_ >= 0) thread_ = std::thread([this] { run(); });
}

UdpRelay::~UdpRelay() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  for (const auto& [port, client] : clients_) ::close(client.upstream);
  if (socket_ >= 0) ::close(socket_);
}

void UdpRelay::run() {
  while (!stop_) {
    std::vector<pollfd> waiting{{socket_, POLLIN, 0}};
    std::vector<std::uint16_t> whose{0};
    for (const auto& [port, client] : clients_) {
      waiting.push_back({client.upstream, POLLIN, 0});
      whose.push_back(port);
    }
    std::chrono::nanoseconds patience = std::chrono::milliseconds{20};
    if (!on_the_road_.empty()) patience = std::min<std::chrono::nanoseconds>(patience, on_the_road_.begin()->first - Clock::now());
    patience = std::max(patience, std::chrono::nanoseconds::zero());
    const timespec timeout{0, patience.count()};
    (void)::ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
    for (std::size_t i = 1; i < waiting.size(); ++i)
      if (waiting[i].revents != 0) take_reply(whose[i]);
    if (waiting[0].revents != 0) take_request();
    deliver_due();
  }
}

void UdpRelay::take_request() {
  Parcel parcel;
  parcel.bytes.resize(kLongest);
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const auto n = ::recvfrom(socket_, parcel.bytes.data(), kLongest, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
  if (n < 0) return;
  parcel.bytes.resize(static_cast<std::size_t>(n));
  parcel.client = port_of(from);
  auto found = clients_.find(parcel.client);
  if (found == clients_.end()) {
    if (clients_.size() >= kMostClients) return;
    const auto* raw = reinterpret_cast<const char*>(&from);
    found = clients_.emplace(parcel.client, Client{{raw, raw + size}, connected_socket(server_, server_port_)}).first;
  }
  send_off(std::move(parcel));
}

void UdpRelay::take_reply(std::uint16_t client) {
  Parcel parcel;
  parcel.bytes.resize(kLongest);
  const auto n = ::recv(clients_.at(client).upstream, parcel.bytes.data(), kLongest, MSG_DONTWAIT);
  if (n < 0) return;
  parcel.bytes.resize(static_cast<std::size_t>(n));
  parcel.client = client;
  parcel.to_server = false;
  send_off(std::move(parcel));
}

void UdpRelay::send_off(Parcel parcel) {
  const unsigned n = parcel.to_server ? ++sent_out_ : ++sent_back_;
  if (road_.loses && road_.loses(n, parcel.to_server)) {
    ++lost_;
    return;
  }
  on_the_road_.emplace(Clock::now() + (parcel.to_server ? road_.out : road_.back), std::move(parcel));
}

void UdpRelay::deliver_due() {
  while (!on_the_road_.empty() && on_the_road_.begin()->first <= Clock::now()) {
    const auto first = on_the_road_.begin();
    const auto& [bytes, port, to_server] = first->second;
    const auto& client = clients_.at(port);
    if (to_server) {
      (void)::send(client.upstream, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
      (void)::sendto(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(client.address.data()),
                     static_cast<socklen_t>(client.address.size()));
    }
    on_the_road_.erase(first);
  }
}

}  // namespace clockmend::tests
