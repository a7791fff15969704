// A bad road between an NTP client and its server: delay, asymmetry, loss. Stands in for tc-netem(8), which is not in every
// kernel these tests meet. Both ends are ordinary sockets, in a thread of the test.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace clockmend::tests {

struct Road {
  std::chrono::milliseconds out{0};   // client to server
  std::chrono::milliseconds back{0};  // server to client
  /// Whether the n-th datagram (from 1, each way counted by itself) is lost. Runs in the relay's thread.
  std::function<bool(unsigned n, bool to_server)> loses;
};

class UdpRelay {
 public:
  /// Listens on `address` and asks `server`, both at `port`; ok() is false where that address cannot be had.
  UdpRelay(const std::string& address, std::string server, std::uint16_t port, Road road);
  ~UdpRelay();
  UdpRelay(const UdpRelay&) = delete;
  UdpRelay& operator=(const UdpRelay&) = delete;

  [[nodiscard]] bool ok() const { return socket_ >= 0; }
  [[nodiscard]] unsigned lost() const { return lost_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Client {  // one socket towards the server for each client port
    std::vector<char> address;
    int upstream = -1;
  };
  struct Parcel {
    std::vector<char> bytes;
    std::uint16_t client = 0;
    bool to_server = true;
  };

  void run();
  void take_request();
  void take_reply(std::uint16_t client);
  void send_off(Parcel parcel);
  void deliver_due();

  std::string server_;
  std::uint16_t server_port_;
  Road road_;
  int socket_ = -1;
  std::map<std::uint16_t, Client> clients_;
  std::multimap<Clock::time_point, Parcel> on_the_road_;
  unsigned sent_out_ = 0;
  unsigned sent_back_ = 0;
  std::atomic<unsigned> lost_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace clockmend::tests
