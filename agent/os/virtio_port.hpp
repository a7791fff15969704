// The agent's end of a virtio-serial port (drivers/char/virtio_console.c), as a byte stream that comes and goes.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agent/core/ports/byte_stream.hpp"
#include "agent/core/ports/watches.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// Finds its port by name among the events given to device_event(), opens it and holds it open: closing throws unread
/// bytes away, and only an open port is told that the host connected.
class VirtioPort final : public core::ByteStream {
 public:
  /// Opens a device path; the errno is the error (tests put something else than a port behind it).
  using Opener = std::function<UniqueFd(const std::string& devnode)>;

  VirtioPort(asio::io_context& io, std::string port_name, Opener opener = &VirtioPort::open_device);
  VirtioPort(const VirtioPort&) = delete;
  VirtioPort& operator=(const VirtioPort&) = delete;
  ~VirtioPort() override;

  /// From the loop, for every event of a DeviceSource; events of other devices are ignored.
  void device_event(const core::DeviceEvent& event);

  void start(OnBytes on_bytes, OnState on_state) override;
  core::Status send(std::string_view bytes) override;
  [[nodiscard]] std::size_t pending() const override;
  /// For good: later device events are ignored.
  void close() override;
  [[nodiscard]] core::StreamState state() const override;
  /// "/dev/vport1p1", or empty while the port does not exist.
  [[nodiscard]] std::string devnode() const;

 private:
  static UniqueFd open_device(const std::string& devnode);
  class Session;
  std::shared_ptr<Session> session_;
};

}  // namespace clockmend::os
