// Durations as people type them: "500ms", "30s", "2m"; a plain number is seconds.
#pragma once

#include <string_view>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::host {

/// Positive and at most an hour; `invalid` with the reason otherwise.
[[nodiscard]] core::Result<core::nanoseconds> parse_duration(std::string_view text);

}  // namespace clockmend::host
