// Connected UDP sockets on the event loop.
#pragma once

#include <asio/io_context.hpp>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/datagram.hpp"

namespace clockmend::os {

class UdpFactory final : public core::DatagramFactory {
 public:
  UdpFactory(asio::io_context& io, core::ClockReader& clocks) : io_(io), clocks_(clocks) {}

  core::Result<std::unique_ptr<core::DatagramSocket>> open(const core::Endpoint& peer,
                                                           std::function<void(const core::Datagram&)> on_datagram,
                                                           std::function<void(const core::Error&)> on_error) override;

 private:
  asio::io_context& io_;
  core::ClockReader& clocks_;
};

}  // namespace clockmend::os
