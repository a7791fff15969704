// The PTP clocks there are: which may be taken, which were set aside for a while, and why.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/ports/phc.hpp"
#include "probes/ptp_kind.hpp"

namespace clockmend::probes {

class PtpCandidates {
 public:
  struct Candidate {
    core::PhcDevice device;
    PtpKind kind;
    std::string why;               // set aside
    core::MonotonicPoint ready{};  // not to be touched before
    core::MonotonicPoint not_before{};
    core::nanoseconds backoff{};  // how long the next time, 0: never yet
    bool rejected = false;        // its rate was wrong: silent until it is proved right
  };

  /// The clocks there are now. What is known of those that were there before is kept; a new one that only the configuration
  /// names gets time to become ready.
  void refresh(const std::vector<core::PhcDevice>& present, const core::PtpSettings& settings, core::MonotonicPoint now);
  /// The device at that node was made (anew): the same as if it had not been there before.
  void appeared(std::string_view node, core::MonotonicPoint now);
  /// The best that is ready and not set aside at `now`; null when there is none. Valid until the next refresh().
  [[nodiscard]] Candidate* pick(core::MonotonicPoint now);
  /// The best one of all, set aside or not.
  [[nodiscard]] const Candidate* best() const { return known_.empty() ? nullptr : &known_.front(); }
  [[nodiscard]] Candidate* find(const core::PhcDevice& device);

  /// For `fixed`, or for longer each time.
  void set_aside(const core::PhcDevice& device, core::MonotonicPoint now, std::string why, std::optional<core::nanoseconds> fixed = {});
  /// It proved good.
  void praise(const core::PhcDevice& device);
  /// A device came or went: waiting is over for all.
  void forgive();
  /// When the first of them may be tried again.
  [[nodiscard]] std::optional<core::MonotonicPoint> next() const;

  /// "; not taken: /dev/ptp1 (igb): why, ..." or nothing: all but `taken`.
  [[nodiscard]] std::string others(const core::PhcDevice* taken) const;

 private:
  std::vector<Candidate> known_;                                  // by rank, then node
  std::vector<std::pair<core::PhcDevice, std::string>> refused_;  // and why
};

[[nodiscard]] std::string ptp_words(const core::PhcDevice& device);
[[nodiscard]] bool same_ptp(const core::PhcDevice& a, const core::PhcDevice& b);

}  // namespace clockmend::probes
