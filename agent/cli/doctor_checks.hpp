// The doctor's checks: facts in, findings out. Pure. To add one: a function here, a line in all_findings().
#pragma once

#include "agent/cli/facts.hpp"
#include "agent/cli/finding.hpp"

namespace clockmend::cli {

[[nodiscard]] Findings check_agent(const Facts& facts);
[[nodiscard]] Findings check_machine(const Facts& facts);
[[nodiscard]] Findings check_config(const Facts& facts);
[[nodiscard]] Findings check_witnesses(const Facts& facts);
[[nodiscard]] Findings check_rtc(const Facts& facts);
[[nodiscard]] Findings check_channel(const Facts& facts);
[[nodiscard]] Findings check_servers(const Facts& facts);
[[nodiscard]] Findings check_time_daemon(const Facts& facts);
[[nodiscard]] Findings check_programs(const Facts& facts);
[[nodiscard]] Findings check_other_masters(const Facts& facts);

/// All of them, in the order in which an operator reads.
[[nodiscard]] Findings all_findings(const Facts& facts);

}  // namespace clockmend::cli
