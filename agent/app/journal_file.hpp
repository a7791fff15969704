// The write-ahead journal of the correction under way, in /run (it dies with the boot, when units start anyway).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/core/journal.hpp"
#include "agent/core/ports/clock_reader.hpp"
#include "agent/core/ports/files.hpp"

namespace clockmend::app {

/// A correction that an earlier life of the agent did not end.
struct Interrupted {
  std::uint64_t correction = 0;
  std::vector<core::JournalUnit> units;  // stopped, or about to be
  core::Offset stepped;                  // sum of the steps it had made
  core::nanoseconds set_by_others{};     // by which somebody else has set the clock since it began
};

class JournalFile {
 public:
  JournalFile(core::FileReader& reader, core::FileWriter& writer, core::ClockReader& clock, std::string path, std::string boot_id)
      : reader_(reader), writer_(writer), clock_(clock), path_(std::move(path)), boot_id_(std::move(boot_id)) {}

  /// Before a step: a few microseconds in a tmpfs, for it is not synced. Opens the journal if it is closed.
  /// `tool`: the program that makes it; empty: we do.
  core::Status announce(std::uint64_t correction, std::vector<core::JournalUnit> units, core::Offset step, const std::string& tool = {});
  /// Before a stop. In a closed journal, what an earlier correction left there is over.
  core::Status begin(std::uint64_t correction, std::vector<core::JournalUnit> units);
  core::Status append(core::JournalRecord record);
  /// The correction is over.
  core::Status close();

  /// Units of a correction of this boot that were stopped, or about to be, and not seen running again.
  [[nodiscard]] std::vector<core::JournalUnit> left_behind();
  /// The last correction of this boot, if it was not ended. Only before anything is written.
  [[nodiscard]] std::optional<Interrupted> interrupted();

 private:
  [[nodiscard]] core::JournalRecord intent(std::uint64_t correction, std::vector<core::JournalUnit> units);
  [[nodiscard]] std::vector<core::JournalRecord> records();
  core::Status rewrite(const std::string& line);

  core::FileReader& reader_;
  core::FileWriter& writer_;
  core::ClockReader& clock_;
  std::string path_;
  std::string boot_id_;
  std::uint64_t correction_ = 0;
  bool open_ = false;
};

}  // namespace clockmend::app
