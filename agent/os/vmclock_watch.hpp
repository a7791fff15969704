// Waiting for a descriptor that has to be read before it tells of the next change.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>

#include "agent/core/result.hpp"

namespace clockmend::os {

/// One call per arming. Never waits on a descriptor that is ready all the time (POLLHUP, or a driver without poll), because
/// the loop would spin.
class VmclockWatch {
 public:
  /// Makes the kernel forget the changes up to now: a read of the device.
  using Rearm = std::function<core::Status()>;

  /// `fd` stays the caller's; it must outlive this object.
  VmclockWatch(asio::io_context& io, int fd, Rearm rearm);
  VmclockWatch(const VmclockWatch&) = delete;
  VmclockWatch& operator=(const VmclockWatch&) = delete;
  ~VmclockWatch();

  /// `on_change` from the loop, once, when the descriptor becomes ready after now; it replaces an earlier one. unsupported
  /// where the descriptor is ready although nothing is new.
  core::Status arm(std::function<void()> on_change);

 private:
  struct State;

  int fd_;
  Rearm rearm_;
  std::shared_ptr<State> state_;
};

}  // namespace clockmend::os
