// What clockmend-host prints. Pure.
#pragma once

#include <optional>
#include <string>

#include "agent/host/fleet.hpp"
#include "agent/host/score.hpp"

namespace clockmend::host {

struct Printed {
  std::string output;  // for stdout
  std::string error;   // for stderr
};

/// One guest, told. JSON: one line, {"return": ...} as the agent answers clock-notify, or {"error": {"class", "desc"}}.
[[nodiscard]] Printed print_result(const NotifyResult& result, bool json);
/// One guest, measured.
[[nodiscard]] Printed print_measured(const Target& target, const NotifyResult& result, bool json);
/// One of many: always one line, on stdout.
[[nodiscard]] std::string print_line(const Target& target, const NotifyResult& result, bool measured, bool json);
[[nodiscard]] std::string print_summary(const Score& score, bool json);

/// `off` for a measured clock that is surely further off than `max_offset`; the verdict as it is otherwise.
[[nodiscard]] Verdict judged(const NotifyResult& result, std::optional<core::nanoseconds> max_offset);

}  // namespace clockmend::host
