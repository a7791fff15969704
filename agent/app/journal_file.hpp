// The write-ahead journal of the correction under way, in /run (it dies with the boot, when units start anyway).
#pragma once

#include <string>
#include <vector>

#include "agent/core/journal.hpp"
#include "agent/core/ports/files.hpp"

namespace clockmend::app {

class JournalFile {
 public:
  JournalFile(core::FileReader& reader, core::FileWriter& writer, std::string path, std::string boot_id)
      : reader_(reader), writer_(writer), path_(std::move(path)), boot_id_(std::move(boot_id)) {}

  /// Starts a new journal: what an earlier correction left there is over.
  core::Status begin(std::uint64_t correction, std::vector<core::JournalUnit> units);
  core::Status append(core::JournalRecord record);

  /// Units of a correction of this boot that were stopped, or about to be, and not seen running again.
  [[nodiscard]] std::vector<core::JournalUnit> left_behind();

 private:
  core::FileReader& reader_;
  core::FileWriter& writer_;
  std::string path_;
  std::string boot_id_;
  std::uint64_t correction_ = 0;
};

}  // namespace clockmend::app
