// A real NTP server on a loopback address, in a thread of its own, that lies, floods and forges as the test says. It only
// reads this machine's clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/fakes/fake_ntp_server.hpp"

namespace clockmend::tests {

struct HostilePlan {
  fakes::NtpServerScript script;  // header, error, copies, bogus, tamper, length; its delays are not played
  bool silent = false;
  unsigned garbage = 0;  // datagrams of random bytes before the reply
  /// So many replies that lie by an hour come first: half from another port of the address that was asked, half from the
  /// right port of another address (IPv4 only). Off-path attackers have to guess the client's port; these know it.
  unsigned strangers = 0;
  /// Sent before the reply, from the address and port that were asked; `n` counts requests from 1. Runs in the server's thread.
  std::function<std::vector<fakes::Bytes>(const fakes::Bytes& request, unsigned n)> before;
  /// An ICMP error that quotes the request comes first (needs a network namespace of its own, IPv4).
  bool forge_icmp = false;
};

class HostileServer {
 public:
  struct Request {
    std::uint16_t client_port = 0;
    fakes::Bytes bytes;
  };

  /// Binds `address` at `port` (0: any free one); port() is 0 if that failed.
  HostileServer(const std::string& address, std::uint16_t port, HostilePlan plan);
  ~HostileServer();
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] unsigned requests() const { return requests_; }
  /// Another address with the same port could be had, from which `strangers` speak.
  [[nodiscard]] bool has_stranger() const { return elsewhere_ >= 0; }
  /// What clients sent, in order; call after the client is done.
  [[nodiscard]] const std::vector<Request>& seen();
  /// Answers what has arrived so far, and nothing after that.
  void stop();

 private:
  struct Peer;
  void serve();
  bool serve_one();
  void answer(const fakes::Bytes& request, const Peer& client);
  void play_strangers(const fakes::Bytes& request, const Peer& client) const;

  HostilePlan plan_;
  std::string address_;
  int socket_ = -1;
  int stranger_ = -1;   // same address, another port
  int elsewhere_ = -1;  // another address, same port
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<unsigned> requests_{0};
  std::vector<Request> seen_;
  std::thread thread_;
};

}  // namespace clockmend::tests
