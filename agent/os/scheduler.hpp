// Timers of the event loop.
#pragma once

#include <asio/io_context.hpp>

#include "agent/core/ports/scheduler.hpp"

namespace clockmend::os {

/// libstdc++'s steady_clock is CLOCK_MONOTONIC with the same epoch, so MonotonicPoint and Asio's time points convert freely.
class AsioScheduler final : public core::Scheduler {
 public:
  explicit AsioScheduler(asio::io_context& io) : io_(io) {}

  [[nodiscard]] core::MonotonicPoint now() override;
  [[nodiscard]] core::TimerHandle at(core::MonotonicPoint when, std::function<void()> call) override;

 private:
  asio::io_context& io_;
};

}  // namespace clockmend::os
