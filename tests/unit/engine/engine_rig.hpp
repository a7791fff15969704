// An engine with a clock beside it: commands are recorded, and the immediate ones performed as the executor would.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "agent/engine/engine.hpp"
#include "tests/fakes/fake_clock.hpp"

namespace clockmend::engine::test {
using namespace std::chrono_literals;
using core::Witness;
inline core::Policy policy() {
  core::Policy p;
  p.floor = core::RealtimePoint{core::seconds{1577836800}};  // 2020-01-01
  return p;
}

/// The guest's clock starts right and disciplined; witnesses measure its error exactly unless told otherwise.
class EngineRig {
 public:
  explicit EngineRig(core::Policy p = policy()) : engine(prepare(p, clock), {clock.snapshot(), clock.status}, 1) {
    engine.set_daemon_active(true);
  }

  [[nodiscard]] Now now() { return {clock.snapshot(), clock.status}; }

  // Readings of the clock as it is now.
  [[nodiscard]] core::OffsetReading ntp(core::nanoseconds wrong_by = {}, unsigned agreeing = 1, unsigned answered = 1,
                                        core::nanoseconds uncertainty = 5ms) {
    core::OffsetReading r = reading(Witness::ntp, clock.error().value + wrong_by, uncertainty);
    r.agreeing = agreeing;
    r.answered = answered;
    r.detail = "test servers";
    return r;
  }
  [[nodiscard]] core::OffsetReading rtc() { return rtc_as(2ms); }
  [[nodiscard]] core::OffsetReading coarse_rtc() { return rtc_as(505ms); }
  [[nodiscard]] core::OffsetReading rtc_as(core::nanoseconds uncertainty) {
    core::OffsetReading r = reading(Witness::rtc, clock.error().value + rtc_phase, uncertainty);
    r.systematic = 1s;
    return r;
  }
  [[nodiscard]] core::OffsetReading exchange(core::nanoseconds host_wrong_by = {}) {
    core::OffsetReading r = reading(Witness::host, clock.error().value + host_wrong_by, 200us);
    r.systematic = engine.policy().host_clock_error;
    return r;
  }
  /// A PTP clock of the hypervisor whose host is wrong by `host_wrong_by`.
  [[nodiscard]] core::OffsetReading ptp(core::nanoseconds host_wrong_by = {}) {
    return reading(Witness::ptp, clock.error().value + host_wrong_by, 30us);
  }
  [[nodiscard]] core::HostNotice notice(const std::string& id, core::NoticeEvent event = core::NoticeEvent::resumed) {
    core::HostNotice n;
    n.event = event;
    n.id = id;
    return n;
  }
  [[nodiscard]] core::HostNotice notice_with_exchange(const std::string& id, core::nanoseconds host_wrong_by = {}) {
    core::HostNotice n = notice(id);
    n.exchange = exchange(host_wrong_by);
    return n;
  }

  void observe(const core::Observation& o) { perform(engine.observe(o, now())); }
  void fail(Witness w) { observe(core::MeasurementFailed{w, "it is away"}); }
  void compare() { observe(core::ClocksCompared{clock.snapshot()}); }
  void daemons_known(std::optional<bool> active) { perform(engine.daemons_known(active, now())); }
  void stopped(bool any = true, bool ok = true, bool running = false) {
    perform(engine.daemons_stopped({ok, any, any ? "ntpsec.service" : "none active", running}, now()));
  }
  void tool_ended(bool ok, const std::string& detail) { perform(engine.tool_ended({ok, detail}, now())); }
  void started(bool ok = true) { perform(engine.daemons_started({ok, true, ok ? "ntpsec.service running" : "it exited"}, now())); }
  void rtc_written(bool written = true, bool ok = true) { perform(engine.rtc_written({ok, written, ok ? "written" : "failed"}, now())); }
  void hooks_done(std::uint64_t correction) { perform(engine.hooks_done(correction, now())); }
  void reconsider() { perform(engine.reconsider(now())); }
  void patience() { perform(engine.deadline(armed.token, now())); }  // the short first deadline of a discontinuity
  void deadline() {
    if (armed.delay < policy().verification_deadline) patience();
    perform(engine.deadline(armed.token, now()));
  }
  void learn_rtc() { observe(rtc()); }  // its exact reading as baseline
  void finish_well() {                  // after a step
    stopped();
    clock.advance(20ms);
    observe(ntp());
    rtc_written();
    started();
  }
  template <class C>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(log, [](const Command& c) { return std::holds_alternative<C>(c); }));
  }
  [[nodiscard]] std::size_t asked(Witness w) const {
    const auto of = [w](const Command& c) { return std::holds_alternative<AskWitness>(c) && std::get<AskWitness>(c).witness == w; };
    return static_cast<std::size_t>(std::ranges::count_if(log, of));
  }
  [[nodiscard]] const core::CorrectionReport& report() const { return reports.at(reports.size() - 1); }
  [[nodiscard]] double error_ms() const { return static_cast<double>(clock.error().value.count()) / 1e6; }

  fakes::FakeClock clock;
  core::nanoseconds rtc_phase{-670ms};
  Engine engine;
  std::optional<core::Error> step_error;  // the kernel refuses
  bool hold_reconsider = false;           // leave Reconsider to the test
  bool hold_daemons = false;              // leave the answer to AskDaemons to the test
  std::vector<Command> log;
  std::vector<ApplyStep> steps;  // every change of the clock that was accepted
  std::vector<core::CorrectionReport> reports;
  ArmDeadline armed;

 private:
  static core::Policy prepare(const core::Policy& p, fakes::FakeClock& clock) {
    clock.status.unsynchronized = false;
    return p;
  }
  [[nodiscard]] core::OffsetReading reading(Witness w, core::nanoseconds offset, core::nanoseconds uncertainty) {
    core::OffsetReading r;
    r.witness = w;
    r.offset.value = offset;
    r.uncertainty = uncertainty;
    r.at = clock.snapshot();
    return r;
  }

  void perform(const Commands& commands) {
    std::vector<Commands> later;
    for (const Command& c : commands) {
      log.push_back(c);
      if (const auto* step = std::get_if<ApplyStep>(&c)) later.push_back(apply(*step));
      if (const auto* arm = std::get_if<ArmDeadline>(&c)) armed = *arm;
      if (const auto* p = std::get_if<Publish>(&c)) reports.push_back(p->report);
      if (std::holds_alternative<AskDaemons>(c) && !hold_daemons) later.push_back(engine.daemons_known(std::nullopt, now()));
      if (std::holds_alternative<Reconsider>(c) && !hold_reconsider) later.push_back(engine.reconsider(now()));
    }
    for (const Commands& l : later) perform(l);
  }
  Commands apply(const ApplyStep& step) {
    if (step_error) return engine.stepped(*step_error, now());
    if (step.kind != core::ActionKind::slew) {
      clock.step(step.offset.value);
      engine.own_step_applied(step.offset);
    }
    steps.push_back(step);
    return engine.stepped(clock.snapshot(), now());
  }
};

}  // namespace clockmend::engine::test
