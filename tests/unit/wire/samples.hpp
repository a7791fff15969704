// Values with every member set to something that is not its default, so that a forgotten member fails the round trip.
#pragma once

#include "agent/core/report.hpp"
#include "agent/core/status.hpp"

namespace clockmend::tests {

inline core::ClockSnapshot sample_clocks(long long at) {
  using core::nanoseconds;
  return {core::RealtimePoint(nanoseconds(1'700'000'000'000'000'001 + at)), core::MonotonicPoint(nanoseconds(11 + at)),
          core::RawPoint(nanoseconds(22 + at)), core::BoottimePoint(nanoseconds(33 + at)), nanoseconds(44 + at)};
}

inline core::OffsetReading sample_reading(core::Witness witness) {
  core::OffsetReading reading;
  reading.witness = witness;
  reading.offset.value = core::nanoseconds(-47'550'000'001);
  reading.uncertainty = core::nanoseconds(123'456);
  reading.systematic = core::nanoseconds(50'000'000);
  reading.at = sample_clocks(7);
  reading.agreeing = 3;
  reading.answered = 4;
  reading.detail = "a \"detail\" \xc3\xa9";
  return reading;
}

inline core::CorrectionReport sample_report() {
  using core::nanoseconds;
  core::CorrectionReport r;
  r.number = 42;
  r.outcome = core::Outcome::corrected;
  r.reason = "the clock was behind";
  r.estimate =
      core::Estimate{{nanoseconds(47'550'000'000)},           nanoseconds(99), core::Basis::differential, core::Witness::rtc, 2, true,
                     {core::Witness::rtc, core::Witness::ntp}};
  r.total.value = nanoseconds(47'551'000'000);
  r.residual = core::Offset{nanoseconds(-77)};
  r.residual_uncertainty = nanoseconds(500'000);
  r.verified = true;
  r.rtc = "written";
  r.daemon = "ntpsec.service running again";
  r.actions = {{core::ActionKind::stop_daemon, nanoseconds(1), nanoseconds(2), true, "ntpsec.service", std::nullopt, std::nullopt},
               {core::ActionKind::step, nanoseconds(3), nanoseconds(4), true, "host", core::Offset{nanoseconds(5)}, nanoseconds(6)}};
  r.notices = {"n1", "n2"};
  r.started_realtime = core::RealtimePoint(nanoseconds(1'600'000'000'123'456'789));
  r.ended_realtime = core::RealtimePoint(nanoseconds(1'600'000'050'000'000'000));
  r.duration = nanoseconds(2'345'678'901);
  r.discontinuity.cause = core::Cause::notice;
  r.discontinuity.tripwire = "host notice";
  r.discontinuity.detected = sample_clocks(1);
  core::HostNotice notice;
  notice.event = core::NoticeEvent::hot_upgrade;
  notice.id = "n1";
  notice.epoch = "e1";
  notice.exchange = sample_reading(core::Witness::host);
  notice.sent = core::RealtimePoint(nanoseconds(1'600'000'047'000'000'000));
  notice.force = true;
  notice.dry_run = true;
  r.discontinuity.notice = notice;
  r.discontinuity.foreign_step = nanoseconds(-9);
  core::Evidence evidence;
  evidence.reading = sample_reading(core::Witness::rtc);
  evidence.basis = core::Basis::differential;
  evidence.needed = {{nanoseconds(1)}, {nanoseconds(2)}};
  evidence.gap = core::interval_around({nanoseconds(30)}, nanoseconds(4));
  evidence.used = true;
  r.discontinuity.evidence = {evidence};
  r.discontinuity.disruptions = {"vmclock: disruption marker 1 -> 2"};
  r.discontinuity.gap = evidence.gap;
  r.discontinuity.confidence = core::Confidence::corroborated;
  return r;
}

inline core::AgentStatus sample_status() {
  core::AgentStatus s;
  s.version = "0.1.0";
  s.pid = 4711;
  s.state = core::ClockState::verifying;
  s.state_reason = "stepped";
  s.mode = core::Mode::observe;
  s.sequence = core::Sequence::stop_first;
  s.checked_at = sample_clocks(3);
  s.valid_since = core::RealtimePoint(core::nanoseconds(1'700'000'000'500'000'000));
  s.error_bound = core::nanoseconds(2'000'001);
  s.max_detection_latency = core::milliseconds(1050);
  s.void_after = core::milliseconds(5000);
  s.clocksource = "kvm-clock";
  s.can_set_clock = true;
  s.can_set_clock_why = "allowed";
  s.probes = {{"rtc", {core::ProbeState::degraded, "no edge", sample_reading(core::Witness::rtc)}},
              {"clocks", {core::ProbeState::running, "watching", std::nullopt}}};
  s.daemons = {{"ntpsec.service", "active", "running", "abc123", true, true, "none", "nudge",
                "runs on and was told, synchronising again after 4.0 s"}};
  s.servers = {{"192.0.2.1", "time.example", "ok", sample_reading(core::Witness::ntp), 3},
               {"192.0.2.2", "", "unreachable", std::nullopt, 0}};
  s.config_error = "clockmend.toml:3: x";
  s.channel = "connected";
  s.rtc_mode = "utc";
  s.counters = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  s.last = sample_report();
  return s;
}

}  // namespace clockmend::tests
