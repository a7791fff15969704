// The ledger of REALTIME - MONOTONIC: what of its changes was us, what was somebody else.
#pragma once

#include "agent/core/offset.hpp"
#include "agent/core/time.hpp"

namespace clockmend::engine {

/// Changes that were not ours, since the last time they were reported.
struct ForeignChange {
  core::nanoseconds step{};       // added to REALTIME by somebody else (date -s, a time daemon, a leap second)
  core::nanoseconds suspended{};  // BOOTTIME ran on without MONOTONIC: the guest itself was suspended
};

/// Own steps are booked by value, so a foreign step that coincides with ours is still seen in full.
class ClockLedger {
 public:
  explicit ClockLedger(const core::ClockSnapshot& first);

  /// Compares `now` with the books and closes them. Differences within the reading brackets stay open, so that a
  /// series of tiny steps adds up to one that is noticed.
  ForeignChange compare(const core::ClockSnapshot& now);

  void own_step(core::Offset amount);

 private:
  core::nanoseconds expected_set_;
  core::nanoseconds expected_suspend_;
  core::nanoseconds bracket_;
};

}  // namespace clockmend::engine
