// How a visit ended, as hooks see it: the exit code.
#pragma once

namespace clockmend::host {

/// The numbers are the exit codes of clockmend-host and of `clockmend resync`; they are part of the interface.
enum class Verdict {
  done = 0,        // corrected, nothing to do, only observed as configured; without waiting: accepted
  refused = 1,     // a guard forbade the correction, or the notice was refused (too old, blocked, too many)
  failed = 2,      // the correction was tried and failed
  no_agent = 3,    // no such socket, nobody listens, or nothing in the guest answers
  timeout = 4,     // the agent answers, but its report did not come in time
  busy = 5,        // another client holds the port
  protocol = 6,    // what answers is not a clockmend agent, or does not keep the protocol
  mixed = 7,       // several guests, which failed in different ways
  off = 8,         // exchange: the guest's clock is further off than allowed
  no_libvirt = 9,  // libvirt is not installed, does not run or does not answer
};

[[nodiscard]] constexpr const char* to_string(Verdict v) {
  switch (v) {
    case Verdict::done:
      return "done";
    case Verdict::refused:
      return "refused";
    case Verdict::failed:
      return "failed";
    case Verdict::no_agent:
      return "no-agent";
    case Verdict::timeout:
      return "timeout";
    case Verdict::busy:
      return "busy";
    case Verdict::protocol:
      return "protocol-error";
    case Verdict::mixed:
      return "mixed";
    case Verdict::off:
      return "off";
    case Verdict::no_libvirt:
      return "no-libvirt";
  }
  return "?";
}

}  // namespace clockmend::host
