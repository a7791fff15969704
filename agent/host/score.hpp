// Many verdicts into one exit code. Pure.
#pragma once

#include <cstddef>

#include "agent/host/verdict.hpp"

namespace clockmend::host {

class Score {
 public:
  void add(Verdict verdict) {
    ++guests_;
    if (verdict == Verdict::done) {
      ++done_;
    } else if (guests_ - done_ == 1) {
      worst_ = verdict;
    } else if (worst_ != verdict) {
      worst_ = Verdict::mixed;
    }
  }

  /// `done` where every guest is (and where there was none), the failure they share, or `mixed`.
  [[nodiscard]] Verdict verdict() const { return worst_; }
  [[nodiscard]] std::size_t guests() const { return guests_; }
  [[nodiscard]] std::size_t done() const { return done_; }

 private:
  std::size_t guests_ = 0;
  std::size_t done_ = 0;
  Verdict worst_ = Verdict::done;
};

}  // namespace clockmend::host
