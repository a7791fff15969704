// How long a resume that nobody announces can go unnoticed: what status.json promises a reader.
#pragma once

#include <vector>

#include "agent/core/status.hpp"

namespace clockmend::app {

/// By the quickest witness that runs. What sees only some of them (a tripwire) does not count.
[[nodiscard]] core::nanoseconds max_detection_latency(const std::vector<core::ProbeStatus>& probes);

}  // namespace clockmend::app
