// What of a host's words can be believed: the freshness rules of the protocol. Pure.
//
// The guest's clock is what is suspected to be wrong, so a stamp is never compared with it. `sent` alone proves only that
// true time is not before it; how old a notice is can be told only through an exchange, which relates the two clocks.
#pragma once

#include <optional>
#include <string>

#include "agent/channel/exchange.hpp"
#include "agent/core/notice.hpp"
#include "agent/core/ports/byte_stream.hpp"
#include "agent/wire/reply.hpp"
#include "agent/wire/request.hpp"

namespace clockmend::channel {

struct Circumstances {
  core::ClockSnapshot now;
  /// backlog: was waiting before we listened, nobody knows for how long.
  core::Arrival arrival = core::Arrival::live;
  core::milliseconds max_age{30000};  // where the notice names none
  core::nanoseconds host_clock_error{};
};

struct Judgement {
  core::HostNotice notice;
  bool stale = false;  // proved to be older than its max-age
  wire::HostTime host_time = wire::HostTime::none;
  std::string note;
};

[[nodiscard]] Judgement judge_notify(const wire::ClockNotify& notify, const ExchangeLedger& ledger, const Circumstances& at);

/// guest-set-time with a time: the stamp of a client that knows nothing of exchanges, one way.
[[nodiscard]] Judgement judge_set_time(const wire::GuestSetTime& request, const Circumstances& at);

}  // namespace clockmend::channel
