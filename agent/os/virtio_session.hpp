// One virtio port, kept alive by its pending waits.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "agent/os/outgoing.hpp"
#include "agent/os/port_poller.hpp"
#include "agent/os/virtio_port.hpp"

namespace clockmend::os {

class VirtioPort::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::io_context& io, std::string port_name, Opener opener);

  void device_event(const core::DeviceEvent& event);
  void start(OnBytes on_bytes, OnState on_state);
  core::Status send(std::string_view bytes);
  void close();
  [[nodiscard]] std::size_t pending() const { return outgoing_.size(); }
  [[nodiscard]] core::StreamState state() const { return state_; }
  [[nodiscard]] const std::string& devnode() const { return devnode_; }

 private:
  void open_port();
  void open_failed(int number);
  core::Status watch_port(UniqueFd port);
  void retry_later();
  void wait();
  void look();
  void handle(std::uint32_t mask);
  void drain();
  bool read_once();
  void flush();
  void arm_write_retry();
  void lose(const std::string& why);
  void release();
  void set_state(core::StreamState state, const std::string& why);
  [[nodiscard]] core::Arrival arrival() const;

  asio::io_context& io_;
  std::string port_name_;
  Opener opener_;
  OnBytes on_bytes_;
  OnState on_state_;
  asio::posix::stream_descriptor descriptor_;  // a duplicate of the poller's descriptor
  asio::steady_timer retry_;                   // opening again (busy), or writing again (pending bytes)
  std::chrono::seconds retry_after_{1};
  std::string devnode_;
  UniqueFd port_;
  std::optional<PortPoller> poller_;
  std::chrono::steady_clock::time_point opened_at_{};
  Outgoing outgoing_{kOutgoingLimit};
  core::StreamState state_ = core::StreamState::gone;
  bool host_is_due_ = false;  // data came although no host is known yet
};

}  // namespace clockmend::os
