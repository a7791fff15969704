// The whole NTP probe in virtual time against three servers that send what the input says, when it says.
// Input: records of a kind byte and its operands, until it ends.
#include "probes/ntp/ntp_probe.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/fake_random.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fuzz/targets/input.hpp"

namespace core = clockmend::core;
namespace fakes = clockmend::fakes;
using clockmend::fuzz::Input;
using clockmend::fuzz::must;

namespace {

struct Bench {
  fakes::FakeClock clock;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeNetwork network{clock, scheduler};
  fakes::FakeResolver resolver{scheduler};
  fakes::FakeRandom random;
  fakes::FakeFiles files;
  std::size_t readings = 0;
  std::size_t failures = 0;
  std::optional<clockmend::probes::NtpProbe> probe;

  Bench() {
    core::NtpSettings settings;
    settings.servers = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
    for (const auto& address : settings.servers) network.server(address).dead = true;
    probe.emplace(clockmend::probes::NtpPorts{network, resolver, scheduler, random, files}, settings,
                  core::RealtimePoint{core::seconds{1704067200}});
    probe->start([this](const core::Observation& o) { observe(o); });
  }
  void observe(const core::Observation& o) {
    if (const auto* reading = std::get_if<core::OffsetReading>(&o)) {
      ++readings;
      must(reading->uncertainty >= core::nanoseconds::zero(), "a bound is not negative");
      must(reading->agreeing >= 1 && reading->agreeing <= reading->answered && reading->answered <= 3, "servers are counted once each");
      must(reading->agreeing * 2 > reading->answered, "a majority decides");
    }
    if (const auto* failure = std::get_if<core::MeasurementFailed>(&o)) {
      ++failures;
      must(failure->why.size() < 1000, "a reason is short", failure->why);
      clockmend::fuzz::must_be_harmless(failure->why);
    }
  }
};

std::string server_of(std::uint8_t n) { return "192.0.2." + std::to_string(1 + n % 3); }

/// A reply to the last request to that server: its header from the input, its origin right or as the input says.
fakes::Bytes answer(Bench& bench, const std::string& server, Input& in) {
  const auto given = in.some(48);
  fakes::Bytes reply(given.begin(), given.end());
  const auto sent = bench.network.sent_to(server);
  const auto what = in.byte();
  if (reply.size() < 48 || sent.empty() || (what & 1U) == 0) return reply;
  fakes::put_be(reply, 24, fakes::get_be(sent.back().bytes, 40, 8), 8);
  if ((what & 2U) != 0) reply[0] = std::byte{0x24};
  if ((what & 4U) == 0) return reply;
  const auto error = core::milliseconds{static_cast<std::int8_t>(in.byte())};
  fakes::put_be(reply, 32, fakes::ntp_stamp(bench.clock.truth() + error), 8);
  fakes::put_be(reply, 40, fakes::ntp_stamp(bench.clock.truth() + error), 8);
  return reply;
}

void act(Bench& bench, Input& in) {
  const auto kind = in.byte();
  const auto n = in.byte();
  switch (kind % 8) {
    case 0:
      return bench.probe->measure_now();
    case 1:
      return bench.scheduler.run_for(core::milliseconds{n});
    case 2:
      return bench.scheduler.run_for(core::seconds{n});
    case 3:
      return bench.network.inject_error(server_of(n), {core::ErrorCode::unavailable, "connection refused"});
    case 4:
      bench.clock.pause(core::milliseconds{in.number(2)});
      return;
    case 5: {
      const core::milliseconds amount{static_cast<std::int16_t>(in.number(2))};
      bench.clock.step(amount);
      if (n % 2 == 0) bench.probe->own_change({core::OwnChange::What::step, {amount}, bench.clock.snapshot()});
      return;
    }
    default:
      bench.network.inject(server_of(n), answer(bench, server_of(n), in));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  Bench bench;
  const auto began = bench.scheduler.now();
  for (int i = 0; i < 200 && !in.empty(); ++i) act(bench, in);
  // 32 packets a minute and server at most, whatever anybody sends.
  const auto minutes = static_cast<std::size_t>((bench.scheduler.now() - began) / core::seconds{60}) + 1;
  must(bench.network.sent.size() <= 3 * 32 * (minutes + 1), "the budget of packets holds");
  must(bench.network.open_sockets() <= 3, "one socket a server");
  bench.scheduler.run_for(core::seconds{30});
  for (const auto& server : bench.probe->servers()) clockmend::fuzz::must_be_harmless(server.state);
  must(bench.network.open_sockets() == 0 || bench.scheduler.pending() > 0, "nothing is left open");
  return 0;
}
