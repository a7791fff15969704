#include "agent/app/journal_file.hpp"

#include "agent/wire/journal_line.hpp"

namespace clockmend::app {
namespace {

constexpr std::size_t kLargestJournal = 64 * 1024;  // five lines a correction, replaced by the next one

}  // namespace

core::Status JournalFile::begin(std::uint64_t correction, std::vector<core::JournalUnit> units) {
  correction_ = correction;
  core::JournalRecord record;
  record.state = core::JournalState::intent;
  record.correction = correction;
  record.units = std::move(units);
  record.boot_id = boot_id_;
  return writer_.replace(path_, wire::journal_line(record) + "\n", true);
}

core::Status JournalFile::append(core::JournalRecord record) {
  record.correction = correction_;
  record.boot_id = boot_id_;
  return writer_.append(path_, wire::journal_line(record), true);
}

std::vector<core::JournalUnit> JournalFile::left_behind() {
  const auto text = reader_.read(path_, kLargestJournal);
  if (!text) return {};
  std::vector<core::JournalUnit> units;
  for (const core::JournalRecord& r : wire::parse_journal(*text).records) {
    if (r.boot_id != boot_id_) continue;
    if (r.state == core::JournalState::intent) units = r.units;
    if (r.state == core::JournalState::started || r.state == core::JournalState::done) units.clear();
  }
  return units;
}

}  // namespace clockmend::app
