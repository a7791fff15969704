// AgentStatus <-> JSON: status.json, clock-status, `clockmend status`. Its schema is packaging/schema/status.schema.json.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/result.hpp"
#include "agent/core/status.hpp"

namespace clockmend::wire {

inline constexpr const char* kStatusSchema = "clockmend-status/1";

/// Indented, with a newline at the end: the content of status.json.
[[nodiscard]] std::string status_pretty(const core::AgentStatus& status);
/// One line without its newline.
[[nodiscard]] std::string status_line(const core::AgentStatus& status);
/// At most 256 KiB; another schema version is `unsupported`. Missing or mistyped members are errors naming them.
[[nodiscard]] core::Result<core::AgentStatus> parse_status(std::string_view text);

}  // namespace clockmend::wire
