// ExecStopPost=clockmendd --recover: brings back the time daemon that a killed agent left stopped.
#pragma once

#include "agent/core/settings.hpp"

namespace clockmend::app {

/// Exit code: 0 if nothing was left behind or everything runs again, 1 otherwise. Never sets a clock.
/// `dead_man`: run by the timer, beside an agent that may be alive and only hang: its status and history stay as they are.
[[nodiscard]] int recover_and_exit(const core::Paths& paths, const core::Settings& settings, bool dead_man);

}  // namespace clockmend::app
