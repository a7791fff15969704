// A finished round in words and as a reading.
#pragma once

#include <optional>
#include <string>

#include "agent/core/reading.hpp"
#include "agent/core/status.hpp"
#include "probes/ntp/round.hpp"

namespace clockmend::probes::ntp {

/// Writes what became of each server into its record.
void remember(const RoundResult& result);

/// Only of a usable selection. The servers' own distance is part of the uncertainty; nothing is systematic.
[[nodiscard]] core::OffsetReading to_reading(const RoundResult& result);

/// When the first server may be asked that was not asked only because of our own limit; nothing if there is none.
[[nodiscard]] std::optional<core::MonotonicPoint> deferred_until(const RoundResult& result);

/// Why a round gave nothing: "no NTP server answered within 2.0 s: 192.0.2.1: no reply, ...", or who disagrees.
[[nodiscard]] std::string failure_text(const RoundResult& result);

[[nodiscard]] core::ServerStatus to_status(const Server& server);

}  // namespace clockmend::probes::ntp
