#include "tests/simulation/world.hpp"

#include <algorithm>

namespace clockmend::sim {
namespace {

constexpr long kAdjtimePpm = 500;
constexpr core::seconds kElevenMinutes{659};  // sync_hw_clock(), kernel/time/ntp.c

}  // namespace

nanoseconds World::within(nanoseconds limit) {
  return nanoseconds(static_cast<std::int64_t>(random.next64() % static_cast<std::uint64_t>(limit.count() + 1)));
}

World::World(const MachineSpec& spec, std::uint64_t seed)
    : clock(spec.start),
      devices(clock, spec.devices, spec.clocksource),
      random(seed),
      rtc(clock, spec.rtc_phase + spec.host_error),
      daemon(spec.daemon),
      spec_(spec) {
  clock.bracket = 1us;
  clock.step(-spec.start_error);
  clock.status.unsynchronized = true;
  clock.crystal_ppm = spec.crystal_ppm;
  clock.source = spec.clocksource == Clocksource::kvm_clock ? "kvm-clock" : spec.clocksource == Clocksource::tsc ? "tsc" : "hpet";
  rtc.there = spec.rtc && spec.rtc_clock != RtcClock::none;
  devices.host_error(spec.host_error);
  if (spec.jitter != 0ns) scheduler.lateness = [this] { return within(spec_.jitter); };
  commands.on_run = [this](const std::string&) { daemon.told(); };
  if (spec.daemon != DaemonKind::none) services.add(daemon.unit(), true);
  for (std::size_t i = 0; i < spec.servers.size(); ++i) set_server(i, spec.servers[i]);
  next_rtc_sync_ = clock.snapshot().monotonic + kElevenMinutes;
  event();
  scheduler.post_after(1s, [this] { tick(); });
}

void World::set_server(std::size_t i, const Server& server) {
  spec_.servers.at(i) = server;
  auto& script = network.server(server_address(i));
  script = {};
  script.out = script.back = 1ms + nanoseconds(static_cast<std::int64_t>(random.next64() % 3'000'000));
  script.root_dispersion = 1ms;
  if (spec_.jitter != 0ns) {
    script.before = [this, out = script.out, back = script.back](fakes::NtpServerScript& next) {
      next.out = out + within(spec_.jitter);
      next.back = back + within(spec_.jitter);
    };
  }
  switch (server.kind) {
    case Server::Kind::honest:
      break;
    case Server::Kind::liar:
    case Server::Kind::smearing:
      script.error = server.error;
      break;
    case Server::Kind::dead:
      script.dead = true;
      break;
    case Server::Kind::slow:
      script.out = script.back = 150ms;
      break;
    case Server::Kind::kod:
      script.stratum = 0;
      script.leap = 3;
      script.refid = "DENY";
      break;
    case Server::Kind::lossy:
      script.before = [this](fakes::NtpServerScript& next) { next.dead = random.next64() % 2 == 0; };
      break;
    case Server::Kind::asymmetric:
      script.back = 40ms;
      break;
    case Server::Kind::unsynchronized:
      script.leap = 3;
      break;
  }
}

void World::pause(nanoseconds gap, bool ran_on) {
  clock.pause(gap, ran_on ? fakes::FakeClock::Pause::counter_ran_on : fakes::FakeClock::Pause::frozen);
  event();
}

void World::move(nanoseconds gap, nanoseconds phase_moves, const std::string& new_epoch) {
  clock.pause(gap);
  rtc.shift(phase_moves);
  spec_.epoch = new_epoch;
  event();
}

void World::happens(VmEvent what, nanoseconds gap, const std::string& new_epoch) {
  Counted c = counted(spec_.clocksource, what, spec_.rtc_clock);
  if (spec_.vmm_restores && !guest_sleeps(what)) c.monotonic = c.boottime = c.realtime = true;
  if (guest_sleeps(what)) {
    sleep(gap, c);
  } else {
    clock.elapse(gap, c.realtime, c.monotonic, c.boottime);
  }
  if (!c.rtc) rtc.shift(-gap);
  if (new_process(what) && spec_.rtc_clock == RtcClock::host) rtc.shift(spec_.rtc_phase_moves);
  if (!new_epoch.empty()) spec_.epoch = new_epoch;
  devices.event(what, c, gap);
  event();
  if (guest_sleeps(what)) changed();  // timerfd_resume()
}

// timekeeping_resume(): kvm-clock and TSC tell how long it was, else the RTC does, in whole seconds.
void World::sleep(nanoseconds gap, const Counted& c) {
  const nanoseconds asleep = rtc.time();
  clock.elapse(gap, c.realtime, c.monotonic, c.boottime);
  if (c.monotonic || spec_.clocksource != Clocksource::tcg || !rtc.there) return;
  const auto whole = [](nanoseconds t) { return std::chrono::floor<core::seconds>(t); };
  clock.oversleep(whole(rtc.time()) - whole(asleep) - gap);
}

void World::set_host_error(nanoseconds error) {
  spec_.host_error = error;
  devices.host_error(error);
}

void World::suspend(nanoseconds gap) {
  clock.suspend(gap);
  event();
  changed();  // timerfd_resume()
}

void World::set_clock(nanoseconds by) {
  ++foreign_steps;
  clock.step(by);
  clock.status.unsynchronized = true;  // TK_CLEAR_NTP
  event();
  changed();
}

// second_overflow() in kernel/time/ntp.c: neither STA_UNSYNC nor the maximum error is touched.
void World::leap_second(nanoseconds by, bool others, bool guest) {
  if (others) clock.leap(by);
  if (guest) clock.step(by);
  event();
  if (guest) changed();
}

void World::hwclock_write() { rtc.shift(-rtc.offset()); }

core::HostNotice World::notice(core::NoticeEvent event, bool exchange) {
  core::HostNotice n;
  n.event = event;
  n.id = "host-" + std::to_string(++notices_);
  n.epoch = spec_.epoch;
  if (!exchange) {
    n.sent = clock.truth() + spec_.host_error;
    return n;
  }
  core::OffsetReading r;
  r.witness = core::Witness::host;
  r.uncertainty = 150us;
  const auto noise = static_cast<std::int64_t>(random.next64() % 200'000) - 100'000;
  r.offset.value = error() + spec_.host_error + nanoseconds(noise);
  r.systematic = 50ms;  // Policy::host_clock_error
  r.at = clock.snapshot();
  n.exchange = r;
  return n;
}

bool World::daemon_running() { return daemon.kind() != DaemonKind::none && services.unit(daemon.unit()).state.running(); }

core::Result<core::ClockSnapshot> World::step(core::Offset offset) {
  if (step_error) return *step_error;
  const nanoseconds before = error();
  clock.step(offset.value);
  to_slew_ = 0ns;
  steps.push_back({offset.value, before, error(), clock.snapshot().monotonic - last_event_, daemon_running()});
  changed();
  return clock.snapshot();
}

core::Status World::slew(core::Offset offset) {
  slews.push_back(offset);
  to_slew_ = offset.value;
  return core::success();
}

core::Status World::start(std::function<void()> on_set) {
  on_set_ = std::move(on_set);
  return core::success();
}

void World::changed() {
  daemon.clock_was_set();
  if (on_set_) scheduler.post_after(0ns, [this] { on_set_(); });
}

void World::tick() {
  scheduler.post_after(1s, [this] { tick(); });
  long ppm = 0;
  if (daemon_running()) {
    auto& unit = services.unit(daemon.unit());
    const bool heard =
        std::any_of(spec_.servers.begin(), spec_.servers.end(), [](const Server& s) { return s.kind == Server::Kind::honest; });
    const DaemonAction action = daemon.second(heard ? std::optional(error()) : std::nullopt, unit.state.invocation_id);
    if (action.step != 0ns) set_clock(action.step);
    if (action.synchronized) clock.status.unsynchronized = false;
    if (action.exits) services.rest(unit, "failed", "exit-code");
    // Disciplined: the crystal's error is known and taken away.
    ppm = action.slew_ppm - (action.synchronized ? spec_.crystal_ppm : 0);
  }
  if (to_slew_ != 0ns) {
    const nanoseconds now = std::clamp<nanoseconds>(to_slew_, -nanoseconds(kAdjtimePpm * 1000), nanoseconds(kAdjtimePpm * 1000));
    to_slew_ -= now;
    ppm += now.count() / 1000;
  }
  clock.slew_ppm = ppm;
  eleven_minute_mode();
}

void World::eleven_minute_mode() {
  if (clock.status.unsynchronized || clock.snapshot().monotonic < next_rtc_sync_) return;
  next_rtc_sync_ = clock.snapshot().monotonic + kElevenMinutes;
  ++eleven_minute_writes;
  rtc.shift(-rtc.offset() + nanoseconds(static_cast<std::int64_t>(random.next64() % 4'000'000)));
}

core::Status World::replace(const std::string& path, const std::string& content, bool) {
  files.files[path] = content;
  return core::success();
}
core::Status World::append(const std::string& path, const std::string& line, bool) {
  files.files[path] += line;
  if (!line.ends_with('\n')) files.files[path] += '\n';
  return core::success();
}
core::Status World::remove(const std::string& path) {
  files.files.erase(path);
  return core::success();
}

}  // namespace clockmend::sim
