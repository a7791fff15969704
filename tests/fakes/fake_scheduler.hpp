// Virtual time: timers run in order of their due time, then of their creation, and the clock moves with them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "agent/core/ports/scheduler.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::fakes {

class FakeScheduler final : public core::Scheduler {
 public:
  explicit FakeScheduler(FakeClock& clock) : clock_(clock) {}

  [[nodiscard]] core::MonotonicPoint now() override { return clock_.snapshot().monotonic; }

  [[nodiscard]] core::TimerHandle at(core::MonotonicPoint when, std::function<void()> call) override {
    const Key key{lateness ? when + lateness() : when, ++*serial_};
    (*queue_)[key] = std::move(call);
    return std::make_unique<FakeTimer>(queue_, key);
  }

  /// A call from the loop that nobody cancels (a delivery of the fake network, a step of the test's script).
  void post_after(core::nanoseconds delay, std::function<void()> call) { (*queue_)[{now() + delay, ++*serial_}] = std::move(call); }

  /// Runs everything due within `d`, then leaves the clock exactly `d` later.
  void run_for(core::nanoseconds d) { run_until(now() + d); }
  void run_until(core::MonotonicPoint end) {
    while (!queue_->empty() && queue_->begin()->first.first <= end) run_next();
    if (now() < end) clock_.advance(end - now());
  }
  /// Runs what is due now, without moving time.
  void run_due() { run_until(now()); }
  /// Moves to the next timer and runs it; false if there is none.
  bool run_next() {
    if (queue_->empty()) return false;
    auto node = queue_->extract(queue_->begin());
    // Overdue timers (the clock was moved past them) run late, as they do in life.
    if (node.key().first > now()) clock_.advance(node.key().first - now());
    ++ran;
    node.mapped()();
    return true;
  }
  /// Runs until `done()` or until `limit` of virtual time has passed; tells whether `done()` held.
  bool run_while_not(const std::function<bool()>& done, core::nanoseconds limit) {
    const auto end = now() + limit;
    while (!done()) {
      if (queue_->empty() || queue_->begin()->first.first > end) return false;
      run_next();
    }
    return true;
  }

  [[nodiscard]] std::size_t pending() const { return queue_->size(); }

  std::function<core::nanoseconds()> lateness;  // of each timer of at(): steal time, a busy machine
  std::uint64_t ran = 0;                        // calls made so far

 private:
  using Key = std::pair<core::MonotonicPoint, std::uint64_t>;
  using Queue = std::map<Key, std::function<void()>>;

  class FakeTimer final : public core::Timer {
   public:
    FakeTimer(std::weak_ptr<Queue> queue, Key key) : queue_(std::move(queue)), key_(key) {}
    ~FakeTimer() override {
      if (const auto queue = queue_.lock()) queue->erase(key_);
    }
    FakeTimer(const FakeTimer&) = delete;
    FakeTimer& operator=(const FakeTimer&) = delete;

   private:
    std::weak_ptr<Queue> queue_;
    Key key_;
  };

  FakeClock& clock_;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
  std::shared_ptr<std::uint64_t> serial_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace clockmend::fakes
