#include "agent/os/virtio_session.hpp"

#include <sys/epoll.h>

#include <asio/post.hpp>
#include <cerrno>
#include <utility>

#include "agent/os/descriptor.hpp"

namespace clockmend::os {
namespace {

constexpr std::size_t kPortReadSize = 4096;
constexpr int kPortReadsPerWakeup = 16;
constexpr std::size_t kWriteSize = 32768;  // virtio_console takes no more per call
constexpr std::chrono::seconds kLongestRetry{30};
// Kernels without the fix of late 2025 can lose the wake-up of a writer; nothing pending waits longer than this.
constexpr std::chrono::seconds kWriteRetry{1};
// QEMU holds what the host wrote back until the guest opens the port, then delivers it within milliseconds.
constexpr std::chrono::milliseconds kBacklogTime{250};
constexpr std::string_view kGuestAgentPort = "org.qemu.guest_agent.0";

}  // namespace

VirtioPort::Session::Session(asio::io_context& io, std::string port_name, Opener opener)
    : io_(io), port_name_(std::move(port_name)), opener_(std::move(opener)), descriptor_(io), retry_(io) {}

void VirtioPort::Session::start(OnBytes on_bytes, OnState on_state) {
  on_bytes_ = std::move(on_bytes);
  on_state_ = std::move(on_state);
  asio::post(io_, [self = shared_from_this()] {
    if (self->on_state_ && !self->devnode_.empty() && !self->port_) self->open_port();
  });
}

void VirtioPort::Session::device_event(const core::DeviceEvent& event) {
  if (event.subsystem != "virtio-ports") return;
  if (event.action == core::DeviceAction::remove) {
    if (devnode_.empty() || (event.devnode != devnode_ && event.name != port_name_)) return;
    devnode_.clear();
    return lose("the port was unplugged");
  }
  if (event.name != port_name_ || event.devnode.empty()) return;
  if (port_ && event.devnode == devnode_) return;
  release();
  devnode_ = event.devnode;
  retry_after_ = std::chrono::seconds{1};
  if (on_state_) open_port();
}

void VirtioPort::Session::open_port() {
  retry_.cancel();
  UniqueFd port = opener_(devnode_);
  if (!port) return open_failed(errno);
  opened_at_ = std::chrono::steady_clock::now();
  if (auto watched = watch_port(std::move(port)); !watched) {
    release();
    set_state(core::StreamState::error, watched.error().text);
    return retry_later();
  }
  retry_after_ = std::chrono::seconds{1};
  set_state(core::StreamState::open, devnode_);
  if (port_) look();
}

void VirtioPort::Session::open_failed(int number) {
  const core::Error error = errno_error(number, devnode_);
  if (error.code == core::ErrorCode::not_found) return set_state(core::StreamState::gone, error.text);
  const bool busy = number == EBUSY || number == EMFILE;  // EMFILE: the same from kernels before 3.10
  const char* who = port_name_ == kGuestAgentPort ? " is held by another process: where the QEMU guest agent runs, its port is not ours"
                                                  : " is held by another process";
  set_state(busy ? core::StreamState::busy : core::StreamState::error, busy ? devnode_ + who : error.text);
  retry_later();
}

core::Status VirtioPort::Session::watch_port(UniqueFd port) {
  auto poller = PortPoller::open(port.get());
  if (!poller) return poller.error();
  UniqueFd copy{::dup(poller->fd())};
  if (!copy) return errno_error(errno, "dup");
  if (auto adopted = adopt(descriptor_, std::move(copy)); !adopted) return adopted;
  port_ = std::move(port);
  poller_.emplace(std::move(poller).value());
  return core::success();
}

void VirtioPort::Session::retry_later() {
  if (!on_state_) return;
  retry_.expires_after(retry_after_);
  retry_after_ = std::min(retry_after_ * 2, kLongestRetry);
  retry_.async_wait([self = shared_from_this()](const asio::error_code& ec) {
    if (!ec && !self->port_ && self->on_state_ && !self->devnode_.empty()) self->open_port();
  });
}

void VirtioPort::Session::wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
    if (!ec && self->port_) self->look();
  });
}

