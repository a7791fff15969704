#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "agent/core/result.hpp"

namespace clockmend::core {

/// New lines of the kernel's log (/dev/kmsg), without their prefix and only those the kernel wrote itself: a line that a
/// process wrote there has another facility and is not told. Nor is what was logged before start().
class KernelLog {
 public:
  using OnLine = std::function<void(std::string_view line)>;
  /// The log cannot be read any more, and why; nothing follows.
  using OnEnd = std::function<void(const Error& why)>;

  virtual ~KernelLog() = default;
  /// Call once. not_permitted where dmesg_restrict or a sandbox forbids it, not_found without a log.
  virtual Status start(OnLine on_line, OnEnd on_end) = 0;
  /// How many times lines were overwritten before they could be read.
  [[nodiscard]] virtual std::uint64_t overruns() const = 0;
};

}  // namespace clockmend::core
