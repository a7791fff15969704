// How `notify` and `exchange` ask a running `clockmend-host watch` for guests, over its control socket. Lines of words; pure.
//   asks:    socket PATH | domain NAME | all, one line for each, then: end
//   answers: guest SOCKET NAME TROUBLE for each, then: go        or: no WHY
//   says:    done SOCKET VERDICT for each guest that was told, and closes
// Until it closes, `watch` leaves these guests' ports alone: a port serves one client at a time.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/core/result.hpp"

namespace clockmend::host {

inline constexpr const char* kControlSocket = "/run/clockmend-host/control.sock";
/// Longer than any line of this protocol: a name of 255 bytes and a path of 107, escaped.
inline constexpr std::size_t kMaxLeaseLine = 4096;

struct AskSocket {
  std::string path;
};
struct AskDomain {
  std::string name;
};
struct AskAll {};
struct AskEnd {};
struct TellDone {
  std::string socket;
  int verdict = 0;
};
using LeaseAsk = std::variant<AskSocket, AskDomain, AskAll, AskEnd, TellDone>;

struct LeasedGuest {
  std::string socket;   // empty: see trouble
  std::string name;     // libvirt's; empty where only the socket is known
  std::string trouble;  // why it cannot be visited
};
struct LeaseGo {};
struct LeaseNo {
  std::string why;
};
using LeaseAnswer = std::variant<LeasedGuest, LeaseGo, LeaseNo>;

[[nodiscard]] std::string lease_line(const LeaseAsk& ask);
[[nodiscard]] std::string lease_line(const LeaseAnswer& answer);
[[nodiscard]] core::Result<LeaseAsk> parse_lease_ask(std::string_view line);
[[nodiscard]] core::Result<LeaseAnswer> parse_lease_answer(std::string_view line);

}  // namespace clockmend::host
