#include "tests/simulation/fleet.hpp"

#include <algorithm>

#include "tests/simulation/scenario.hpp"

namespace clockmend::sim {
namespace {

/// A hundred guests wake on one host at once: each waits for the others' turns on its processors.
constexpr nanoseconds kTurn = 20ms;
constexpr nanoseconds kRight = 10ms;

MachineSpec fleet_machine(Fleet kind, std::uint64_t seed) {
  MachineSpec m;
  m.servers.assign(4, {});
  m.clocksource = Clocksource::kvm_clock;
  m.jitter = kTurn;
  m.crystal_ppm = static_cast<long>(seed % 41) - 20;
  m.host_error = nanoseconds(static_cast<std::int64_t>(seed * 7919 % 4'000'001) - 2'000'000);
  m.rtc_phase = nanoseconds(static_cast<std::int64_t>(seed * 104'729 % 1'000'000'000) - 500'000'000);
  m.rtc = kind != Fleet::ntp_only;
  if (kind == Fleet::ptp) m.devices.ptp = "KVM virtual PTP";
  return m;
}

void collect(const Machine& r, core::MonotonicPoint resumed, FleetResult& out) {
  const auto done = std::find_if(r.world.steps.begin(), r.world.steps.end(),
                                 [](const World::Stepped& s) { return core::magnitude({s.error_after}) <= kRight; });
  if (done != r.world.steps.end()) out.right.push_back(done->since_event);
  if (r.error() > kRight) ++out.still_wrong;
  out.steps += static_cast<unsigned>(r.world.steps.size());
  for (const auto& sent : r.world.network.sent) out.packets.push_back(sent.at.monotonic - resumed);
  for (const auto& report : r.guest.reports)
    for (const auto& action : report.actions)
      if (action.kind == core::ActionKind::verify && action.ok)
        out.verified.push_back(report.discontinuity.detected.monotonic - resumed + action.ended);
}

}  // namespace

const char* describe(Fleet f) {
  switch (f) {
    case Fleet::ptp:
      return "PTP clock and RTC, nobody tells";
    case Fleet::host_exchange:
      return "host's notice with exchange, RTC";
    case Fleet::rtc:
      return "RTC alone, nobody tells";
    case Fleet::ntp_only:
      return "no local witness, a bare notice";
  }
  return "?";
}

FleetResult run_fleet(Fleet kind, const FleetSpec& spec, std::uint64_t seed) {
  FleetResult result;
  for (unsigned i = 0; i < spec.hosts * spec.guests_per_host; ++i) {
    const std::uint64_t own = seed * 1'000'003 + i;
    // Settled, each at its own point of the RTC's and the probes' periods.
    fakes::FakeRandom phase(own);
    Machine r(fleet_machine(kind, own), default_policy(), own,
              25s + nanoseconds(static_cast<std::int64_t>(phase.next64() % 5'000'000'000U)));
    r.world.happens(VmEvent::stop_cont, spec.gap);
    const core::MonotonicPoint resumed = r.world.clock.snapshot().monotonic;
    const bool told = kind == Fleet::host_exchange || kind == Fleet::ntp_only;
    // One clockmend-host tells its guests one after the other, in some milliseconds each way.
    if (told) r.host_tells(core::NoticeEvent::resumed, kind == Fleet::host_exchange, 5ms + (i % spec.guests_per_host) * nanoseconds(500us));
    r.world.run(spec.watched);
    collect(r, resumed, result);
  }
  return result;
}

core::nanoseconds percentile(std::vector<core::nanoseconds> values, double percent) {
  if (values.empty()) return core::nanoseconds::zero();
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(percent / 100.0 * static_cast<double>(values.size() - 1));
  return values[at];
}

std::vector<unsigned> histogram(const std::vector<core::nanoseconds>& packets, core::nanoseconds width, core::nanoseconds until) {
  std::vector<unsigned> slices(static_cast<std::size_t>(until / width), 0U);
  for (const core::nanoseconds at : packets)
    if (at >= core::nanoseconds::zero() && at < width * static_cast<std::int64_t>(slices.size()))
      ++slices[static_cast<std::size_t>(at / width)];
  return slices;
}

}  // namespace clockmend::sim
