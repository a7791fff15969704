// The same values for human eyes: what `clockmend status` and `clockmend history` print without --json.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/report.hpp"
#include "agent/core/result.hpp"
#include "agent/core/status.hpp"
#include "agent/core/time.hpp"

namespace clockmend::wire {

/// "2024-05-02T01:01:01.000000000Z"; years outside 1..9999 as "@SECONDS".
[[nodiscard]] std::string iso8601(core::RealtimePoint t);
/// Signed, three significant decimals, unit by size: "+47.550 s", "-3.200 ms", "+12.000 us", "0 ns".
[[nodiscard]] std::string human(core::nanoseconds value, bool with_sign);

[[nodiscard]] std::string render_status(const core::AgentStatus& status);
[[nodiscard]] core::Result<std::string> render_status_text(std::string_view status_json);
/// Several lines: what happened, what each witness said, what was done when, what came of it.
[[nodiscard]] std::string render_report(const core::CorrectionReport& report);
/// One line for a list.
[[nodiscard]] std::string render_report_brief(const core::CorrectionReport& report);

}  // namespace clockmend::wire
