// A guest and everything around it in virtual time: clocks, RTC, kernel, systemd, time daemon, NTP servers, host.
// It knows nothing of the agent: ports on one side, events on the other.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/notice.hpp"
#include "agent/core/ports/clock_adjuster.hpp"
#include "agent/core/ports/files.hpp"
#include "agent/core/ports/watches.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_commands.hpp"
#include "tests/fakes/fake_dead_man.hpp"
#include "tests/fakes/fake_files.hpp"
#include "tests/fakes/fake_network.hpp"
#include "tests/fakes/fake_random.hpp"
#include "tests/fakes/fake_resolver.hpp"
#include "tests/fakes/fake_rtc.hpp"
#include "tests/fakes/fake_scheduler.hpp"
#include "tests/fakes/fake_services.hpp"
#include "tests/simulation/devices.hpp"
#include "tests/simulation/time_daemon_model.hpp"

namespace clockmend::sim {

using namespace std::chrono_literals;
using core::nanoseconds;

struct Server {
  /// smearing: up to half a second off for a day around a leap second; lossy: every second packet is lost; asymmetric: the
  /// way back takes 40 ms; unsynchronized: says so (LI = 3).
  enum class Kind { honest, liar, dead, slow, kod, smearing, lossy, asymmetric, unsynchronized };
  Kind kind = Kind::honest;
  nanoseconds error{};  // a liar's or smearing server's clock minus true time
};

/// What a machine is like before anything happens to it.
struct MachineSpec {
  std::vector<Server> servers{{}};
  DaemonKind daemon = DaemonKind::ntpd;
  nanoseconds rtc_phase{-670ms};  // measured under QEMU
  bool rtc = true;
  RtcClock rtc_clock = RtcClock::host;
  Clocksource clocksource = Clocksource::tcg;
  nanoseconds rtc_phase_moves{};  // with each new process of the hypervisor
  bool vmm_restores = false;      // KVM_CLOCK_REALTIME and the like: after the event the guest's clocks have counted it
  DeviceSpec devices;
  nanoseconds host_error{};   // the host's clock minus true time
  nanoseconds start_error{};  // truth - REALTIME when the agent starts
  long crystal_ppm = 0;       // all of the guest's clocks run fast by this; a time daemon that synchronizes takes it away
  nanoseconds jitter{};       // each of the agent's timers comes up to so much late, each network path takes so much longer
  core::RealtimePoint start{core::seconds{1735689600}};  // true time when the world begins: 2025-01-01
  std::string epoch = "host-a";
};

class World final : public core::ClockAdjuster, public core::ClockSetWatch, public core::FileWriter {
 public:
  World(const MachineSpec& spec, std::uint64_t seed);

  // Events. Times are true time; the guest's clocks follow by their own rules.
  void run(nanoseconds d) { scheduler.run_for(d); }
  /// stop/cont. `ran_on`: the row of FACTS 2a where the counter counts the gap and REALTIME is right at once.
  void pause(nanoseconds gap, bool ran_on = false);
  /// Any event of the table, for this machine's clocksource and RTC.
  void happens(VmEvent event, nanoseconds gap, const std::string& new_epoch = {});
  /// S3 of the guest itself: the kernel times it by the RTC.
  void suspend(nanoseconds gap);
  /// Save/restore, migration, hot upgrade: another VMM process, so the RTC's second edge is elsewhere.
  void move(nanoseconds gap, nanoseconds phase_moves, const std::string& new_epoch);
  /// Somebody sets the clock: date -s, another agent, a daemon.
  void set_clock(nanoseconds by);
  /// UTC's second 60 (negative) or the missing 59: for the servers and the host, for the guest's kernel, or for both.
  void leap_second(nanoseconds by, bool others, bool guest);
  void hwclock_write();
  /// The host's own clock from now on, minus true time; its RTC device stays as it is.
  void set_host_error(nanoseconds error);
  /// A notice as the channel hands it on; with the exchange's reading, or with a hook's bare stamp.
  [[nodiscard]] core::HostNotice notice(core::NoticeEvent event, bool exchange);
  [[nodiscard]] nanoseconds error() const { return clock.error().value; }
  [[nodiscard]] bool daemon_running();
  [[nodiscard]] std::string server_address(std::size_t i) const { return "192.0.2." + std::to_string(i + 1); }
  void set_server(std::size_t i, const Server& server);

  // Ports that no fake covers.
  core::Result<core::ClockSnapshot> step(core::Offset offset) override;
  core::Status slew(core::Offset offset) override;
  [[nodiscard]] core::Status permitted() override { return core::success(); }
  core::Status start(std::function<void()> on_set) override;
  core::Status replace(const std::string& path, const std::string& content, bool durable) override;
  core::Status append(const std::string& path, const std::string& line, bool durable) override;
  core::Status remove(const std::string& path) override;

  fakes::FakeClock clock;
  Devices devices;
  fakes::FakeScheduler scheduler{clock};
  fakes::FakeRandom random;
  fakes::FakeRtc rtc;
  fakes::FakeNetwork network{clock, scheduler};
  fakes::FakeResolver resolver{scheduler};
  fakes::FakeServices services{scheduler};
  fakes::FakeCommands commands{scheduler};
  fakes::FakeDeadMan dead_man{scheduler};
  fakes::FakeFiles files;
  TimeDaemonModel daemon;

  // What the agent did to the machine.
  struct Stepped {
    nanoseconds amount{};
    nanoseconds error_before{};
    nanoseconds error_after{};
    nanoseconds since_event{};  // virtual time since the last event of this world
    bool daemon_ran = false;
  };
  std::vector<Stepped> steps;
  std::vector<core::Offset> slews;
  std::optional<core::Error> step_error;
  unsigned eleven_minute_writes = 0;
  unsigned foreign_steps = 0;  // by anybody but the agent

 private:
  void tick();
  void sleep(nanoseconds gap, const Counted& c);
  [[nodiscard]] nanoseconds within(nanoseconds limit);
  void changed();  // TFD_TIMER_CANCEL_ON_SET
  void eleven_minute_mode();
  void event() { last_event_ = clock.snapshot().monotonic; }

  MachineSpec spec_;
  std::function<void()> on_set_;
  core::MonotonicPoint last_event_{};
  nanoseconds to_slew_{};  // adjtime(3) of the agent: what is left of it
  core::MonotonicPoint next_rtc_sync_{};
  unsigned notices_ = 0;
};

}  // namespace clockmend::sim
