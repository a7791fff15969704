// The four clocks and the kernel's opinion of them.
#pragma once

#include <string>

#include "agent/core/ports/clock_reader.hpp"

namespace clockmend::os {

class LinuxClockReader final : public core::ClockReader {
 public:
  /// `root` is the prefix before /sys.
  explicit LinuxClockReader(std::string root = {});

  [[nodiscard]] core::ClockSnapshot snapshot() override;
  [[nodiscard]] core::KernelClockStatus kernel_status() override;
  [[nodiscard]] std::string clocksource() override;

 private:
  std::string root_;
};

}  // namespace clockmend::os
