#pragma once

#include "agent/cli/context.hpp"
#include "agent/cli/options.hpp"

namespace clockmend::cli {

/// From the file, so that it works while no agent runs.
[[nodiscard]] Output run_history(const Context& context, const HistoryCommand& command);

}  // namespace clockmend::cli
