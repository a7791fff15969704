#include "agent/os/clock_set_timerfd.hpp"

#include <sys/timerfd.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

#include "agent/os/descriptor.hpp"

namespace clockmend::os {

struct ClockSetTimerfd::State : std::enable_shared_from_this<State> {
  explicit State(asio::io_context& io) : descriptor(io) {}

  // An absolute timer that never expires: it is only there to be cancelled by a clock set (timerfd_create(2)).
  core::Status arm(int fd) {
    itimerspec never{};
    never.it_value.tv_sec = std::numeric_limits<time_t>::max();
    // ECANCELED: the clock was set since the last arming; the timer runs all the same, and the caller knows of the set.
    const int rc = ::timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr);
    if (rc == 0 || errno == ECANCELED) return core::success();
    return errno_error(errno, "timerfd_settime");
  }

  void wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const asio::error_code& ec) {
      if (!ec && self->on_set) self->ready();
    });
  }

  void ready() {
    std::uint64_t expirations = 0;
    const ssize_t n = ::read(descriptor.native_handle(), &expirations, sizeof expirations);
    const bool was_set = n < 0 && errno == ECANCELED;
    if (was_set || n > 0) {
      // Armed again before the call, so that a step made inside it is not lost.
      (void)arm(descriptor.native_handle());
    }
    wait();
    if (was_set) on_set();
  }

  asio::posix::stream_descriptor descriptor;
  std::function<void()> on_set;
};

ClockSetTimerfd::ClockSetTimerfd(asio::io_context& io) : state_(std::make_shared<State>(io)) {}

ClockSetTimerfd::~ClockSetTimerfd() {
  asio::error_code ignored;
  state_->descriptor.close(ignored);
}

core::Status ClockSetTimerfd::start(std::function<void()> on_set) {
  UniqueFd fd{::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)};
  if (!fd) return errno_error(errno, "timerfd_create");
  if (auto armed = state_->arm(fd.get()); !armed) return armed;
  if (auto adopted = adopt(state_->descriptor, std::move(fd)); !adopted) return adopted;
  state_->on_set = std::move(on_set);
  state_->wait();
  return core::success();
}

}  // namespace clockmend::os
