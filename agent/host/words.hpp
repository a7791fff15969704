// Offsets and reports in words: a sign is easily read the wrong way round, "behind" is not. Pure.
#pragma once

#include <string>

#include "agent/core/offset.hpp"
#include "agent/core/printable.hpp"
#include "agent/core/report.hpp"

namespace clockmend::host {

/// "47.550 s behind" for a positive offset (system time is behind the reference), "3.200 ms ahead", "exactly right".
[[nodiscard]] std::string in_words(core::Offset offset);
/// One to three sentences: what was wrong, what was done, how right it is now.
[[nodiscard]] std::string headline(const core::CorrectionReport& report);
/// Text from a guest must not reach a terminal as escape sequences.
using core::printable;

}  // namespace clockmend::host
