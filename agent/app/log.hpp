// Log lines for the operator (spdlog) and structured records for journald (one per discontinuity, with MESSAGE_ID).
#pragma once

#include <memory>
#include <string>

#include <spdlog/logger.h>

#include "agent/core/report.hpp"
#include "agent/os/journald.hpp"

namespace clockmend::app {

/// journalctl MESSAGE_ID=... finds every record of that kind. Made with `systemd-id128 new`, fixed for ever.
inline constexpr const char* kMessageIdCorrection = "6a4f0a1e1d5b4c0f9b1f6a0f4f1c7d21";

class Log {
 public:
  /// `level`: debug | info | warning | error; anything else counts as info.
  /// `root`: prefix before the journal's socket.
  Log(const std::string& level, const std::string& root);

  void set_level(const std::string& level);
  [[nodiscard]] spdlog::logger& text() { return *logger_; }
  /// The audit record as structured fields, and one sentence.
  void report(const core::CorrectionReport& report);

 private:
  std::shared_ptr<os::JournalSink> journal_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace clockmend::app
