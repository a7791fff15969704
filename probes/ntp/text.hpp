// Times in words for the operator.
#pragma once

#include <string>

#include "agent/core/time.hpp"

namespace clockmend::probes::ntp {

/// "12.345 ms"; with `sign` "+12.345 ms". Truncated to microseconds.
[[nodiscard]] std::string ms_text(core::nanoseconds d, bool sign = false);

}  // namespace clockmend::probes::ntp
