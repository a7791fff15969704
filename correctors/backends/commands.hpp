// The programs that can make the step or write the RTC: how each is called, and what its end means. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/backend.hpp"
#include "agent/core/ports/command_runner.hpp"
#include "agent/core/ports/rtc.hpp"
#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::correctors {

struct StepServers {
  std::vector<std::string> addresses;  // numeric
  std::uint16_t port = 123;
};

/// Its path; empty for builtin.
[[nodiscard]] const char* step_program(core::StepBackend backend);

/// argv of the program, the path first. At most 8 servers are named; `ntpd -gq` reads its own configuration and is given none.
/// `invalid`: builtin is no program, or no address is left.
[[nodiscard]] core::Result<std::vector<std::string>> step_command(core::StepBackend backend, const StepServers& servers,
                                                                  core::milliseconds deadline);

/// What came of it, in words for the report: the program's own last line where it ended well.
[[nodiscard]] core::Result<std::string> judge_step_program(core::StepBackend backend, const core::Result<core::CommandResult>& result);

/// argv of `hwclock -w`. The mode is said although hwclock would read it itself, so that both backends write the same.
/// `device`: empty: its own choice.
[[nodiscard]] std::vector<std::string> hwclock_command(core::RtcMode mode, const std::string& device);

/// The last line of a program's output that says anything, printable, at most 160 characters; empty if none does.
[[nodiscard]] std::string last_line(const std::string& output);

}  // namespace clockmend::correctors
