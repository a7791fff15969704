#include "agent/os/virtio_port.hpp"

#include <fcntl.h>

#include <utility>

#include "agent/os/virtio_session.hpp"

namespace clockmend::os {

UniqueFd VirtioPort::open_device(const std::string& devnode) {
  // Always non-blocking: a blocking writer can wait for a host that never comes.
  return UniqueFd{::open(devnode.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)};
}

VirtioPort::VirtioPort(asio::io_context& io, std::string port_name, Opener opener)
    : session_(std::make_shared<Session>(io, std::move(port_name), std::move(opener))) {}

VirtioPort::~VirtioPort() { session_->close(); }
void VirtioPort::device_event(const core::DeviceEvent& event) { session_->device_event(event); }
void VirtioPort::start(OnBytes on_bytes, OnState on_state) { session_->start(std::move(on_bytes), std::move(on_state)); }
core::Status VirtioPort::send(std::string_view bytes) { return session_->send(bytes); }
std::size_t VirtioPort::pending() const { return session_->pending(); }
void VirtioPort::close() { session_->close(); }
core::StreamState VirtioPort::state() const { return session_->state(); }
std::string VirtioPort::devnode() const { return session_->devnode(); }

}  // namespace clockmend::os
