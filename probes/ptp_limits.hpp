// The numbers of the PTP probe, each with its reason.
#pragma once

#include "agent/core/time.hpp"

namespace clockmend::probes {

/// A change of PHC - RAW beyond the error of the readings and the drift is told at once when it is larger. Smaller ones are left
/// to the next baseline: no correction starts below 100 ms, and steal time makes some ms.
inline constexpr core::milliseconds kPtpChange{5};
/// Otherwise one reading in so long, for the baseline, as the RTC probe does.
inline constexpr core::seconds kPtpBaselineEvery{16};
/// A reading with a larger error makes a poor baseline: the next tick is tried instead, as long again.
inline constexpr core::milliseconds kPtpCoarse{10};

/// Two oscillators that NTP can discipline differ by no more (NTP's own frequency limit, adjtimex(2)).
inline constexpr double kPtpLargestRatePpm = 500.0;
/// Kept open once the rate was measured: temperature, and a host that slews its clock a little.
inline constexpr double kPtpLearnedPpm = 50.0;
/// A rate is judged over at least this.
inline constexpr core::seconds kPtpRateBase{2};
inline constexpr unsigned kPtpRateLeastSteps = 4;
/// Readings closer together say little about a rate.
inline constexpr core::milliseconds kPtpRateStep{190};
/// So many changes among the last steps are no longer single freezes.
inline constexpr unsigned kPtpDoubtfulChanges = 3;
inline constexpr unsigned kPtpDoubtfulAmong = 8;

/// A network card's driver may register its clock before it can be read: e1000e of Linux 7.3 crashes the kernel then. What the
/// configuration names is left alone for so long after it appeared; hypervisors' clocks are made ready first.
inline constexpr core::seconds kPtpGetReady{2};

/// How soon an undecided time scale is looked at again: NTP may have put REALTIME right meanwhile.
inline constexpr core::seconds kPtpScaleRetry{5};
/// So many clock names are remembered with their scale; a machine has one or two.
inline constexpr unsigned kPtpScalesKnown = 16;
/// A clock that failed or runs at a wrong rate, or none at all where nobody tells of new ones: twice as long each time.
inline constexpr core::seconds kPtpFirstBackoff{10};
inline constexpr core::seconds kPtpLongestBackoff{300};
/// Read errors in a row that are taken for a hiccup.
inline constexpr unsigned kPtpToleratedFailures = 2;

}  // namespace clockmend::probes
