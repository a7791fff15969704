#pragma once

#include "agent/cli/context.hpp"
#include "agent/cli/options.hpp"

namespace clockmend::cli {

[[nodiscard]] Output run_resync(const Context& context, const ResyncCommand& command);

}  // namespace clockmend::cli
