#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/core/result.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

/// Somebody who runs a program unless told in time that it is not needed, and who outlives us.
class DeadMan {
 public:
  using Reply = std::function<void(Status)>;
  virtual ~DeadMan() = default;
  /// The program runs `after` so long by CLOCK_MONOTONIC: a frozen guest's time does not count. Takes the place of one armed
  /// before. argv[0] is an absolute path. Answers exactly once, within seconds.
  virtual void arm(const std::vector<std::string>& argv, milliseconds after, Reply reply) = 0;
  virtual void disarm() = 0;
};

}  // namespace clockmend::core
