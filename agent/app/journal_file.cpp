#include "agent/app/journal_file.hpp"

#include <utility>

#include "agent/wire/journal_line.hpp"

namespace clockmend::app {
namespace {

constexpr std::size_t kLargestJournal = 64 * 1024;  // about ten lines a correction, replaced when it is over

/// REALTIME - MONOTONIC is read to microseconds; a step is at least a millisecond (trim_threshold).
constexpr core::nanoseconds kSameStep = core::microseconds{500};

/// A hundred years: beyond it, it is damage, and sums would overflow.
constexpr core::nanoseconds kPlausible = std::chrono::hours{24 * 365 * 100};

bool plausible(core::nanoseconds value) { return value < kPlausible && value > -kPlausible; }

bool same(core::nanoseconds a, core::nanoseconds b) { return core::magnitude(core::Offset{a - b}) <= kSameStep; }

}  // namespace

core::JournalRecord JournalFile::intent(std::uint64_t correction, std::vector<core::JournalUnit> units) {
  core::JournalRecord record;
  record.state = core::JournalState::intent;
  record.correction = correction_ = correction;
  record.units = std::move(units);
  record.boot_id = boot_id_;
  record.realtime_minus_monotonic = core::realtime_minus_monotonic(clock_.snapshot());
  return record;
}

core::Status JournalFile::announce(std::uint64_t correction, std::vector<core::JournalUnit> units, core::Offset step,
                                   const std::string& tool) {
  core::JournalRecord record = intent(correction, std::move(units));
  record.offset = step;
  record.tool = tool;
  open_ = true;
  return writer_.append(path_, wire::journal_line(record), false);
}

core::Status JournalFile::begin(std::uint64_t correction, std::vector<core::JournalUnit> units) {
  const std::string line = wire::journal_line(intent(correction, std::move(units)));
  if (std::exchange(open_, true)) return writer_.append(path_, line, true);
  return rewrite(line);
}

core::Status JournalFile::rewrite(const std::string& line) {
  if (auto replaced = writer_.replace(path_, line + "\n", true); replaced) return replaced;
  // A full tmpfs has no room for a second file, but the page of the first one is its own: one more line fits there.
  return writer_.append(path_, line, true);
}

core::Status JournalFile::append(core::JournalRecord record) {
  record.correction = correction_;
  record.boot_id = boot_id_;
  return writer_.append(path_, wire::journal_line(record), true);
}

core::Status JournalFile::close() {
  core::JournalRecord record;
  record.state = core::JournalState::done;
  record.correction = correction_;
  record.boot_id = boot_id_;
  open_ = false;
  return rewrite(wire::journal_line(record));
}

std::vector<core::JournalRecord> JournalFile::records() {
  const auto text = reader_.read(path_, kLargestJournal);
  if (!text) return {};
  std::vector<core::JournalRecord> of_this_boot;
  for (core::JournalRecord& r : wire::parse_journal(*text).records)
    if (r.boot_id == boot_id_) of_this_boot.push_back(std::move(r));
  return of_this_boot;
}

std::vector<core::JournalUnit> JournalFile::left_behind() {
  std::vector<core::JournalUnit> units;
  for (const core::JournalRecord& r : records()) {
    if (r.state == core::JournalState::intent) units = r.units;
    if (r.state == core::JournalState::started || r.state == core::JournalState::done) units.clear();
  }
  return units;
}

std::optional<Interrupted> JournalFile::interrupted() {
  const std::vector<core::JournalRecord> all = records();
  if (all.empty() || all.back().state == core::JournalState::done) return std::nullopt;
  Interrupted left;
  left.correction = correction_ = all.back().correction;
  left.units = left_behind();
  core::Offset announced;  // of the step that may have been made; zero: none
  bool by_tool = false;    // how far a program steps it decides itself
  std::optional<core::nanoseconds> before;
  for (const core::JournalRecord& r : all) {
    if (r.correction != left.correction) continue;
    if (!before && r.realtime_minus_monotonic && plausible(*r.realtime_minus_monotonic)) before = r.realtime_minus_monotonic;
    if (!r.offset || !plausible(r.offset->value) || !plausible(left.stepped.value)) continue;
    if (r.state == core::JournalState::intent) announced = *r.offset;
    if (r.state == core::JournalState::intent) by_tool = !r.tool.empty();
    if (r.state != core::JournalState::stepped) continue;
    left.stepped = left.stepped + *r.offset;
    announced = {};
  }
  if (!before) return left;  // written by an agent that did not note it
  const core::nanoseconds set = core::realtime_minus_monotonic(clock_.snapshot()) - *before;
  // Killed between the step and its record: the clock itself tells whether it was made.
  if (same(set, (left.stepped + announced).value)) left.stepped = left.stepped + announced;
  if (by_tool && plausible(set)) left.stepped.value = set;
  if (!same(set, left.stepped.value)) left.set_by_others = set - left.stepped.value;
  return left;
}

}  // namespace clockmend::app
