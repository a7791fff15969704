#include "agent/engine/clock_state_machine.hpp"

namespace clockmend::engine {

using core::ClockState;

core::ClockState next(ClockState now, StateEvent event) {
  const bool busy = now == ClockState::suspect || now == ClockState::correcting || now == ClockState::verifying;
  switch (event) {
    case StateEvent::verified:
      return busy ? now : ClockState::synchronized;
    // An unreachable server does not make a right clock wrong: only a state that never had proof gets worse.
    case StateEvent::unverified:
      return now == ClockState::starting ? ClockState::degraded : now;
    case StateEvent::disturbed:
      return now == ClockState::correcting || now == ClockState::verifying ? now : ClockState::suspect;
    case StateEvent::correcting:
      return now == ClockState::verifying ? now : ClockState::correcting;
    case StateEvent::stepped:
      return ClockState::verifying;
    case StateEvent::finished_ok:
      return ClockState::synchronized;
    case StateEvent::finished_weak:
      return ClockState::degraded;
    case StateEvent::refused:
      return ClockState::refused;
  }
  return now;
}

void ClockStateMachine::on(StateEvent event, std::string reason, core::RealtimePoint now) {
  const ClockState before = state_;
  state_ = next(state_, event);
  // A failed look changes nothing, so it must not hide why the state is what it is.
  if (state_ != before || (event == StateEvent::verified && state_ == ClockState::synchronized)) reason_ = std::move(reason);
  if (state_ != ClockState::synchronized)
    valid_since_.reset();
  else if (before != ClockState::synchronized)
    valid_since_ = now;
}

}  // namespace clockmend::engine
