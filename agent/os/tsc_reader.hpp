// The CPU's time stamp counter as a port.
#pragma once

#include <string>

#include "agent/core/ports/tsc.hpp"

namespace clockmend::os {

/// x86-64 only; elsewhere every read answers `unsupported`.
class LinuxTsc final : public core::Tsc {
 public:
  /// `root` is the prefix before /proc.
  explicit LinuxTsc(const std::string& root = {});

  core::Result<core::TscReading> read() override;
  [[nodiscard]] bool emulated() const override { return emulated_; }

 private:
  core::Status usable_;
  bool emulated_;
};

}  // namespace clockmend::os
