#include "tests/simulation/clock_rules.hpp"

namespace clockmend::sim {
namespace {

bool rtc_counts(VmEvent event, RtcClock rtc) {
  switch (rtc) {
    case RtcClock::host:
      return true;
    // Saved as CMOS contents and taken up from there by rtc_post_load().
    case RtcClock::rt:
      return !new_process(event);
    // The virtual clock runs while the guest sleeps; a stopped VM stops it.
    case RtcClock::vm:
      return guest_sleeps(event);
    case RtcClock::none:
      return false;
  }
  return false;
}

}  // namespace

const char* to_string(Clocksource c) {
  switch (c) {
    case Clocksource::kvm_clock:
      return "kvm-clock";
    case Clocksource::tsc:
      return "tsc";
    case Clocksource::tcg:
      return "TCG";
  }
  return "?";
}

const char* to_string(VmEvent e) {
  switch (e) {
    case VmEvent::stop_cont:
      return "stop-cont";
    case VmEvent::live_migration:
      return "live-migration";
    case VmEvent::migrate:
      return "migrate";
    case VmEvent::loadvm:
      return "loadvm";
    case VmEvent::cpr:
      return "CPR";
    case VmEvent::s3:
      return "S3";
    case VmEvent::s2idle:
      return "s2idle";
  }
  return "?";
}

const char* to_string(RtcClock r) {
  switch (r) {
    case RtcClock::host:
      return "host";
    case RtcClock::rt:
      return "rt";
    case RtcClock::vm:
      return "vm";
    case RtcClock::none:
      return "none";
  }
  return "?";
}

Counted counted(Clocksource source, VmEvent event, RtcClock rtc) {
  Counted c;
  c.rtc = rtc_counts(event, rtc);
  switch (event) {
    case VmEvent::stop_cont:
      c.tsc = source != Clocksource::tcg;
      c.monotonic = c.boottime = c.realtime = source == Clocksource::tsc;
      break;
    case VmEvent::live_migration:
    case VmEvent::migrate:
    case VmEvent::loadvm:
    case VmEvent::cpr:
      break;
    case VmEvent::s3:
      c.tsc = c.boottime = c.realtime = true;
      break;
    case VmEvent::s2idle:  // the processor idles, nothing stops
      c.tsc = c.monotonic = c.boottime = c.realtime = true;
      break;
  }
  return c;
}

}  // namespace clockmend::sim
