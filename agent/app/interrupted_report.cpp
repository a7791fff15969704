#include "agent/app/interrupted_report.hpp"

#include <string>

namespace clockmend::app {
namespace {

std::string in_words(const Interrupted& left) {
  const bool stepped = left.stepped.value != core::nanoseconds::zero();
  return std::string("the agent ended inside this correction, ") + (stepped ? "after its step" : "before any step") +
         "; whether the clock is right is measured anew";
}

std::string names(const std::vector<core::JournalUnit>& units) {
  std::string text;
  for (const core::JournalUnit& unit : units) text += (text.empty() ? "" : ", ") + unit.unit;
  return text.empty() ? "none stopped" : text + " to be started by the recovery";
}

core::CorrectionReport compose(const Interrupted& left, const core::ClockSnapshot& now) {
  core::CorrectionReport report;
  report.number = left.correction;
  report.outcome = core::Outcome::failed;
  report.reason = in_words(left);
  report.total = left.stepped;
  report.daemon = names(left.units);
  report.discontinuity.tripwire = "journal: left open by an earlier life of the agent";
  report.discontinuity.detected = now;
  if (left.set_by_others != core::nanoseconds::zero()) report.discontinuity.foreign_step = left.set_by_others;
  report.started_realtime = report.ended_realtime = now.realtime;
  return report;
}

}  // namespace

std::optional<core::CorrectionReport> record_interrupted(JournalFile& journal, History& history, core::ClockReader& clock) {
  const std::optional<Interrupted> left = journal.interrupted();
  if (!left || left->correction < history.next_number()) return std::nullopt;
  core::CorrectionReport report = compose(*left, clock.snapshot());
  // A disk that takes no record does not keep the report from the log, nor from the status.
  (void)history.add(report);
  return report;
}

}  // namespace clockmend::app
