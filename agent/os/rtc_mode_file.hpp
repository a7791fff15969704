// Whether the RTC keeps UTC or local time: line 3 of /etc/adjtime (hwclock(8)).
#pragma once

#include <sys/stat.h>

#include <string>

#include "agent/core/ports/rtc.hpp"

namespace clockmend::os {

/// UTC where the file, or its third line, is missing. Read again only when the file has changed.
class RtcModeFile {
 public:
  explicit RtcModeFile(std::string root) : root_(std::move(root)) {}
  [[nodiscard]] core::RtcMode mode() const;

 private:
  std::string root_;
  mutable core::RtcMode mode_ = core::RtcMode::utc;
  mutable struct timespec seen_ {};
  mutable ino_t inode_ = 0;
};

/// The third line of the file's text.
[[nodiscard]] core::RtcMode rtc_mode_of(const std::string& text);

}  // namespace clockmend::os
