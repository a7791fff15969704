// CorrectionReport <-> one line of JSON: the history record and the answer to a waiting notice.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/report.hpp"
#include "agent/core/result.hpp"

namespace clockmend::wire {

inline constexpr const char* kReportSchema = "clockmend-report/1";

/// One line without its newline. Text that is not UTF-8 (server names, kernel strings) is replaced by U+FFFD.
[[nodiscard]] std::string report_line(const core::CorrectionReport& report);
[[nodiscard]] std::string report_pretty(const core::CorrectionReport& report);
/// Missing or mistyped members are errors naming them; unknown ones are left alone, so that a history outlives an upgrade.
/// At most 64 KiB.
[[nodiscard]] core::Result<core::CorrectionReport> parse_report(std::string_view text);

}  // namespace clockmend::wire
