// Telling a running daemon, by its own means, that the clock was stepped and its measurements are void.
#pragma once

#include <functional>

#include "correctors/time_daemon/time_daemons.hpp"

namespace clockmend::correctors {

/// Answers once, at once for a daemon that notices by itself. Success means that it took the message; when it is synchronised
/// again shows later (SyncWatch).
void nudge(core::CommandRunner* commands, DaemonKind kind, core::milliseconds deadline, std::function<void(core::Status)> done);

}  // namespace clockmend::correctors
