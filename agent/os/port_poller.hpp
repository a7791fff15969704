// The edge-triggered view of a virtio port.
#pragma once

#include <cstdint>

#include "agent/core/result.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

/// A port reports EPOLLHUP as a level for as long as the host side is disconnected, so a plain poll would spin. It is
/// registered once, edge-triggered, in an epoll descriptor of its own, and the loop waits for that one to become
/// readable: one wake-up per change, and none is missed.
class PortPoller {
 public:
  [[nodiscard]] static core::Result<PortPoller> open(int port_fd);
  /// What the loop waits on; stays owned here.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  /// The port's present epoll mask if anything changed since the last call, else 0.
  [[nodiscard]] std::uint32_t take();

 private:
  explicit PortPoller(UniqueFd epoll) : epoll_(std::move(epoll)) {}
  UniqueFd epoll_;
};

}  // namespace clockmend::os
