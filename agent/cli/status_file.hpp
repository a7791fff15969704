// The agent's status file, read and judged: how a reader must treat it (clockmend-status(5)).
#pragma once

#include <string>

#include "agent/cli/context.hpp"
#include "agent/core/status.hpp"

namespace clockmend::cli {

struct StatusFile {
  std::string text;
  core::AgentStatus status;
};

/// not_found: the agent does not run; other codes with the reason.
[[nodiscard]] core::Result<StatusFile> read_status(const Context& context);

/// Empty if the status may be believed at `now`; else why not. CLOCK_MONOTONIC decides: it cannot be set, while the time of
/// day is what is in doubt.
[[nodiscard]] std::string why_void(const core::AgentStatus& status, core::MonotonicPoint now);

}  // namespace clockmend::cli
