// The audit record of a correction that the agent did not live to report.
#pragma once

#include <optional>

#include "agent/app/history.hpp"
#include "agent/app/journal_file.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/report.hpp"

namespace clockmend::app {

/// Adds it to the history, unless nothing was interrupted or the history knows that correction already. Returns what was
/// added, also where the disk did not take it. To be called before the recovery, which closes the journal.
[[nodiscard]] std::optional<core::CorrectionReport> record_interrupted(JournalFile& journal, History& history, core::ClockReader& clock);

}  // namespace clockmend::app
