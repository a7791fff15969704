// The four clocks and the kernel's opinion of them.
#pragma once

#include <string>

#include "agent/core/ports/clock_reader.hpp"
#include "agent/os/unique_fd.hpp"

namespace clockmend::os {

class LinuxClockReader final : public core::ClockReader {
 public:
  /// `root` is the prefix before /sys.
  explicit LinuxClockReader(std::string root = {});

  [[nodiscard]] core::ClockSnapshot snapshot() override;
  [[nodiscard]] core::KernelClockStatus kernel_status() override;
  [[nodiscard]] std::string clocksource() override;

 private:
  // A vDSO clock is read in some 30 ns, an emulated HPET or ACPI timer in microseconds.
  static constexpr core::nanoseconds kLeastTight{5000};

  std::string root_;
  UniqueFd clocksource_;                   // stays open: it is read right after a resume, on the way to the step
  core::nanoseconds tight_ = kLeastTight;  // a snapshot with a wider bracket is tried again
};

}  // namespace clockmend::os
