// The numbers of the RTC probe, each with its reason.
#pragma once

#include "agent/core/time.hpp"

namespace clockmend::probes {

/// The read before the edge is placed so far ahead of it: gaps shorter than this are not seen. Timers under TCG come
/// up to a few ms late and the kernel may wait some ms for the update to end (mc146818_avoid_UIP); a tenth would do on
/// a quiet machine, but a read past the edge proves nothing.
inline constexpr core::milliseconds kGuard{20};
inline constexpr core::milliseconds kLargestGuard{160};
inline constexpr core::milliseconds kGuardDecay{1};  // per second that went well

/// One narrowing read every so many seconds: with the read before each edge 75 wake-ups per minute.
inline constexpr unsigned kSlotEvery = 4;
/// So far outside the possible phases the confirming reads go.
inline constexpr core::milliseconds kSlotMargin{2};
/// A span wider than this is narrowed every second instead.
inline constexpr core::milliseconds kWide{12};
/// A narrowing read that contradicts by less is a slip of the tracking, not an event; twice running it is one.
inline constexpr core::milliseconds kSlipLimit{5};
/// A model that has become less exact than this is learned anew.
inline constexpr core::milliseconds kModelLost{200};
/// The next before-read lies at least so far ahead: its second must be a new one.
inline constexpr core::milliseconds kLead{100};

/// The edge search reads so often, hence finds the edge to half of this and a read's length.
inline constexpr core::milliseconds kPollEvery{2};
/// A second at most, the poll's own length, and the allowance of a slewed RTC.
inline constexpr core::milliseconds kLongestSearch{1200};
/// An edge found with a wider bracket (steal time) is looked for again, so many times, around the next second only.
inline constexpr core::milliseconds kWideEdge{10};
inline constexpr unsigned kWideEdgeTries = 2;
/// Whoever asked waits for that second edge only where the first one may be wrong by more than the 10 ms that count as right.
inline constexpr core::milliseconds kUselessEdge{20};
/// A device whose second jumps this often within one search is broken.
inline constexpr unsigned kSearchRestarts = 5;

/// An RTC this close to REALTIME after it moved, and not before, was written by somebody (the kernel's 11-minute mode
/// aims within five jiffies, hwclock(8) within some ms; the edge is known to a few ms).
inline constexpr core::milliseconds kAgreement{60};
/// The nearest second, and the write's own lateness.
inline constexpr core::milliseconds kHalfSecond{520};
/// A move within the two models' errors and this is none.
inline constexpr core::milliseconds kMoved{5};

/// QEMU's second edge is anywhere against the host's second.
inline constexpr core::seconds kUnknownPhase{1};
/// Our own write is aligned and proved to this (correctors/rtc_writer).
inline constexpr core::milliseconds kAlignedPhase{20};

/// Read errors in a row that are taken for a hiccup (rtc-cmos gives EIO while an update hangs).
inline constexpr unsigned kToleratedFailures = 2;
inline constexpr core::seconds kFirstBackoff{5};
inline constexpr core::seconds kLongestBackoff{300};

}  // namespace clockmend::probes
