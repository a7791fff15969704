// One question to one server: request, wait, one retry; every attempt on a new socket with new random bits.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "agent/core/ports/datagram.hpp"
#include "agent/core/ports/scheduler.hpp"
#include "probes/ntp/validity.hpp"

namespace clockmend::probes::ntp {

/// The ports every part of the client works on; they outlive it.
struct ExchangePorts {
  core::DatagramFactory& network;
  core::Scheduler& scheduler;
  core::RandomSource& random;
};

struct ExchangeFailure {
  bool reached = false;  // the server answered, but with something unusable
  std::string text;      // "no reply", "connection refused", "stratum 16", ...
  std::string kiss_code;
};

using ExchangeResult = std::variant<Sample, ExchangeFailure>;

struct ExchangePlan {
  core::Endpoint peer;
  core::RealtimePoint floor{};
  core::RealtimePoint ceiling{};
  core::nanoseconds timeout{};  // per attempt
  /// Asked before every further packet: whether the server's budget allows it. The first is the caller's affair.
  std::function<bool()> may_send_again;
};

class Exchange {
 public:
  /// Sends at once. `done` is called exactly once, from the event loop, never from in here; it may destroy this object.
  Exchange(ExchangePorts ports, ExchangePlan plan, std::function<void(const ExchangeResult&)> done);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// We stepped the clock. A reply that had arrived before but is read only now is stamped on the old scale: it is dropped
  /// and the server asked again. A request on its way stays good (see make_sample).
  void own_step(const core::ClockSnapshot& after) { stepped_ = after.raw; }

 private:
  void attempt();
  void attempt_failed(const std::string& why, core::nanoseconds pause);
  void on_datagram(const core::Datagram& datagram);
  void on_verdict(const Sample& sample);
  void on_verdict(const Rejection& rejection);
  void ask_again();
  void finish(ExchangeResult result);

  ExchangePorts ports_;
  ExchangePlan plan_;
  std::function<void(const ExchangeResult&)> done_;
  std::unique_ptr<core::DatagramSocket> socket_;
  core::TimerHandle timer_;
  Expectation expected_;
  std::optional<core::RawPoint> stepped_;
  unsigned attempts_ = 0;
  bool failing_ = false;  // this attempt is over, the next one or the end is scheduled
  std::string trouble_;   // last reason of a packet that was not the answer
};

}  // namespace clockmend::probes::ntp
