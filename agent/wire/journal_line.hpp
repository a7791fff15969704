// Journal records <-> lines of /run/clockmend/journal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/journal.hpp"
#include "agent/core/result.hpp"

namespace clockmend::wire {

/// One line without its newline.
[[nodiscard]] std::string journal_line(const core::JournalRecord& record);
/// Strict: every member present (realtime_minus_monotonic_ns only where there is one), nothing else. A half-written line can never pass (it
/// lacks its closing brace).
[[nodiscard]] core::Result<core::JournalRecord> parse_journal_line(std::string_view line);

struct Journal {
  std::vector<core::JournalRecord> records;  // in file order, at most 1000
  bool torn_tail = false;                    // the last line was half written: the agent died in write(2); normal
  std::size_t damaged = 0;                   // other lines that could not be read: not normal, skipped
};
[[nodiscard]] Journal parse_journal(std::string_view text);

}  // namespace clockmend::wire
