// What the engine asks of the outside world. The executor performs them in order; the engine never waits.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include <cstdint>
#include <optional>

#include "agent/core/backend.hpp"
#include "agent/core/hooks.hpp"
#include "agent/core/report.hpp"

namespace clockmend::engine {

/// Every probe: measure now.
struct AskWitnesses {};
/// One witness again (NTP after the daemon stopped, RTC to learn its baseline).
struct AskWitness {
  core::Witness witness = core::Witness::ntp;
  core::nanoseconds within{};  // at a moment chosen at random in so much time; 0: at once
};
/// Which time daemons run now? Answered by Engine::daemons_known().
struct AskDaemons {};
struct StopDaemons {
  bool none_may_run = false;  // also one that would otherwise run on and be told: a program that steps fights it, or for its port
};
struct StartDaemons {};
struct ApplyStep {
  core::Offset offset;
  core::ActionKind kind = core::ActionKind::step;  // step | trim | slew
  bool forced = false;                             // an operator lifted the guards: the policy's floor does not bind
};
/// A program measures and steps by itself. What it does to the clock is booked by Engine::tool_stepped() before anything else is
/// observed, its end told by Engine::tool_ended().
struct RunStepTool {
  core::StepBackend backend = core::StepBackend::ntpdate;
  core::Offset expected;  // what our own measurement asks for
};
/// The applications' own programs. Those before a step are waited for, at most Policy::pre_step_wait: then hooks_done().
struct RunHooks {
  core::HookFacts facts;
};
struct WriteRtc {
  /// The RTC's exact offset from the corrected clock, if a witness reading tells it: a small one needs no write.
  std::optional<core::Offset> offset;
  /// Where the RTC lies against the corrected clock by what it said during the correction: one that is ahead of that went on while
  /// the machine stood still again, and is not to be written.
  std::optional<core::OffsetInterval> expected;
};
/// Call Engine::deadline(token) after `delay`, unless a later ArmDeadline replaced it.
struct ArmDeadline {
  core::nanoseconds delay{};
  std::uint64_t token = 0;
};
struct DisarmDeadline {};
/// Call Engine::reconsider() after every observation that the commands before this one brought was delivered.
struct Reconsider {};
/// The record of a discontinuity is complete.
struct Publish {
  core::CorrectionReport report;
};
/// Something worth a log line although no discontinuity came of it.
struct Note {
  std::string text;
};

using Command = std::variant<AskWitnesses, AskWitness, AskDaemons, StopDaemons, StartDaemons, ApplyStep, RunStepTool, RunHooks, WriteRtc,
                             ArmDeadline, DisarmDeadline, Reconsider, Publish, Note>;
using Commands = std::vector<Command>;

/// How stopping or starting the time daemons ended.
struct DaemonOutcome {
  bool ok = true;
  bool any = false;      // a daemon was managed at all
  std::string detail;    // "ntpsec.service", "none active", or what failed
  bool running = false;  // stopping: one runs on, or may do so
};
/// How the program that was to step ended.
struct StepToolOutcome {
  bool ok = false;
  std::string detail;  // in its own words
};
struct RtcOutcome {
  bool ok = true;
  bool written = false;  // the device was changed: its baseline is a new one
  std::string detail;    // written | already right | skipped: why | failed: why
  bool aligned = false;  // written, and its second edge was seen to lie on ours
};

}  // namespace clockmend::engine
