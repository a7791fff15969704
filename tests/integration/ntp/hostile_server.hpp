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
  /// The same reply with a lie of an hour, sent first, from another address or port than the client asked.
  bool from_stranger = false;
};

class HostileServer {
 public:
  /// Binds `address` at `port` (0: any free one); port() is 0 if that failed.
  HostileServer(const std::string& address, std::uint16_t port, HostilePlan plan);
  ~HostileServer();
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] unsigned requests() const { return requests_; }
  /// Client ports seen, in order; call after the client is done.
  [[nodiscard]] std::vector<std::uint16_t> client_ports();
  void stop();

 private:
  struct Peer;
  void serve();
  void answer(const fakes::Bytes& request, const Peer& client);

  HostilePlan plan_;
  int socket_ = -1;
  int stranger_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<unsigned> requests_{0};
  std::vector<std::uint16_t> client_ports_;
  std::thread thread_;
};

}  // namespace clockmend::tests
