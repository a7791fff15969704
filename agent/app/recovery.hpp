// ExecStopPost=clockmendd --recover: brings back the time daemon that a killed agent left stopped.
#pragma once

#include "agent/core/settings.hpp"

namespace clockmend::app {

/// Exit code: 0 if nothing was left behind or everything runs again, 1 otherwise. Never sets a clock.
[[nodiscard]] int recover_and_exit(const core::Paths& paths, const core::Settings& settings);

}  // namespace clockmend::app
