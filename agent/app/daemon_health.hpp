// The time daemons as status tells of them.
#pragma once

#include <string>
#include <vector>

#include "agent/core/status.hpp"
#include "correctors/time_daemon/sync_watch.hpp"
#include "correctors/time_daemon/time_daemons.hpp"

namespace clockmend::app {

/// `problem`: why nobody could be asked.
[[nodiscard]] std::vector<core::DaemonStatus> daemon_status(const correctors::TimeDaemons& daemons, const correctors::SyncWatch& watch,
                                                            const std::string& problem);

/// "synchronising again after 4.0 s", "not yet synchronising"; empty before the first correction.
[[nodiscard]] std::string in_words(const correctors::SyncWatch& watch);

}  // namespace clockmend::app
