// The PTP hardware clocks of this machine, by sysfs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/core/ports/phc.hpp"

namespace clockmend::os {

class LinuxPhcCatalogue final : public core::PhcCatalogue {
 public:
  /// `root` is the prefix before /sys and /dev (tests).
  explicit LinuxPhcCatalogue(std::string root = {}) : root_(std::move(root)) {}

  std::vector<core::PhcDevice> list() override;
  /// Opened for reading only. not_found too where the number meanwhile belongs to another clock.
  core::Result<std::unique_ptr<core::Phc>> open(const core::PhcDevice& device) override;

 private:
  [[nodiscard]] std::string attribute(const std::string& kernel_name, const char* name) const;

  std::string root_;
};

}  // namespace clockmend::os
