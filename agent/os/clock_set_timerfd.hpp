// Wakes up when anybody sets CLOCK_REALTIME; costs nothing until then.
#pragma once

#include <asio/io_context.hpp>
#include <memory>

#include "agent/core/ports/watches.hpp"

namespace clockmend::os {

class ClockSetTimerfd final : public core::ClockSetWatch {
 public:
  explicit ClockSetTimerfd(asio::io_context& io);
  ClockSetTimerfd(const ClockSetTimerfd&) = delete;
  ClockSetTimerfd& operator=(const ClockSetTimerfd&) = delete;
  ~ClockSetTimerfd() override;

  core::Status start(std::function<void()> on_set) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace clockmend::os
