#include "agent/os/scheduler.hpp"

#include <asio/steady_timer.hpp>
#include <memory>
#include <utility>

#include "agent/os/timespecs.hpp"

namespace clockmend::os {
namespace {

// Shared with the pending handler: an expiry already queued when the handle goes must find out that it is too late.
struct Pending {
  Pending(asio::io_context& io, std::function<void()> c) : timer(io), call(std::move(c)) {}
  asio::steady_timer timer;
  std::function<void()> call;
};

class AsioTimer final : public core::Timer {
 public:
  explicit AsioTimer(std::shared_ptr<Pending> pending) : pending_(std::move(pending)) {}
  AsioTimer(const AsioTimer&) = delete;
  AsioTimer& operator=(const AsioTimer&) = delete;
  ~AsioTimer() override {
    pending_->call = nullptr;
    pending_->timer.cancel();
  }

 private:
  std::shared_ptr<Pending> pending_;
};

void expire(Pending& pending) {
  // Moved out first: the call may destroy its own handle, and with it the function that runs.
  const std::function<void()> call = std::exchange(pending.call, nullptr);
  if (call) call();
}

}  // namespace

core::MonotonicPoint AsioScheduler::now() { return core::MonotonicPoint{read_clock(CLOCK_MONOTONIC)}; }

core::TimerHandle AsioScheduler::at(core::MonotonicPoint when, std::function<void()> call) {
  auto pending = std::make_shared<Pending>(io_, std::move(call));
  pending->timer.expires_at(std::chrono::steady_clock::time_point{when.time_since_epoch()});
  pending->timer.async_wait([pending](const asio::error_code&) { expire(*pending); });
  return std::make_unique<AsioTimer>(std::move(pending));
}

}  // namespace clockmend::os
