// What an answer to clock-notify, or its absence, means for the caller. Pure.
#pragma once

#include "agent/core/report.hpp"
#include "agent/core/result.hpp"
#include "agent/host/verdict.hpp"
#include "agent/wire/reply.hpp"

namespace clockmend::host {

[[nodiscard]] Verdict verdict_of(core::Outcome outcome);
[[nodiscard]] Verdict verdict_of(const wire::NotifyReply& reply);
[[nodiscard]] Verdict verdict_of(wire::ErrorClass error);
/// A connection that failed after the agent had answered.
[[nodiscard]] Verdict verdict_of(const core::Error& error);

}  // namespace clockmend::host
