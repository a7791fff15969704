// The whole agent, wired: the one file pair that sees everything.
#pragma once

#include <string>

#include "agent/core/settings.hpp"

namespace clockmend::app {

/// Runs until SIGTERM or SIGINT. `level_override` (from the command line) outlives reloads; empty: none.
/// Exit code 0 after a signal, 1 if the runtime or state directory cannot be used.
[[nodiscard]] int run_agent(const core::Paths& paths, const core::Settings& settings, const std::string& level_override);

}  // namespace clockmend::app
