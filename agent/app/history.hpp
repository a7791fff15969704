// The audit history: one JSON line per discontinuity, bounded, on disk.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/ports/files.hpp"
#include "agent/core/report.hpp"

namespace clockmend::app {

class History {
 public:
  History(core::FileReader& reader, core::FileWriter& writer, std::string path, std::uint32_t max_records);

  /// Reads what is there; damaged lines are skipped and counted. A missing file is an empty history.
  void load();
  /// An error if it is not on the disk yet; then it is tried again with the next one.
  core::Status add(const core::CorrectionReport& report);
  /// Newest first, at most `limit`, only those with number < `before` if given.
  [[nodiscard]] std::vector<std::string> newest(std::size_t limit, std::optional<std::uint64_t> before);

  [[nodiscard]] std::uint64_t next_number() const { return last_number_ + 1; }
  /// The latest time that was true for certain: the end of the last correction that NTP verified and a second source bore out
  /// (one lying server must not lift the floor over the true time).
  [[nodiscard]] std::optional<core::RealtimePoint> last_good_time() const { return last_good_; }
  /// Steps on one source's word, oldest first, as far as load() found them: what the accumulation guard has to remember.
  struct LoneStep {
    core::RealtimePoint ended;
    core::Offset total;
  };
  [[nodiscard]] const std::vector<LoneStep>& lone_steps() const { return lone_steps_; }
  [[nodiscard]] std::optional<core::CorrectionReport> last() const { return last_; }
  [[nodiscard]] std::size_t damaged() const { return damaged_; }

 private:
  [[nodiscard]] std::vector<std::string> lines();
  core::Status trim();
  void note_good_time(const core::CorrectionReport& report);

  core::FileReader& reader_;
  core::FileWriter& writer_;
  std::string path_;
  std::uint32_t max_records_;
  std::deque<std::string> unwritten_;
  std::size_t records_ = 0;
  std::size_t damaged_ = 0;
  std::uint64_t last_number_ = 0;
  std::optional<core::RealtimePoint> last_good_;
  std::optional<core::CorrectionReport> last_;
  std::vector<LoneStep> lone_steps_;
};

}  // namespace clockmend::app
