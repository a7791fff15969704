// What every clock of a guest does over every event: the table of the kernel's and QEMU's sources, as data.
//
// QEMU hw/i386/kvm/clock.c (kvm-clock stands still while stopped), target/i386/kvm (the TSC is written back on restore
// only), system/cpu-timers.c (TCG stops both), hw/rtc/mc146818rtc.c (clock=host|rt|vm); Linux kernel/time/timekeeping.c
// (S3). Measured: traces/.
#pragma once

namespace clockmend::sim {

enum class Clocksource { kvm_clock, tsc, tcg };
enum class VmEvent { stop_cont, live_migration, migrate, loadvm, cpr, s3, s2idle };
/// QEMU's -rtc clock=; none: no device (s390x, some microVMs).
enum class RtcClock { host, rt, vm, none };

inline constexpr Clocksource kClocksources[] = {Clocksource::kvm_clock, Clocksource::tsc, Clocksource::tcg};
inline constexpr VmEvent kVmEvents[] = {VmEvent::stop_cont, VmEvent::live_migration, VmEvent::migrate, VmEvent::loadvm, VmEvent::cpr,
                                        VmEvent::s3,        VmEvent::s2idle};
inline constexpr RtcClock kRtcClocks[] = {RtcClock::host, RtcClock::rt, RtcClock::vm, RtcClock::none};

[[nodiscard]] const char* to_string(Clocksource c);
[[nodiscard]] const char* to_string(VmEvent e);
[[nodiscard]] const char* to_string(RtcClock r);

/// True: this clock counts the time of the event. PTP (the host's clock) always does.
struct Counted {
  bool tsc = false;
  bool monotonic = false;  // and MONOTONIC_RAW
  bool boottime = false;
  bool realtime = false;
  bool rtc = false;
};
[[nodiscard]] Counted counted(Clocksource source, VmEvent event, RtcClock rtc);

/// Another process of the hypervisor runs the VM now: vmclock's marker and the kernel's log tell, the RTC's phase may move.
[[nodiscard]] constexpr bool new_process(VmEvent e) {
  return e == VmEvent::live_migration || e == VmEvent::migrate || e == VmEvent::loadvm || e == VmEvent::cpr;
}
/// The guest's own kernel went to sleep and knows it.
[[nodiscard]] constexpr bool guest_sleeps(VmEvent e) { return e == VmEvent::s3 || e == VmEvent::s2idle; }

}  // namespace clockmend::sim