void VirtioPort::Session::look() {
  const std::uint32_t mask = poller_->take();
  if (mask != 0) handle(mask);
  if (port_) wait();
}

// What the host wrote before it left is still delivered before its leaving is reported.
void VirtioPort::Session::handle(std::uint32_t mask) {
  const bool host_gone = (mask & EPOLLHUP) != 0;
  const bool leaves = host_gone && state_ == core::StreamState::host_connected;
  if (!host_gone) set_state(core::StreamState::host_connected, devnode_);
  // virtio_console tells of the host by a work queue and of its data by an interrupt, so a first request can come before
  // its host: the answer is kept until the host shows.
  host_is_due_ = host_gone && !leaves;
  if (port_) drain();
  if (!port_) return;
  if (leaves) outgoing_.clear();  // QEMU would throw it away
  if (host_gone) return set_state(core::StreamState::host_disconnected, devnode_);
  flush();
}

void VirtioPort::Session::drain() {
  for (int i = 0; i < kPortReadsPerWakeup; ++i) {
    if (!read_once()) return;
  }
  // The edge is used up and more may wait: the others first, then go on.
  asio::post(io_, [self = shared_from_this()] {
    if (self->port_) self->drain();
  });
}

// False when there is nothing (more) to read, or nobody to read for.
bool VirtioPort::Session::read_once() {
  if (!port_ || !on_bytes_) return false;
  char buffer[kPortReadSize];
  const ssize_t n = ::read(port_.get(), buffer, sizeof buffer);
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && errno == EAGAIN) return false;
  if (n < 0) {
    lose(errno_error(errno, devnode_).text);  // ENODEV: unplugged
    return false;
  }
  if (n == 0) return false;        // host not connected and nothing left
  const OnBytes call = on_bytes_;  // the callback may close() us
  call({buffer, static_cast<std::size_t>(n)}, arrival());
  return true;
}

core::Status VirtioPort::Session::send(std::string_view bytes) {
  if (state_ != core::StreamState::host_connected && !(port_ && host_is_due_)) {
    return core::Error{core::ErrorCode::unavailable, std::string("nobody listens on the host side: ") + to_string(state_)};
  }
  if (auto queued = outgoing_.add(bytes); !queued) return queued;
  flush();
  return core::success();
}

void VirtioPort::Session::flush() {
  while (port_ && !outgoing_.empty()) {
    const std::string_view next = outgoing_.front().substr(0, kWriteSize);
    const ssize_t n = ::write(port_.get(), next.data(), next.size());
    if (n < 0 && errno == EINTR) continue;
    if (n > 0) {
      outgoing_.drop(static_cast<std::size_t>(n));
      continue;
    }
    // EAGAIN: the queue is full or the host just left. Anything else shows again, and is dealt with, on reading.
    return arm_write_retry();
  }
}

void VirtioPort::Session::arm_write_retry() {
  retry_.expires_after(kWriteRetry);
  retry_.async_wait([self = shared_from_this()](const asio::error_code& ec) {
    if (ec || !self->port_) return;
    self->host_is_due_ = false;
    self->drain();
    if (self->state_ == core::StreamState::host_connected) return self->flush();
    self->outgoing_.clear();  // the host that asked is gone: the next one must not get its answers
  });
}

void VirtioPort::Session::lose(const std::string& why) {
  release();
  set_state(core::StreamState::gone, why);
}

void VirtioPort::Session::release() {
  retry_.cancel();
  asio::error_code ignored;
  descriptor_.close(ignored);
  poller_.reset();
  port_.reset();
  outgoing_.clear();
}

void VirtioPort::Session::close() {
  on_bytes_ = nullptr;
  on_state_ = nullptr;
  devnode_.clear();
  port_name_.clear();
  release();
  state_ = core::StreamState::gone;
}

void VirtioPort::Session::set_state(core::StreamState state, const std::string& why) {
  if (std::exchange(state_, state) == state) return;
  const OnState call = on_state_;
  if (call) call(state, why);
}

core::Arrival VirtioPort::Session::arrival() const {
  return std::chrono::steady_clock::now() - opened_at_ < kBacklogTime ? core::Arrival::backlog : core::Arrival::live;
}

}  // namespace clockmend::os
