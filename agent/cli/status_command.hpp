#pragma once

#include <string>

#include "agent/cli/context.hpp"
#include "agent/cli/options.hpp"
#include "agent/core/status.hpp"

namespace clockmend::cli {

[[nodiscard]] Output run_status(const Context& context, const StatusCommand& command);

/// Exit code of --check for a status that may be believed.
[[nodiscard]] int check_code(core::ClockState state);
/// One sentence: may the clock be trusted, and why.
[[nodiscard]] std::string status_headline(const core::AgentStatus& status);

}  // namespace clockmend::cli
