#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// An IPv4 or IPv6 address with port; `text` is numeric ("192.0.2.1", "fe80::1%eth0"), never a name.
struct Endpoint {
  std::string text;
  std::uint16_t port = 123;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Datagram {
  std::span<const std::byte> bytes;
  bool truncated = false;  // MSG_TRUNC: longer than the receive buffer
  /// Clocks at arrival: from the kernel's receive stamp (SO_TIMESTAMPNS) where it is plausible, else read on wake-up.
  ClockSnapshot received;
};

/// One UDP socket, connected to one peer (datagrams of anyone else never arrive), own random port.
class DatagramSocket {
 public:
  virtual ~DatagramSocket() = default;
  /// Sends at once; returns the clocks right before the send.
  virtual Result<ClockSnapshot> send(std::span<const std::byte> bytes) = 0;
};

class DatagramFactory {
 public:
  virtual ~DatagramFactory() = default;
  /// `on_datagram` for each arrival; `on_error` for ICMP errors (ECONNREFUSED, EHOSTUNREACH). Neither is called after the
  /// socket is destroyed, and a callback may destroy its own socket. Never delivers more than a bounded number per wake-up.
  virtual Result<std::unique_ptr<DatagramSocket>> open(const Endpoint& peer, std::function<void(const Datagram&)> on_datagram,
                                                       std::function<void(const Error&)> on_error) = 0;
};

/// Unpredictable bytes (getrandom(2)) for NTP transmit timestamps.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual std::uint64_t next64() = 0;
};

}  // namespace clockmend::core
