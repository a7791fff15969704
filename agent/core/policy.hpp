// What the operator allows. Every default is stated once, here, with its reason.
#pragma once

#include "agent/core/backend.hpp"
#include "agent/core/time.hpp"

namespace clockmend::core {

enum class Mode { correct, slew_only, observe, off };
enum class Sequence { restore_first, stop_first };
enum class OnDisagreement { ntp, host, hold };
enum class OnForeignStep { verify, ignore };

[[nodiscard]] constexpr const char* to_string(Mode m) {
  switch (m) {
    case Mode::correct:
      return "correct";
    case Mode::slew_only:
      return "slew-only";
    case Mode::observe:
      return "observe";
    case Mode::off:
      return "off";
  }
  return "?";
}

[[nodiscard]] constexpr const char* to_string(Sequence s) { return s == Sequence::restore_first ? "restore-first" : "stop-first"; }

struct Policy {
  Mode mode = Mode::correct;
  Sequence sequence = Sequence::restore_first;
  OnDisagreement on_disagreement = OnDisagreement::ntp;
  OnForeignStep on_foreign_step = OnForeignStep::verify;

  /// A gap below this is noise of the edge measurement and of steal time; above it a discontinuity is recorded.
  milliseconds record_threshold{50};
  /// Decides whether a correction starts; smaller offsets are recorded and left to the time daemon.
  milliseconds step_threshold{100};
  /// Verification trims what exceeds this and the measurement's own uncertainty.
  microseconds trim_threshold{1000};
  /// A backward offset up to this is left to the restarted daemon (or slewed where none is managed).
  milliseconds backward_slew_limit{500};
  /// One source alone may move the clock this far; two witnesses, or two agreeing servers, lift the limit.
  seconds max_forward_uncorroborated{1000};
  seconds max_backward_uncorroborated{1};
  /// A single NTP server may contradict a local witness by this much at most (an RTC's phase is good to 1 s).
  milliseconds disagreement_tolerance{1000};
  /// Sum of uncorroborated steps allowed in `accumulation_window` (small-step grinding, CVE-2015-5300).
  seconds max_accumulated{1000};
  seconds accumulation_window{3600};
  /// No corrected time before this (build date, or the last good time in the history, whichever is later).
  RealtimePoint floor{};
  /// No corrected time after this: 32-bit time_t (2038) still bites guests, and an era error lands beyond it.
  RealtimePoint ceiling{seconds{4102444800}};  // 2100-01-01
  /// How far a host's own clock may be from true time when nothing proves better (an NTP-disciplined fleet host).
  milliseconds host_clock_error{50};
  /// Deadline for witnesses to answer before the decision is taken with what is there.
  milliseconds verification_deadline{5000};
  /// RTC written only when its edge is off by more than this.
  milliseconds rtc_write_threshold{100};
  bool write_rtc = true;
  bool manage_daemon = true;
  /// Known from what lies in hooks.d when last looked, not from a key: a correction asks nobody.
  bool pre_step_hooks = false;
  bool post_step_hooks = false;
  /// The step waits at most so long for pre-step hooks: enough for a message to an application, and no more of a wrong clock for
  /// all others than they have had by then anyway. Zero: they are started and not waited for.
  milliseconds pre_step_wait{250};
  /// Who makes the step where NTP stands behind it. With a program the order is that of stop_first, whatever `sequence` says.
  StepBackend step_backend = StepBackend::builtin;
  StepFallback step_fallback = StepFallback::builtin;
};

}  // namespace clockmend::core
