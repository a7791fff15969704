#pragma once

#include "agent/cli/context.hpp"
#include "agent/cli/finding.hpp"

namespace clockmend::cli {

[[nodiscard]] Output run_doctor(const Context& context);

/// Aligned lines, advice below its finding; the exit code is that of the worst: 0, 1 for warnings, 2 for failures.
[[nodiscard]] Output render_findings(const Findings& findings);

}  // namespace clockmend::cli
