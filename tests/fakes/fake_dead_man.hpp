// A timer that outlives the agent: `fires` is called unless it was disarmed in time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/ports/dead_man.hpp"
#include "tests/fakes/fake_scheduler.hpp"

namespace clockmend::fakes {

class FakeDeadMan final : public core::DeadMan {
 public:
  explicit FakeDeadMan(FakeScheduler& scheduler) : scheduler_(scheduler) {}

  void arm(const std::vector<std::string>& argv, core::milliseconds after, Reply reply) override {
    command = argv;
    ++armed;
    if (error) {
      scheduler_.post_after(takes, [reply, e = *error] { reply(e); });
      return;
    }
    timer_ = scheduler_.after(after, [this] {
      ++fired;
      if (fires) fires();
    });
    scheduler_.post_after(takes, [reply] { reply(core::success()); });
  }
  void disarm() override { timer_.reset(); }
  [[nodiscard]] bool waiting() const { return timer_ != nullptr && fired == 0; }

  std::optional<core::Error> error;
  core::nanoseconds takes{core::milliseconds{10}};
  std::function<void()> fires;
  std::vector<std::string> command;
  int armed = 0;
  int fired = 0;

 private:
  FakeScheduler& scheduler_;
  core::TimerHandle timer_;
};

}  // namespace clockmend::fakes
