#include "agent/os/vmclock_watch.hpp"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <utility>

#include "agent/os/descriptor.hpp"

namespace clockmend::os {
namespace {

/// Ready again each time right after it was read: that is no notification but a driver without one.
constexpr int kPollTries = 3;

}  // namespace

/// Kept alive by the pending wait; an empty `on_change` means called off.
struct VmclockWatch::State : std::enable_shared_from_this<State> {
  explicit State(asio::io_context& io) : descriptor(io) {}

  void wait() {
    if (std::exchange(waiting, true)) return;
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code&) {
      self->waiting = false;
      // Out of the loop's epoll set until somebody waits again: there, each change would wake it.
      asio::error_code ignored;
      self->descriptor.close(ignored);
      // An error counts as a change: whoever arms again then learns what is the matter.
      const std::function<void()> call = std::exchange(self->on_change, nullptr);
      if (call) call();
    });
  }

  asio::posix::stream_descriptor descriptor;  // a duplicate: the device's own descriptor is used for reading as well
  bool waiting = false;
  std::function<void()> on_change;
};

VmclockWatch::VmclockWatch(asio::io_context& io, int fd, Rearm rearm)
    : fd_(fd), rearm_(std::move(rearm)), state_(std::make_shared<State>(io)) {}

VmclockWatch::~VmclockWatch() {
  state_->on_change = nullptr;
  asio::error_code ignored;
  state_->descriptor.close(ignored);
}

core::Status VmclockWatch::arm(std::function<void()> on_change) {
  pollfd ready{fd_, POLLIN, 0};
  for (int i = 0; i < kPollTries; ++i) {
    if (auto rearmed = rearm_(); !rearmed) return rearmed;
    if (::poll(&ready, 1, 0) < 0) return errno_error(errno, "poll");
    if (ready.revents != POLLIN) break;
  }
  if (ready.revents != 0) return core::Error{core::ErrorCode::unsupported, "no notification"};
  if (!state_->descriptor.is_open()) {
    UniqueFd copy{::fcntl(fd_, F_DUPFD_CLOEXEC, 0)};
    if (!copy) return errno_error(errno, "dup");
    if (auto adopted = adopt(state_->descriptor, std::move(copy)); !adopted) return adopted;
  }
  state_->on_change = std::move(on_change);
  state_->wait();
  return core::success();
}

}  // namespace clockmend::os
